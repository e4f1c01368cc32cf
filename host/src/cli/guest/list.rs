//! `ruzhi guest list`: the components of a deployment.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::cli::deployment::{self, Need};
use crate::cli::exit;
use crate::cli::speech::{Failure, Speech};

#[derive(Debug, Args)]
pub(in crate::cli) struct List {}

impl List {
    pub(super) fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
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
        Ok(if failed { ExitCode::from(exit::USAGE) } else { ExitCode::SUCCESS })
    }
}
