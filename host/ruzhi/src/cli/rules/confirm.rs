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
use ruzhi_app::ActionReason;
use ruzhi_message::Report;
use ruzhi_store::FirstUse;

#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// tenant or tenant/flow
    target: String,
    /// Reason for the audit log
    #[arg(long, value_name = "TEXT")]
    reason: Option<ActionReason>,
}

impl Confirm {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let (tenant, flow) = only_flow(&config, &self.target)?;
        let app = terminal::app(&config, deployment::no_components()?).await?;
        let (principal, reason) = (terminal::principal(printer), self.reason.as_ref());
        let allowed = ruzhi_app::confirm_rules(&app, &principal, &tenant.id, &flow.id, reason).await;
        app.store.close().await;
        let set_aside = allowed?;
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
