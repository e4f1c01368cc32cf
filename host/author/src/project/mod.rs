//! The source of a new guest: the founding factory's example under another name, with the SDK beside it.
//!
//! The binary contains examples, SDKs and the contract, so a project can be created and built anywhere. No second
//! copy of the example needs to be kept in sync: a project is the tested example itself.

mod manifest;
mod name;

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

pub use self::name::{NameError, ProjectName};
use super::build::Language;

static RUST_EXAMPLE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../guests/jingxintai");
static TYPESCRIPT_SDK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../guests/typescript/sdk");
static TYPESCRIPT_EXAMPLE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../guests/typescript/jingxintai");
static PYTHON_SDK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../guests/python/sdk");
static PYTHON_EXAMPLE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../guests/python/jingxintai");
static CONTRACT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../wit/v0.2");
const CARGO_CONFIG: &str = include_str!("../../../../guests/.cargo/config.toml");
const README: &str = include_str!("README.md");

/// The files of a new project, by their path in its folder.
pub fn project(name: &ProjectName, language: Language) -> Vec<(PathBuf, Vec<u8>)> {
    let (example, rules, ignored) = match language {
        Language::Rust => (&RUST_EXAMPLE, "src/lib.rs", "/target\n/*.wasm\n"),
        Language::TypeScript => (&TYPESCRIPT_EXAMPLE, "src/rules.ts", "node_modules\n/*.wasm\n"),
        Language::Python => (&PYTHON_EXAMPLE, "rules.py", "__pycache__\n/*.wasm\n"),
    };
    let mut files: Vec<(PathBuf, Vec<u8>)> = source(example)
        .map(|(path, bytes)| match std::str::from_utf8(bytes) {
            Ok(text) => (path.to_owned(), name.exchanged(text).into_bytes()),
            Err(_) => (path.to_owned(), bytes.to_owned()),
        })
        .filter(|(path, _)| path != Path::new("README.md"))
        .collect();
    let mut vendor = |folder: &str, sdk: &'static Dir<'static>| {
        files.extend(source(sdk).map(|(path, bytes)| (Path::new(folder).join(path), bytes.to_owned())));
    };
    match language {
        Language::Rust => {
            vendor("ruzhi/guests/sdk", &manifest::RUST_SDK);
            vendor("ruzhi/wit/v0.2", &CONTRACT);
            for (path, bytes) in &mut files {
                let text = String::from_utf8_lossy(bytes);
                if path == Path::new("Cargo.toml") {
                    *bytes = manifest::of_project(&text).into_bytes();
                } else if path == Path::new("ruzhi/guests/sdk/Cargo.toml") {
                    *bytes = manifest::of_sdk(&text).into_bytes();
                }
            }
            files.push(("Cargo.lock".into(), manifest::lock(name).into_bytes()));
            files.push((".cargo/config.toml".into(), CARGO_CONFIG.into()));
        }
        Language::TypeScript => vendor("ruzhi", &TYPESCRIPT_SDK),
        Language::Python => vendor("ruzhi", &PYTHON_SDK),
    }
    let own_tests = match language {
        Language::Rust => {
            "cargo test                                # the same natively, as unit tests · 本机单元测试\n"
        }
        Language::TypeScript | Language::Python => "",
    };
    let readme =
        README.replace("{name}", name.as_str()).replace("{rules}", rules).replace("{own_tests}", own_tests);
    files.push(("README.md".into(), readme.into()));
    files.push((".gitignore".into(), ignored.into()));
    files.sort();
    files
}

/// The files of a folder and its subfolders, without the products of building and running.
fn source(folder: &'static Dir<'static>) -> Box<dyn Iterator<Item = (&'static Path, &'static [u8])>> {
    let left = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        ["target", "node_modules", "__pycache__", ".gitkeep"].contains(&name)
            || path.extension().is_some_and(|extension| extension == "wasm")
    };
    let files = folder.files().map(|file| (file.path(), file.contents()));
    let inside = folder.dirs().filter(move |dir| !left(dir.path())).flat_map(source);
    Box::new(files.filter(move |(path, _)| !left(path)).chain(inside))
}

#[cfg(test)]
mod tests;
