//! `ruzhi check`: is everything as it has to be, before anything is run?

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::deployment;
use super::online;
use super::speech::Speech;
use crate::config::{Checks, Config, ProcessEnvironment};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct Check {
    /// tenant or tenant/flow; all of them if left out
    target: Option<String>,
    /// Ask both services too: key, secret, trusted address, the form's fields
    #[arg(long)]
    online: bool,
}

impl Check {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let checks = Checks::all(crate::deployment::check_filter);
        let (config, wrong) = Config::usable(dir, &ProcessEnvironment, &checks);
        let config = match config {
            Some(config) => config,
            None => return Err(wrong.unwrap_or_default().into()),
        };
        let chosen = config.select_usable(self.target.as_deref(), wrong.as_ref())?;
        let library = deployment::library(&config, speech)?;
        let wrong = wrong.map(Failure::from);
        match &wrong {
            Some(failure) => speech.explain(failure),
            None => deployment::warn(&config, speech),
        }
        let mut failures = Vec::new();
        let mut flows = Vec::new();
        for (tenant, flow) in chosen {
            let mut problems = Vec::new();
            let guest = crate::deployment::guest(&library, flow);
            let mut widgets = None;
            if self.online {
                problems.extend(online::directory(&config, tenant).await.err());
                match online::widgets(tenant, flow).await {
                    Ok(found) => {
                        problems.extend(online::missing(tenant, flow, guest.as_ref().ok(), &found));
                        widgets = Some(found);
                    }
                    Err(failure) => problems.push(failure),
                }
            }
            problems.extend(online::write_back(flow, guest.as_ref().ok(), widgets.as_deref()));
            let described = match guest {
                Ok(guest) => Some(guest.description().clone()),
                Err(failure) => {
                    problems.push(failure);
                    None
                }
            };
            flows.push(json!({
                "tenant": tenant.id,
                "flow": flow.id,
                "guest": described,
                "problems": problems.iter().map(|p| speech.failure_value(p)).collect::<Vec<_>>(),
            }));
            if !speech.json {
                speech.out(format_args!(
                    "{}/{}  {}",
                    tenant.id,
                    flow.id,
                    if problems.is_empty() {
                        speech.say("ok", "正常")
                    } else {
                        speech.say("not ready", "未就绪")
                    }
                ));
                if let Some(guest) = described {
                    speech.out(format_args!(
                        "  {} {} {}",
                        speech.say("guest", "规则组件"),
                        guest.name,
                        guest.version
                    ));
                    speech.out(format_args!(
                        "  {}: {}",
                        speech.say("reads", "读取字段"),
                        guest.source_fields.join(", ")
                    ));
                }
            }
            for problem in &problems {
                speech.explain(problem);
            }
            failures.extend(problems);
        }
        if speech.json {
            let mut value = json!({ "ok": wrong.is_none() && failures.is_empty(), "flows": flows });
            if let (Some(failure), Some(object)) = (&wrong, value.as_object_mut()) {
                object.insert("error".to_owned(), speech.failure_value(failure));
            }
            speech.json(&value);
        }
        failures.extend(wrong);
        Ok(match failures.iter().map(Failure::exit).min() {
            None => ExitCode::SUCCESS,
            Some(code) => ExitCode::from(code),
        })
    }
}
