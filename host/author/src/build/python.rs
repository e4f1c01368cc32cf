//! Builds a component from the source of a Python guest, by `componentize-py`: CPython compiled to WebAssembly, with
//! the author's modules imported and the memory saved as a snapshot, so that a batch starts where the imports ended.
//!
//! A temporary folder receives the project, the SDK, the contract, and the one module that ties them together. The
//! project's own folder is only read. `--stub-wasi` removes all imports; code at the top level of an author's module
//! runs here, once.
//!
//! `componentize-py` is a Python package with no other dependency. If neither `RUZHI_COMPONENTIZE_PY` nor the path
//! gives the right version, it is installed once into ruzhi's cache: into a folder beside the final one, which is
//! then renamed, so that concurrent or interrupted builds leave nothing half done.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::common::MOST_BYTES;
use super::error::BuildError;
use ruzhi_files::file;
use ruzhi_guest_runtime::user_folder;

/// The version known to build components without imports.
const VERSION: &str = "0.25.1";

/// The variable that names the program to use.
const CHOSEN: &str = "RUZHI_COMPONENTIZE_PY";

/// The author's module.
const RULES: &str = "rules.py";

/// The module the component is made from.
const APP: &str = "ruzhi_component_app";

/// Its source. The author's module is imported first, so that its errors come first.
const APP_SOURCE: &str = "\
from ruzhi import component

component.prepare()

import rules
from componentize_py_types import Err
from wit_world.imports import types

Mapper = component.exported(types, Err)
";

/// The package's script `componentize-py` contains the path of one Python; this runs with any.
const ENTRY: &str =
    "import sys; from componentize_py import script; sys.argv[0] = 'componentize-py'; sys.exit(script())";

static SDK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../guests/python/sdk");
static CONTRACT: &str = include_str!("../../../../wit/v0.2/mapping.wit");
/// For a project with an SDK older than 0.2.
static CONTRACT_0_1: &str = include_str!("../../../../wit/v0.1/mapping.wit");

/// Builds the guest in `folder` and returns the component and the project's name.
pub(super) fn build(folder: &Path) -> Result<(Vec<u8>, String), BuildError> {
    let name = name_of(folder)?;
    let rules = folder.join(RULES);
    if !rules.is_file() {
        return Err(BuildError::NoRules { path: rules });
    }
    let componentizer = Componentizer::find()?;
    let work =
        tempfile::tempdir().map_err(|source| BuildError::Files { path: std::env::temp_dir(), source })?;
    let work = work.path();
    let app = work.join("app");
    put_together(folder, &app, work)
        .map_err(|source| BuildError::Files { path: folder.to_owned(), source })?;
    let component = work.join("guest.wasm");
    let output = componentizer
        .command()
        .arg("--wit-path")
        .arg(work.join("wit"))
        .args(["--world", "mapping-guest", "componentize", "--stub-wasi", "--python-path"])
        .arg(&app)
        .arg("--output")
        .arg(&component)
        .arg(APP)
        // Packages installed on this machine are not part of the guest, unless the project includes them in a
        // `.venv`.
        .env("VIRTUAL_ENV", environment(folder, work))
        .current_dir(work)
        .output()
        .map_err(|source| BuildError::Run { program: componentizer.shown(), source })?;
    if !output.status.success() {
        return Err(BuildError::Python { reason: reason(&output, folder) });
    }
    let component = fs::read(&component).map_err(|source| BuildError::Module { path: component, source })?;
    Ok((component, name))
}

/// The name that `pyproject.toml` gives the project.
fn name_of(folder: &Path) -> Result<String, BuildError> {
    let path = folder.join("pyproject.toml");
    let text = file::read_text(&path, MOST_BYTES)
        .map_err(|source| BuildError::Files { path: path.clone(), source })?;
    toml::from_str::<Manifest>(&text)
        .map(|manifest| manifest.project.name)
        .map_err(|error| BuildError::Manifest { path, reason: error.to_string() })
}

#[derive(Deserialize)]
struct Manifest {
    project: Project,
}

#[derive(Deserialize)]
struct Project {
    name: String,
}

