//! A tarball can be unpacked anywhere and works there, and packing is reproducible.

use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs a script of `packaging/` and returns its output.
fn script(name: &str, arguments: &[&Path]) -> String {
    let output = Command::new(repository().join("packaging").join(name)).args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {out}{err}");
    out.trim().to_owned()
}

#[test]
fn a_tarball_is_the_same_twice_and_works_where_nothing_else_is() {
    let binary = ruzhi_e2e::binary("ruzhi").unwrap();
    let guests = repository().join("guests/built");
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tarball = script("dist.sh", &[&binary, &guests, first.path()]);
    let again = script("dist.sh", &[&binary, &guests, second.path()]);
    assert!(std::fs::read(&tarball).unwrap() == std::fs::read(&again).unwrap(), "the tarballs differ");
    let told = script("dist-check.sh", &[Path::new(&tarball)]);
    assert!(told.ends_with("unpacked and tried"), "{told}");
}
