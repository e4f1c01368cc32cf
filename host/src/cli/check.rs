//! `ruzhi check`: is everything as it has to be, before anything is run?

use std::path::Path;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

use clap::Args;
use serde_json::json;

use super::deployment::{self, Need};
use super::speech::Speech;
use crate::config;
use crate::failure::Failure;
use crate::failure::exit;
use crate::guest::Guest;
use crate::model::Text;
use crate::sync::missing_fields;

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
            if self.online {
                problems.extend(online(&config, tenant, flow, guest.as_ref().ok()).await?);
            }
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

/// What the services say of a flow.
async fn online(
    config: &config::Config,
    tenant: &config::Tenant,
    flow: &config::Flow,
    guest: Option<&Guest>,
) -> Result<Vec<Failure>, Failure> {
    let mut problems = Vec::new();
    if let Err(error) = crate::deployment::directory(
        tenant,
        &tenant.wecom.secret,
        crate::deployment::rates(config, tenant),
        CancellationToken::new(),
    )?
    .check()
    .await
    {
        problems.push(
            Failure::new(
                exit::FAILED,
                error.code(),
                Text::new(
                    format!("WeCom does not accept tenant {}", tenant.id),
                    format!("企业微信未接受租户 {}", tenant.id),
                ),
                Some(error.explain()),
            )
            .because(&error),
        );
    }
    let (form, _) = crate::deployment::form(flow)?;
    match crate::deployment::source(tenant)?.widgets(&form).await {
        Err(error) => problems.push(
            Failure::new(
                exit::FAILED,
                error.code(),
                Text::new(
                    format!("JianDaoYun does not show the form of {}/{}", tenant.id, flow.id),
                    format!("无法从简道云读取 {}/{} 的表单", tenant.id, flow.id),
                ),
                Some(error.explain()),
            )
            .because(&error),
        ),
        Ok(widgets) => {
            let described = guest.map(Guest::description);
            let read = described.iter().flat_map(|d| &d.source_fields).map(String::as_str).collect();
            let labels = described.map(|d| d.labels.as_slice()).unwrap_or_default();
            let missing: Vec<String> =
                missing_fields(read, &widgets, labels).into_iter().map(|missing| missing.field).collect();
            if !missing.is_empty() {
                let missing = missing.join(", ");
                problems.push(Failure::new(
                    exit::FAILED,
                    "source.fields",
                    Text::new(
                        format!("the form of {}/{} has no field {missing}", tenant.id, flow.id),
                        format!("{}/{} 的表单中没有字段 {missing}", tenant.id, flow.id),
                    ),
                    Some(Text::new(
                        "a field that was given an alias is known by the alias: correct the rules file",
                        "设置了别名的字段须使用别名：请修改规则文件",
                    )),
                ));
            }
        }
    }
    Ok(problems)
}
