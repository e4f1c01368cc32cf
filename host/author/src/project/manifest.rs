//! The Cargo files of a new Rust project. The examples inherit from the workspace of `guests`; a project stands
//! alone, so each inherited key is replaced by its value, and the lock file lists versions known to work.

use std::collections::BTreeSet;

use include_dir::{Dir, include_dir};
use toml::{Table, Value};

use super::name::ProjectName;

const WORKSPACE: &str = include_str!("../../../../guests/Cargo.toml");
const LOCK: &str = include_str!("../../../../guests/Cargo.lock");
/// The SDK of Rust guests.
pub(super) static RUST_SDK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../guests/sdk");
const EXAMPLE: &str = "ruzhi-guest-jingxintai";

/// The manifest of a project, derived from the example's.
pub(super) fn of_project(example: &str) -> String {
    // The license of a factory's rules is the factory's decision.
    let example = example.replace("license.workspace = true\n", "");
    let own = concrete(&example, "ruzhi/guests/sdk");
    let tables = ["profile.release", "profile.speed"].map(section).join("\n");
    format!(
        "[workspace]\nexclude = [\"ruzhi\"]\n\n{own}\n# `[package.metadata.ruzhi]` above chooses between these: small, or fast.\n{tables}"
    )
}

/// The SDK's manifest in a project, without the SDK's tests.
pub(super) fn of_sdk(sdk: &str) -> String {
    let mut kept = true;
    let lines = sdk.lines().filter(|line| {
        if line.starts_with('[') {
            kept = *line != "[dev-dependencies]";
        }
        kept
    });
    concrete(&lines.map(|line| format!("{line}\n")).collect::<String>(), "")
}

/// The lock file of a project: the part of that of `guests` it needs.
pub(super) fn lock(name: &ProjectName) -> String {
    let mut blocks = LOCK.split("[[package]]\n");
    let head = blocks.next().unwrap_or_default();
    let blocks: Vec<(&str, &str)> = blocks.map(|block| (value_of(block, "name"), block)).collect();
    let sdk = sdk_needs();
    let unneeded = |package: &str, needed: &str| package == "ruzhi-guest" && !sdk.contains(needed);
    let mut reached = BTreeSet::from([EXAMPLE]);
    let mut open = vec![EXAMPLE];
    while let Some(package) = open.pop() {
        for (_, block) in blocks.iter().filter(|(known, _)| *known == package) {
            for needed in dependencies(block).filter(|needed| !unneeded(package, needed)) {
                if reached.insert(needed) {
                    open.push(needed);
                }
            }
        }
    }
    let mut kept: Vec<(&str, String)> = blocks
        .into_iter()
        .filter(|(package, _)| reached.contains(package))
        .map(|(package, block)| {
            let lines = block
                .lines()
                .filter(|line| !dependency(line).is_some_and(|needed| unneeded(package, needed)));
            let block = lines.map(|line| format!("{line}\n")).collect::<String>();
            let package = if package == EXAMPLE { name.as_str() } else { package };
            (package, block.replace(EXAMPLE, name.as_str()))
        })
        .collect();
    kept.sort_by_key(|(package, _)| *package);
    let packages = kept.iter().map(|(_, block)| format!("[[package]]\n{}\n\n", block.trim_end()));
    format!("{head}{}\n", packages.collect::<String>().trim_end())
}

/// Replaces each `KEY.workspace = true` by its value.
fn concrete(manifest: &str, sdk: &str) -> String {
    let workspace: Table = WORKSPACE.parse().unwrap_or_default();
    let inherited = |table: &str, key: &str| {
        let value = workspace.get("workspace")?.get(table)?.get(key)?;
        match (key, value.clone()) {
            ("ruzhi-guest", Value::Table(mut table)) => {
                table.insert("path".to_owned(), sdk.into());
                Some(Value::Table(table))
            }
            (_, value) => Some(value),
        }
    };
    let mut table = "";
    let mut text = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            table = if line == "[package]" { "package" } else { "dependencies" };
        }
        let value =
            line.strip_suffix(".workspace = true").and_then(|key| Some((key, inherited(table, key)?)));
        match value {
            Some((key, value)) => text.push_str(&format!("{key} = {value}\n")),
            None if line == "[lints]" => {
                text.push_str(&["workspace.lints.rust", "workspace.lints.clippy"].map(section).join("\n"));
            }
            None if line == "workspace = true" => {}
            None => text.push_str(&format!("{line}\n")),
        }
    }
    text
}

/// A table of the workspace's manifest, renamed to that of a package.
fn section(name: &str) -> String {
    let header = format!("[{name}]");
    let mut lines = WORKSPACE.lines().skip_while(|line| *line != header).skip(1);
    let body = lines.by_ref().take_while(|line| !line.starts_with('[') && !line.is_empty());
    let body = body.map(|line| format!("{line}\n")).collect::<String>();
    format!("[{}]\n{body}", name.trim_start_matches("workspace."))
}

/// The dependencies needed to build the SDK, without those of its tests.
fn sdk_needs() -> BTreeSet<String> {
    let manifest = RUST_SDK.get_file("Cargo.toml").and_then(include_dir::File::contents_utf8);
    let manifest: Table = manifest.unwrap_or_default().parse().unwrap_or_default();
    let mut needs = BTreeSet::new();
    let mut tables: Vec<&Table> = vec![&manifest];
    tables.extend(
        manifest
            .get("target")
            .and_then(Value::as_table)
            .into_iter()
            .flat_map(Table::values)
            .filter_map(Value::as_table),
    );
    for table in tables {
        for kind in ["dependencies", "build-dependencies"] {
            let found = table.get(kind).and_then(Value::as_table).into_iter().flat_map(Table::keys);
            needs.extend(found.cloned());
        }
    }
    needs
}

fn value_of<'a>(block: &'a str, key: &str) -> &'a str {
    let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
    line.and_then(|value| value.strip_suffix('"')).unwrap_or_default()
}

fn dependencies(block: &str) -> impl Iterator<Item = &str> {
    block.lines().filter_map(dependency)
}

/// ` "NAME",` or ` "NAME VERSION",`.
fn dependency(line: &str) -> Option<&str> {
    line.strip_prefix(" \"")?.strip_suffix("\",")?.split(' ').next()
}
