//! From the source of a Rust guest to a component: `cargo build` for `wasm32-unknown-unknown`, then the component
//! encoding. That target has no system interface at all, so what comes out is pure by construction.
//!
//! Two toolchains can do it. Where rustup has the target, plain cargo does. Elsewhere Debian's `rustc-web`,
//! `cargo-web` and `rust-web-src` build the standard library along with the guest; the linker then comes from the
//! rustup toolchain or from Debian's `lld`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::model::Text;

const TARGET: &str = "wasm32-unknown-unknown";

/// Which Rust builds a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// The target installed beside the cargo on the path.
    Installed,
    /// Debian's packages with the standard library built anew.
    Debian,
}

/// What a build made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The component's bytes.
    pub component: Vec<u8>,
    /// The package's name.
    pub package: String,
    /// Which Rust built it.
    pub toolchain: Toolchain,
}

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Nothing here can compile to WebAssembly.
    #[error("no Rust that can compile to {TARGET} was found")]
    NoToolchain,
    /// The folder is no Rust package.
    #[error("{} is not the folder of a Rust package", folder.display())]
    NotAPackage {
        /// The folder.
        folder: PathBuf,
        /// What cargo said.
        reason: String,
    },
    /// The package has no `cdylib`.
    #[error("the package {package} has no library of crate-type cdylib")]
    NotALibrary {
        /// The package.
        package: String,
    },
    /// A program cannot be started.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The package does not compile.
    #[error("the package {package} does not compile; the compiler's words are above")]
    Compile {
        /// The package.
        package: String,
    },
    /// The module was not found where cargo puts it.
    #[error("cannot read the compiled module {}", path.display())]
    Module {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The module is no guest.
    #[error("the compiled module cannot be made a component: {reason}")]
    Encode {
        /// The encoder's words.
        reason: String,
    },
}

impl BuildError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoToolchain => "build.no-toolchain",
            Self::NotAPackage { .. } => "build.not-a-package",
            Self::NotALibrary { .. } => "build.not-a-library",
            Self::Run { .. } => "build.run",
            Self::Compile { .. } => "build.compile",
            Self::Module { .. } => "build.module",
            Self::Encode { .. } => "build.encode",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Text {
        match self {
            Self::NoToolchain => Text::new(
                format!(
                    "run `rustup target add {TARGET}`, or on Debian `apt-get install rustc-web cargo-web rust-web-src`"
                ),
                format!(
                    "请运行 `rustup target add {TARGET}`；在 Debian 上也可以 `apt-get install rustc-web cargo-web rust-web-src`"
                ),
            ),
            Self::NotAPackage { .. } => Text::new(
                "give the folder that holds the guest's Cargo.toml",
                "请给出规则组件 Cargo.toml 所在的目录",
            ),
            Self::NotALibrary { .. } => Text::new(
                "add `[lib] crate-type = [\"cdylib\", \"rlib\"]` to its Cargo.toml",
                "请在其 Cargo.toml 中加入 `[lib] crate-type = [\"cdylib\", \"rlib\"]`",
            ),
            Self::Run { .. } => Text::new("install Rust with rustup", "请用 rustup 安装 Rust"),
            Self::Compile { .. } => Text::new("correct the source and build again", "请修改源码后重新构建"),
            Self::Module { .. } => Text::new("build again", "请重新构建"),
            Self::Encode { .. } => Text::new(
                "export the guest with `ruzhi_guest::export!`, and build against this release's guests/sdk",
                "请用 `ruzhi_guest::export!` 导出规则组件，并使用本版本的 guests/sdk 构建",
            ),
        }
    }
}

/// Builds the guest in `folder`. `forced` chooses the toolchain; without it the installed target is preferred.
/// The compiler's output goes to standard error.
pub fn build(folder: &Path, forced: Option<Toolchain>) -> Result<Built, BuildError> {
    let toolchain = match forced {
        Some(toolchain) => toolchain,
        None if target_is_installed() => Toolchain::Installed,
        None if debian_rust().is_some() => Toolchain::Debian,
        None => return Err(BuildError::NoToolchain),
    };
    let package = Package::of(folder)?;
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
        // Flags meant for the host's own build, such as coverage, do not fit this target.
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
    Ok(Built { component: encode(&module)?, package: package.name, toolchain })
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

/// Debian's cargo, if its compiler and the standard library's source are there too.
fn debian_rust() -> Option<PathBuf> {
    let cargo = Path::new("/usr/bin/cargo");
    let library = output("/usr/bin/rustc", &["--print", "sysroot"])
        .map(|root| Path::new(root.trim()).join("lib/rustlib/src/rust/library/std"));
    (cargo.exists() && library.is_some_and(|library| library.exists())).then(|| cargo.to_owned())
}

fn debian_environment() -> Vec<(&'static str, OsString)> {
    let mut environment: Vec<(&'static str, OsString)> = vec![
        ("RUSTC", "/usr/bin/rustc".into()),
        // `-Zbuild-std` is not in a stable cargo's list of promises; the packages are made for exactly this use.
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

/// What cargo says of the package in a folder.
struct Package {
    name: String,
    library: String,
    /// The cargo profile it asks for with `[package.metadata.ruzhi] profile = "…"`; a guest may want speed more than
    /// size.
    profile: String,
    target_directory: PathBuf,
}

impl Package {
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
