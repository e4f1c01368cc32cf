//! `ruzhi guest check`: is a component fit to go live?

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::cli::speech::{Failure, Speech};
use crate::guest::{self, Engine, Guest, Library, Limits};

#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// The component
    component: PathBuf,
    /// Its rules file
    #[arg(long)]
    rules: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(&self, speech: &Speech) -> Result<ExitCode, Failure> {
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
