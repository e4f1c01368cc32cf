//! `ruzhi rules confirm`: allows rules again that were set aside because a process ended on their first use.

use std::path::Path;
use std::process::ExitCode;

use chrono::SecondsFormat;
use clap::Args;
use serde_json::json;

use super::arguments::only_flow;
use crate::cli::deployment::{self, ConfigurationUse};
use crate::cli::printer::Printer;
use crate::cli::terminal;
use ruzhi_app::audit::AuditRequest;
use ruzhi_message::{Report, exit};
use ruzhi_model::Text;
use ruzhi_store::{Access, AuditAction, Database, FirstUse};

#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// tenant or tenant/flow
    target: String,
    /// Reason for the audit log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Confirm {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let (tenant, flow) = only_flow(&config, &self.target)?;
        let store = deployment::store(&config, Access::Beside).await?;
        let set_aside = store.first_uses_list_quarantined(&tenant.id, &flow.id).await?;
        if set_aside.is_empty() {
            return Err(Report::new(
                exit::FAILED,
                "guest.none-quarantined",
                Text::new(
                    format!("no rules of {}/{} are set aside", tenant.id, flow.id),
                    format!("{}/{} 没有被搁置的规则", tenant.id, flow.id),
                ),
                Some(Text::new(
                    "`ruzhi rules list` shows which rules are live",
                    "`ruzhi rules list` 显示现行规则",
                )),
            ));
        }
        let asking = AuditRequest::of(AuditAction::RulesConfirm, &tenant.id, &flow.id)
            .with_detail(self.reason.clone());
        let forgotten = forgotten(store.as_ref(), &set_aside);
        let done = terminal::recorded(&config, asking, forgotten).await;
        store.close().await;
        done?;
        if printer.json {
            let rules: Vec<_> = set_aside.iter().map(|set_aside| &set_aside.rules).collect();
            printer.json(&json!({ "tenant": tenant.id, "flow": flow.id, "rules": rules }));
            return Ok(ExitCode::SUCCESS);
        }
        for FirstUse { rules, at, .. } in &set_aside {
            let since = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            printer.out(format_args!(
                "{}/{}  {rules}  {} {since}",
                tenant.id,
                flow.id,
                printer.text("set aside since", "搁置于")
            ));
        }
        printer.note(printer.text("the next run tries them again", "下次运行会再次试用"));
        Ok(ExitCode::SUCCESS)
    }
}

async fn forgotten(store: &Database, set_aside: &[FirstUse]) -> Result<(), Report> {
    for first_use in set_aside {
        store.first_use_delete(&first_use.rules).await?;
    }
    Ok(())
}
