//! From a guest's source to a component.
//!
//! A project says by one file which language it is written in, and each language has a file here that knows its
//! toolchain. Whatever it was written in, what comes out imports nothing and carries the version of the contract it was
//! built for.

mod error;
mod python;
mod rust;
mod typescript;

use std::path::Path;

pub use error::BuildError;
pub use rust::Toolchain;

use ruzhi_guest_runtime::with_contract_version;

/// Bytes of a project's own description.
const MOST_BYTES: u64 = 1 << 20;

/// What a guest is written in.
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
    /// What the project in a folder is written in.
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

/// What a build made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The component's bytes.
    pub component: Vec<u8>,
    /// The project's name.
    pub name: String,
    /// What it is written in.
    pub language: Language,
}

/// Builds the guest in `folder`. `forced` chooses the Rust toolchain; without it the installed target is preferred. The
/// compilers' output goes to standard error.
pub fn build(folder: &Path, forced: Option<Toolchain>) -> Result<Built, BuildError> {
    let language = Language::of(folder)?;
    let (component, name) = match language {
        Language::Rust => rust::build(folder, forced)?,
        Language::TypeScript => typescript::build(folder)?,
        Language::Python => python::build(folder)?,
    };
    Ok(Built { component: with_contract_version(component), name, language })
}
