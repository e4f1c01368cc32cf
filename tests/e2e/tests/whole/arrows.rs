//! The modules of the host use each other as `docs/architecture.md` says, and in no other way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The sources of a folder, without tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_test = |path: &PathBuf| {
        ["tests", "tests.rs", "fuzzing.rs", "loopback.rs"].iter().any(|end| path.ends_with(end))
    };
    let entries = entries.filter(|path| !is_test(path));
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// What a source uses of the crate's modules.
fn used(text: &str) -> BTreeSet<String> {
    // Tests in the file stand at its end.
    let inline = text.match_indices("#[cfg(test)]\nmod ").find(|(at, _)| {
        let line = text[at + "#[cfg(test)]\n".len()..].lines().next();
        line.is_some_and(|line| line.ends_with('{'))
    });
    let code = inline.map_or(text, |(at, _)| &text[..at]);
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let paths: Vec<&str> = lines.flat_map(|line| line.split("crate::").skip(1)).collect();
    assert!(
        paths.iter().all(|path| !path.starts_with('{')),
        "several modules in one `use` are not read here"
    );
    let name = |path: &&str| path.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
    paths.iter().map(name).filter(|name: &String| !name.is_empty()).collect()
}

fn drawn() -> Arrows {
    let source = root().join("host/src");
    let mut arrows = Arrows::new();
    for path in sources(&source) {
        let below = path.strip_prefix(&source).unwrap();
        let module = below.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if !["lib", "main"].contains(&module.as_str()) {
            let used = used(&fs::read_to_string(&path).unwrap()).into_iter().filter(|used| *used != module);
            arrows.entry(module.clone()).or_default().extend(used);
        }
    }
    arrows
}

fn written() -> Arrows {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, block) = text.split_once("```arrows\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let arrow = |line: &str| {
        let mut words = line.split_whitespace().map(ToOwned::to_owned);
        (words.next().unwrap(), words.collect())
    };
    block.lines().map(arrow).collect()
}

#[test]
fn the_arrows_are_those_of_the_architecture_and_lead_one_way() {
    let (drawn, mut left) = (drawn(), written());
    assert_eq!(drawn, left, "docs/architecture.md has the arrows on the right");
    // Whoever uses nothing that is left is taken away; of a ring nobody can be.
    while !left.is_empty() {
        let names: BTreeSet<String> = left.keys().cloned().collect();
        left.retain(|_, used| used.iter().any(|name| names.contains(name)));
        assert!(left.len() < names.len(), "a ring: {left:?}");
    }
}
