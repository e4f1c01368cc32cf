//! `ruzhi guest`: build, check and list components.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::deployment::{self, Need};
use super::speech::{Failure, Speech};
use crate::guest::{self, Component, Engine, Guest, Library, Limits, Toolchain};

#[derive(Debug, Subcommand)]
pub(super) enum GuestCommand {
    /// Make a component from a Rust guest · 构建
    Build(Build),
    /// Is a component fit to go live, and does it accept a rules file? · 检查
    Check(Check),
    /// The components of this deployment · 列出
    List(List),
}

#[derive(Debug, Args)]
pub(super) struct Build {
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

#[derive(Debug, Args)]
pub(super) struct Check {
    /// The component
    component: PathBuf,
    /// Its rules file
    #[arg(long)]
    rules: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct List {}

impl GuestCommand {
    pub(super) fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        match self {
            Self::Build(command) => command.run(speech),
            Self::Check(command) => command.run(speech),
            Self::List(_) => list(dir, speech),
        }
    }
}

impl Build {
    fn run(&self, speech: &Speech) -> Result<ExitCode, Failure> {
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
            None => self.folder.join(format!("{}.wasm", built.package)),
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

impl Check {
    fn run(&self, speech: &Speech) -> Result<ExitCode, Failure> {
        let engine = Engine::new(Limits::default())?;
        let component = Library::new(engine, None).load(&self.component, None)?;
        let guest = Guest::with_rules_file(component.clone(), self.rules.as_deref());
        // Without a rules file many guests refuse to describe themselves; the component is sound all the same.
        let described = match guest {
            Ok(guest) => Some(guest.description().clone()),
            Err(guest::LoadError::Configuration { .. }) if self.rules.is_none() => None,
            Err(error) => return Err(error.into()),
        };
        let inspection = component.inspection();
        if speech.json {
            speech.json(&json!({ "component": inspection, "description": described }));
            return Ok(ExitCode::SUCCESS);
        }
        speech.out(format_args!("{}  {}", self.component.display(), speech.say("ok", "正常")));
        speech.out(format_args!("  sha256 {}", inspection.digest));
        speech.out(format_args!(
            "  {} KB, {} {}",
            inspection.bytes.div_ceil(1000),
            speech.say("contract", "契约"),
            inspection.built_for.as_deref().unwrap_or("0.1")
        ));
        speech.out(format_args!(
            "  {}",
            speech.say("imports nothing that can be called", "不导入任何可调用的接口")
        ));
        match described {
            Some(described) => {
                speech.out(format_args!("  {} {}", described.name, described.version));
                speech.out(format_args!(
                    "  {}: {}",
                    speech.say("reads", "读取字段"),
                    described.source_fields.join(", ")
                ));
            }
            None => speech.out(format_args!(
                "  {}",
                speech.say("wants a rules file: add `--rules FILE`", "需要规则文件：请加上 `--rules 文件`")
            )),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list(dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
    let config = deployment::configuration(dir, Need::Read, speech)?;
    let library = deployment::library(&config, speech)?;
    let mut values = Vec::new();
    let mut failed = false;
    for (tenant, flow) in config.select(None)? {
        let guest = deployment::guest(&library, flow);
        let value = match &guest {
            Ok(guest) => json!({
                "tenant": tenant.id,
                "flow": flow.id,
                "path": flow.guest.component,
                "rules": guest.rules(),
                "component": guest.component().inspection(),
                "description": guest.description(),
            }),
            Err(failure) => json!({
                "tenant": tenant.id,
                "flow": flow.id,
                "path": flow.guest.component,
                "error": speech.failure_value(failure),
            }),
        };
        values.push(value);
        failed |= guest.is_err();
        if speech.json {
            continue;
        }
        match &guest {
            Ok(guest) => speech.out(format_args!(
                "{}/{}  {} {}  {}  {}",
                tenant.id,
                flow.id,
                guest.description().name,
                guest.description().version,
                guest.component().inspection().digest.short(),
                flow.guest.component.display()
            )),
            Err(failure) => {
                speech.out(format_args!("{}/{}  {}", tenant.id, flow.id, flow.guest.component.display()));
                speech.explain(failure);
            }
        }
    }
    if speech.json {
        speech.json(&values);
    }
    Ok(if failed { ExitCode::from(super::exit::USAGE) } else { ExitCode::SUCCESS })
}
