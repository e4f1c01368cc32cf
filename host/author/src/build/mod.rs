//! Builds a component from a guest's source.
//!
//! One file of a project tells its language, and each language has a file here for its toolchain. In any language the
//! component imports nothing and carries the version of the contract it was built for.

mod common;
mod error;
mod python;
mod rust;
mod typescript;

use std::path::Path;

pub use error::BuildError;
pub use rust::Toolchain;

use ruzhi_guest_runtime::with_contract_version;

/// The language of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// A Cargo package.
    Rust,
    /// A folder with `package.json`.
    TypeScript,
    /// A folder with `pyproject.toml`.
    Python,
}

impl Language {
    /// The language of the project in a folder.
    pub fn of(folder: &Path) -> Result<Self, BuildError> {
        let markers = [
            ("Cargo.toml", Self::Rust),
            ("package.json", Self::TypeScript),
            ("pyproject.toml", Self::Python),
        ];
        let found = markers.into_iter().find(|(marker, _)| folder.join(marker).is_file());
        found
            .map(|(_, language)| language)
            .ok_or_else(|| BuildError::NotAProject { folder: folder.to_owned() })
    }
}

/// The result of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildOutput {
    /// The component's bytes.
    pub component: Vec<u8>,
    /// The project's name.
    pub name: String,
    /// The project's language.
    pub language: Language,
}

/// Builds the guest in `folder`. `forced` chooses the Rust toolchain; without it the installed target is preferred. The
/// compilers' output goes to standard error.
pub fn build(folder: &Path, forced: Option<Toolchain>) -> Result<BuildOutput, BuildError> {
    let language = Language::of(folder)?;
    let (component, name) = match language {
        Language::Rust => rust::build(folder, forced)?,
        Language::TypeScript => typescript::build(folder)?,
        Language::Python => python::build(folder)?,
    };
    Ok(BuildOutput { component: with_contract_version(component), name, language })
}
