//! `ruzhi check`: is everything as it has to be, before anything is run?

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::deployment::{self, Need};
use super::online;
use super::speech::Speech;
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
        let config = deployment::configuration(dir, Need::Check, speech)?;
        let library = deployment::library(&config, speech)?;
        let mut failures = Vec::new();
        let mut flows = Vec::new();
        for (tenant, flow) in config.select(self.target.as_deref())? {
            let mut problems = Vec::new();
            let guest = crate::deployment::guest(&library, flow);
            let mut widgets = None;
            if self.online {
                problems.extend(online::directory(&config, tenant).await?);
                match online::widgets(tenant, flow).await? {
                    Ok(found) => {
                        problems.extend(online::missing(tenant, flow, guest.as_ref().ok(), &found));
                        widgets = Some(found);
                    }
                    Err(failure) => problems.push(failure),
                }
            }
            problems.extend(online::write_back(flow, guest.as_ref().ok(), widgets.as_deref())?);
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
            speech.json(&json!({ "ok": failures.is_empty(), "flows": flows }));
        }
        Ok(match failures.iter().map(Failure::exit).min() {
            None => ExitCode::SUCCESS,
            Some(code) => ExitCode::from(code),
        })
    }
}
