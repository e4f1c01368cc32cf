//! Builds a component from the source of a TypeScript guest.
//!
//! The compiler is a separate program, `ruzhi-typescript`: it contains a JavaScript engine and its evaluator, with
//! system interfaces that this program must not have. `make languages` builds it and puts it beside this one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::common::MOST_BYTES;
use super::error::BuildError;
use ruzhi_files::file;

const COMPILER: &str = "ruzhi-typescript";

/// Builds the guest in `folder` and returns the component and the project's name. The compiler's messages go to
/// standard error.
pub(super) fn build(folder: &Path) -> Result<(Vec<u8>, String), BuildError> {
    let name = name_of(folder)?;
    let compiler = find().ok_or(BuildError::NoTypeScript)?;
    let output = Command::new(&compiler)
        .arg(folder)
        .args(["--output", "-"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| BuildError::Run { program: compiler.display().to_string(), source })?;
    if !output.status.success() {
        return Err(BuildError::Compile { package: name });
    }
    Ok((output.stdout, name))
}

/// The compiler beside this program, else on the path.
fn find() -> Option<PathBuf> {
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    beside
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(COMPILER))
        .find(|program| program.is_file())
}

#[derive(Deserialize)]
struct NpmPackage {
    name: String,
}

/// The project's name, which becomes a file name.
fn name_of(folder: &Path) -> Result<String, BuildError> {
    let path = folder.join("package.json");
    let invalid = |reason: String| BuildError::PackageJson { path: path.clone(), reason };
    let text = file::read_text(&path, MOST_BYTES).map_err(|error| invalid(error.to_string()))?;
    let NpmPackage { name } = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    let lawful = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(lawful) {
        Ok(name)
    } else {
        Err(invalid(format!("the name {name:?} has other characters than letters, digits, `-`, `_` and `.`")))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn name(package: &str) -> Result<String, BuildError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("package.json"), package).unwrap();
        name_of(folder.path())
    }

    #[test]
    fn a_project_is_named_by_its_package() {
        assert_eq!(name(r#"{"name":"my-rules","private":true}"#).unwrap(), "my-rules");
        for package in
            ["", "{}", r#"{"name":1}"#, r#"{"name":"../x"}"#, r#"{"name":"@a/b"}"#, r#"{"name":""}"#]
        {
            assert_eq!(name(package).unwrap_err().code(), "build.package-json", "{package}");
        }
    }
}
