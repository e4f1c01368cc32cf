//! The crates of the host use each other as `docs/architecture.md` says, and in no other way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A crate's folder in `host/`, and the folders of the crates it uses.
type Arrows = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The folder of a crate of the host.
fn folder<'a>(host: &Path, path: &'a Path) -> Option<&'a str> {
    path.strip_prefix(host).ok()?.iter().next()?.to_str()
}

/// The arrows as Cargo has them, without the dependencies of tests.
fn of_cargo() -> Arrows {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let host = root().canonicalize().unwrap().join("host");
    let mut arrows = Arrows::new();
    for package in metadata["packages"].as_array().unwrap() {
        let Some(name) = folder(&host, Path::new(text(&package["manifest_path"]))) else { continue };
        let used = package["dependencies"].as_array().unwrap().iter();
        let used = used.filter(|dependency| dependency["kind"].is_null());
        let used = used.filter_map(|dependency| folder(&host, Path::new(text(&dependency["path"]))));
        arrows.insert(name.to_owned(), used.map(ToOwned::to_owned).collect());
    }
    arrows
}

fn of_the_document() -> Arrows {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, block) = text.split_once("```arrows\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let arrow = |line: &str| {
        let mut words = line.split_whitespace().map(ToOwned::to_owned);
        (words.next().unwrap(), words.collect())
    };
    block.lines().map(arrow).collect()
}

/// Cargo itself refuses a ring.
#[test]
fn the_arrows_are_those_of_the_architecture() {
    assert_eq!(of_cargo(), of_the_document(), "docs/architecture.md has the arrows on the right");
}
