//! `ruzhi guest build`: from a project's source to a component.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::speech::{Failure, Speech};
use crate::guest::{self, Component, Engine, Limits, Toolchain};

#[derive(Debug, Args)]
pub(in crate::cli) struct Build {
    /// The folder of the guest's Cargo.toml
    folder: PathBuf,
    /// Where to put the component; by default NAME.wasm in this folder
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Which Rust builds it; by default the installed target, else Debian's packages
    #[arg(long, env = "RUZHI_WASM_TOOLCHAIN", value_enum, default_value_t = Choice::Auto)]
    toolchain: Choice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Choice {
    Auto,
    /// The target beside the cargo on the path, whoever installed it
    Installed,
    /// The same; `make` asks rustup for the target first
    Rustup,
    /// Debian's rustc-web with the standard library built along
    Debian,
}

impl Build {
    pub(super) fn run(&self, speech: &Speech) -> Result<ExitCode, Failure> {
        let forced = match self.toolchain {
            Choice::Auto => None,
            Choice::Installed | Choice::Rustup => Some(Toolchain::Installed),
            Choice::Debian => Some(Toolchain::Debian),
        };
        let built = guest::build(&self.folder, forced)?;
        let engine = Engine::new(Limits::default())?;
        let component = Component::from_bytes(&engine, None, &built.component)?;
        let output = match &self.output {
            Some(output) => output.clone(),
            None => self.folder.join(format!("{}.wasm", built.name)),
        };
        let written = output
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&output, &built.component));
        written.map_err(|error| Failure::io("write the component", "写入组件文件", &error))?;
        let inspection = component.inspection();
        if speech.json {
            speech.json(&json!({ "path": output, "component": inspection }));
        } else {
            speech.out(format_args!(
                "{}  {} KB  sha256 {}",
                output.display(),
                inspection.bytes.div_ceil(1000),
                inspection.digest
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
