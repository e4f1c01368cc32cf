//! `ruzhi guest build`: compiles a project's source into a component.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::printer::Printer;
use ruzhi_author::Toolchain;
use ruzhi_guest_runtime::{Cache, Component, Engine, GuestLimits};
use ruzhi_message::Report;

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The folder with the guest's Cargo.toml
    folder: PathBuf,
    /// Output path; by default NAME.wasm in this folder
    #[arg(short, long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    compiler: Compiler,
}

/// The compiler of a Rust guest.
#[derive(Debug, Args)]
pub(super) struct Compiler {
    /// The Rust compiler to use; by default the installed target, else Debian's packages
    #[arg(long, env = "RUZHI_WASM_TOOLCHAIN", value_enum, default_value_t = Choice::Auto)]
    toolchain: Choice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    Auto,
    /// The wasm target of the cargo on the path, however installed
    Installed,
    /// The same, for `make`, which first adds the target through rustup
    Rustup,
    /// Debian's rustc-web, building the standard library too
    Debian,
}

impl Compiler {
    /// Builds the guest in a folder and writes NAME.wasm there, or to `output`.
    pub(super) fn build(
        &self,
        folder: &Path,
        output: Option<&Path>,
        engine: &Engine,
    ) -> Result<(Component, PathBuf), Report> {
        let forced = match self.toolchain {
            Choice::Auto => None,
            Choice::Installed | Choice::Rustup => Some(Toolchain::Installed),
            Choice::Debian => Some(Toolchain::Debian),
        };
        let built = ruzhi_author::build(folder, forced)?;
        let component = Component::from_bytes(engine, Cache::of_user().as_ref(), &built.component)?;
        let output = match output {
            Some(output) => output.to_owned(),
            None => folder.join(format!("{}.wasm", built.name)),
        };
        let written = output
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&output, &built.component));
        written.map_err(|error| Report::io("write the component", "写入组件文件", &error))?;
        Ok((component, output))
    }
}

impl Build {
    pub(super) fn run(&self, printer: &Printer) -> Result<ExitCode, Report> {
        let engine = Engine::new(GuestLimits::default())?;
        let (component, output) = self.compiler.build(&self.folder, self.output.as_deref(), &engine)?;
        let inspection = component.inspection();
        if printer.json {
            printer.json(&json!({ "path": output, "component": inspection }));
        } else {
            printer.out(format_args!(
                "{}  {} KB  sha256 {}",
                output.display(),
                inspection.bytes.div_ceil(1000),
                inspection.digest
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