/// The application, the contract, and an empty virtual environment.
fn put_together(folder: &Path, app: &Path, work: &Path) -> std::io::Result<()> {
    copy(folder, app)?;
    if !app.join("ruzhi").is_dir() {
        let sdk = app.join("ruzhi");
        fs::create_dir_all(&sdk)?;
        for file in SDK.files().filter(|file| file.path().extension().is_some_and(|kind| kind == "py")) {
            fs::write(sdk.join(file.path()), file.contents())?;
        }
    }
    fs::write(app.join(format!("{APP}.py")), APP_SOURCE)?;
    fs::create_dir_all(work.join("wit"))?;
    let speaks = fs::read_to_string(app.join("ruzhi/contract.py")).unwrap_or_default();
    let is_first = !speaks.lines().any(|line| line.starts_with("CONTRACT = "));
    fs::write(work.join("wit/mapping.wit"), if is_first { CONTRACT_0_1 } else { CONTRACT })?;
    fs::create_dir_all(work.join("environment/lib/python3/site-packages"))
}

/// The project without files that are not part of the guest.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let shown = name.to_string_lossy();
        let is_foreign = shown.starts_with('.') || shown == "__pycache__" || shown.ends_with(".wasm");
        if is_foreign || path.join("pyvenv.cfg").is_file() {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

fn environment(folder: &Path, work: &Path) -> PathBuf {
    let own = folder.join(".venv");
    match own.canonicalize() {
        Ok(own) if own.is_dir() => own,
        _ => work.join("environment"),
    }
}

/// Python's message, in the project's own paths, without the lines of the SDK and of the tool.
fn reason(output: &Output, folder: &Path) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.split_once("AssertionError: ").map_or(&*said, |(_, rest)| rest);
    let said = said.split("\n\nCaused by:").next().unwrap_or(said);
    let mut kept = Vec::new();
    let mut is_ours = false;
    for line in said.lines().filter(|line| !line.starts_with("Traceback ")) {
        if line.starts_with("  File ") {
            is_ours = line.contains("\"/0/ruzhi/") || line.contains(APP);
        } else if !line.starts_with("    ") {
            is_ours = false;
        }
        if !is_ours && !line.trim().is_empty() {
            kept.push(line.replace("\"/0/", &format!("\"{}/", folder.display())));
        }
    }
    kept.join("\n")
}

/// A way to run `componentize-py`.
enum Componentizer {
    /// A program.
    Program(OsString),
    /// The package in a folder, with the Python on the path.
    Package(PathBuf),
}

impl Componentizer {
    fn find() -> Result<Self, BuildError> {
        if let Some(program) = std::env::var_os(CHOSEN).filter(|program| !program.is_empty()) {
            return Ok(Self::Program(program));
        }
        let on_path = Self::Program("componentize-py".into());
        if on_path.is_right() {
            return Ok(on_path);
        }
        let folder = cache().ok_or(BuildError::NoPython { reason: "HOME is not set".to_owned() })?;
        if !folder.join("componentize_py").is_dir() {
            install(&folder)?;
        }
        Ok(Self::Package(folder))
    }

    fn is_right(&self) -> bool {
        let output = self.command().arg("--version").stderr(Stdio::null()).output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim().ends_with(VERSION))
    }

    fn command(&self) -> Command {
        match self {
            Self::Program(program) => Command::new(program),
            Self::Package(folder) => {
                let mut command = python();
                command.args(["-c", ENTRY]).env("PYTHONPATH", folder);
                command
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Program(program) => program.to_string_lossy().into_owned(),
            Self::Package(_) => "python3".to_owned(),
        }
    }
}

fn python() -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("PYTHONHOME");
    command
}

/// `~/.cache/ruzhi/componentize-py-0.25.1`
fn cache() -> Option<PathBuf> {
    Some(user_folder()?.join(format!("componentize-py-{VERSION}")))
}

#[expect(clippy::print_stderr, reason = "a download is said, and goes where the compilers' words go")]
fn install(folder: &Path) -> Result<(), BuildError> {
    let caches = folder.parent().unwrap_or(folder);
    let files = |source| BuildError::Files { path: caches.to_owned(), source };
    fs::create_dir_all(caches).map_err(files)?;
    let beside = tempfile::Builder::new().prefix("installing-").tempdir_in(caches).map_err(files)?;
    eprintln!("installing componentize-py {VERSION} into {}, once (48 MB)", folder.display());
    let output = python()
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--target"])
        .arg(beside.path())
        .arg(format!("componentize-py=={VERSION}"))
        .output()
        .map_err(|error| BuildError::NoPython { reason: error.to_string() })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(BuildError::NoPython { reason: said });
    }
    let made = beside.keep();
    match fs::rename(&made, folder) {
        Ok(()) => Ok(()),
        // Another build was faster.
        Err(_) if folder.join("componentize_py").is_dir() => fs::remove_dir_all(&made).map_err(files),
        Err(error) => Err(files(error)),
    }
}
