//! Builds a component from the source of a Rust guest: `cargo build` for `wasm32-unknown-unknown`, then the component
//! encoding. That target has no system interface at all, so the component is pure by construction.
//!
//! Two toolchains can do it. Where rustup has the target, plain cargo does. Elsewhere Debian's `rustc-web`,
//! `cargo-web` and `rust-web-src` build the standard library along with the guest; the linker then comes from the
//! rustup toolchain or from Debian's `lld`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::common::TARGET;
use super::error::BuildError;

/// The Rust toolchain that builds a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// The target installed beside the cargo on the path.
    Installed,
    /// Debian's packages, building the standard library too.
    Debian,
}

/// Builds the guest in `folder` and returns the component and the package's name.
pub(super) fn build(folder: &Path, forced: Option<Toolchain>) -> Result<(Vec<u8>, String), BuildError> {
    let toolchain = match forced {
        Some(toolchain) => toolchain,
        None if target_is_installed() => Toolchain::Installed,
        None if debian_rust().is_some() => Toolchain::Debian,
        None => return Err(BuildError::NoToolchain),
    };
    let package = CargoPackage::of(folder)?;
    let (program, environment, arguments) = match toolchain {
        Toolchain::Installed => ("cargo".into(), Vec::new(), Vec::new()),
        Toolchain::Debian => {
            let cargo = debian_rust().ok_or(BuildError::NoToolchain)?;
            (cargo.into_os_string(), debian_environment(), vec!["-Zbuild-std=std,panic_abort"])
        }
    };
    let status = Command::new(&program)
        .args(["build", "--profile", &package.profile, "--target", TARGET, "--package", &package.name])
        .args(arguments)
        .envs(environment)
        // Flags for the host's own build, such as coverage, do not fit this target.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_TARGET_DIR", &package.target_directory)
        .current_dir(folder)
        .stdout(std::io::stderr())
        .status()
        .map_err(|source| BuildError::Run { program: program.to_string_lossy().into_owned(), source })?;
    if !status.success() {
        return Err(BuildError::Compile { package: package.name });
    }
    let path = package
        .target_directory
        .join(TARGET)
        .join(&package.profile)
        .join(format!("{}.wasm", package.library.replace('-', "_")));
    let module = fs::read(&path).map_err(|source| BuildError::Module { path, source })?;
    Ok((encode(&module)?, package.name))
}

fn encode(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    wit_component::ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|e| BuildError::Encode { reason: format!("{e:#}") })
}

fn target_is_installed() -> bool {
    output("rustc", &["--print", "target-libdir", "--target", TARGET])
        .is_some_and(|folder| Path::new(folder.trim()).is_dir())
}

/// Debian's cargo, if its compiler and the standard library's source are installed too.
fn debian_rust() -> Option<PathBuf> {
    let cargo = Path::new("/usr/bin/cargo");
    let library = output("/usr/bin/rustc", &["--print", "sysroot"])
        .map(|root| Path::new(root.trim()).join("lib/rustlib/src/rust/library/std"));
    (cargo.exists() && library.is_some_and(|library| library.exists())).then(|| cargo.to_owned())
}

fn debian_environment() -> Vec<(&'static str, OsString)> {
    let mut environment: Vec<(&'static str, OsString)> = vec![
        ("RUSTC", "/usr/bin/rustc".into()),
        // `-Zbuild-std` is unstable in a stable cargo; the packages are made for exactly this use.
        ("RUSTC_BOOTSTRAP", "1".into()),
    ];
    let rustup_linker = output("rustup", &["run", "stable", "rustc", "--print", "sysroot"])
        .map(|root| Path::new(root.trim()).join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld"));
    let linker = [rustup_linker, Some("/usr/bin/wasm-ld".into()), Some("/usr/bin/wasm-ld-14".into())]
        .into_iter()
        .flatten()
        .find(|path| path.exists());
    if let Some(linker) = linker {
        environment.push(("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker.into()));
    }
    environment
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The package in a folder, as described by cargo.
struct CargoPackage {
    name: String,
    library: String,
    /// The cargo profile requested by `[package.metadata.ruzhi] profile = "…"`; a guest may prefer speed to size.
    profile: String,
    target_directory: PathBuf,
}

impl CargoPackage {
    fn of(folder: &Path) -> Result<Self, BuildError> {
        let not_a_package = |reason: String| BuildError::NotAPackage { folder: folder.to_owned(), reason };
        let manifest = folder.join("Cargo.toml");
        let manifest = manifest.canonicalize().map_err(|e| not_a_package(e.to_string()))?;
        let output = Command::new("cargo")
            .args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"])
            .arg(&manifest)
            .output()
            .map_err(|source| BuildError::Run { program: "cargo".to_owned(), source })?;
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|_| not_a_package(String::from_utf8_lossy(&output.stderr).into_owned()))?;
        let package = metadata
            .packages
            .into_iter()
            .find(|package| Path::new(&package.manifest_path) == manifest)
            .ok_or_else(|| not_a_package("the folder holds a workspace, not a package".to_owned()))?;
        let library = package
            .targets
            .into_iter()
            .find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))
            .ok_or_else(|| BuildError::NotALibrary { package: package.name.clone() })?;
        let profile = package.metadata.and_then(|metadata| metadata.ruzhi).and_then(|ruzhi| ruzhi.profile);
        Ok(Self {
            name: package.name,
            library: library.name,
            profile: profile.unwrap_or_else(|| "release".to_owned()),
            target_directory: metadata.target_directory,
        })
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    manifest_path: String,
    targets: Vec<MetadataTarget>,
    metadata: Option<PackageMetadata>,
}

#[derive(Deserialize)]
struct PackageMetadata {
    ruzhi: Option<RuzhiMetadata>,
}

#[derive(Deserialize)]
struct RuzhiMetadata {
    profile: Option<String>,
}

#[derive(Deserialize)]
struct MetadataTarget {
    name: String,
    crate_types: Vec<String>,
}
