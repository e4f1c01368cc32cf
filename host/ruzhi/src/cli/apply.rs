//! `ruzhi apply`: a stored plan, exactly as it was read.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::{self, ConfigurationUse};
use super::printer::Printer;
use super::run_flows::run_flows;
use super::run_output::{OutputMode, RunUnit};
use super::show::find;
use super::terminal;
use ruzhi_app::audit::AuditRequest;
use ruzhi_message::Report;
use ruzhi_store::{Access, AuditAction};
use ruzhi_sync::RunTask;

#[derive(Debug, Args)]
pub(super) struct Apply {
    /// The plan's id or its whole hash, as `ruzhi plan` or `ruzhi status` shows it
    plan: String,
    /// Approve the plan although the guard holds it or it was rejected; this plan only
    #[arg(long)]
    approve: bool,
}

impl Apply {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Run, printer)?;
        let store = deployment::store(&config, Access::Beside).await?;
        let found = find(store.as_ref(), &self.plan).await;
        store.close().await;
        let (tenant, flow, plan) = match found {
            Ok(found) => found,
            Err(failure) => {
                let action = if self.approve { AuditAction::PlanApprove } else { AuditAction::PlanApply };
                let asking = AuditRequest::plain(action).on(&self.plan);
                return terminal::recorded(&config, asking, async { Err(failure) }).await;
            }
        };
        let (shown, target) = ((RunUnit::Flow, OutputMode::Outcome), format!("{tenant}/{flow}"));
        let apply = RunTask::Apply { plan, approved: self.approve };
        run_flows(config, shown, Some(&target), printer, apply).await
    }
}
