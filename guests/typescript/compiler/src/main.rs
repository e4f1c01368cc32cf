//! `ruzhi-typescript PROJECT -o OUT.wasm`: makes a mapping component from a folder of TypeScript rules.
//!
//! `project` finds the modules reachable from `src/rules.ts`, `module` removes the types from one, `place` maps
//! messages about the running code back to the source. The modules are evaluated once, here, and the component
//! contains a snapshot of the engine: values computed at a module's top level cost nothing when rows are decided.
//!
//! It is a separate program, started by `ruzhi guest build`, because it contains a WebAssembly engine with system
//! interfaces that the host must not have.

mod module;
mod place;
mod project;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use componentize_qjs::{ComponentizeOpts, Runtime};

use crate::module::Module;
use crate::project::{ENTRY, Project, SDK};

const WIT: &str = include_str!("../../../../wit/v0.2/mapping.wit");
/// For a project with an SDK older than 0.2.
const WIT_0_1: &str = include_str!("../../../../wit/v0.1/mapping.wit");
const MAIN: &str = "main.js";

/// Makes a mapping component from a folder of TypeScript rules.
#[derive(Parser)]
struct Arguments {
    /// The folder that contains src/rules.ts.
    project: PathBuf,
    /// The output file; `-` is standard output.
    #[arg(short, long)]
    output: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { project, output } = Arguments::parse();
    let put = |component: Vec<u8>| match output.as_os_str() == "-" {
        true => std::io::stdout().write_all(&component).context("cannot write to standard output"),
        false => replace(&output, &component),
    };
    match build(&project).and_then(put) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build(folder: &Path) -> Result<Vec<u8>> {
    let project = Project::open(folder)?;
    let modules = project.modules()?;
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let root = scratch.path().join("modules");
    for (path, module) in &modules {
        write(&root.join(path), module.code.as_bytes())?;
    }
    let main = main_module(&modules)?;
    write(&root.join(MAIN), main.as_bytes())?;
    let wit = scratch.path().join("mapping.wit");
    write(&wit, if project.speaks_0_1() { WIT_0_1 } else { WIT }.as_bytes())?;

    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let componentized = runtime.block_on(componentize_qjs::componentize(&ComponentizeOpts {
        wit_path: &wit,
        js_source: &main,
        js_path: Some(&root.join(MAIN)),
        module_root: Some(&root),
        world_name: None,
        stub_wasi: true,
        // An instance lives for one batch: collecting cycles costs more than keeping them.
        disable_gc: true,
        runtime: Runtime::DefaultSync,
    }));
    componentized.map_err(|error| anyhow!("{}", place::told(&error.root_cause().to_string(), &modules)))
}

/// The module with the component's exports. The import that removes time and randomness comes first.
fn main_module(modules: &BTreeMap<String, Module>) -> Result<String> {
    let mut main = String::new();
    writeln!(main, "import \"./{SDK}/pure.ts\";")?;
    writeln!(main, "import rules from \"./{ENTRY}\";")?;
    writeln!(main, "import {{ component }} from \"./{SDK}/component.ts\";")?;
    writeln!(main, "export const mapper = component(rules, {{")?;
    for (path, module) in modules.iter().filter(|(path, _)| !path.starts_with(SDK)) {
        writeln!(main, "  {:?}: {:?},", format!("/{path}"), module.places.mappings())?;
    }
    writeln!(main, "}});")?;
    Ok(main)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, bytes));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file completely or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = path.with_extension("part");
    write(&part, bytes)?;
    fs::rename(&part, path).with_context(|| format!("cannot write {}", path.display()))
}
