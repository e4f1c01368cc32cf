//! `ruzhi apply`: a stored plan, exactly as it was read.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::{self, ConfigurationUse};
use super::printer::Printer;
use super::run_flows::OpenDeployment;
use super::run_output::{OutputMode, RunUnit};
use super::running_server::RunningServer;
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
    /// Release a plan that the guard holds; this plan only
    #[arg(long)]
    approve: bool,
}

impl Apply {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Run, printer)?;
        let store = deployment::store(&config, Access::Beside).await?;
        let found = find(store.as_ref(), &self.plan).await;
        store.close().await;
        let shown = (RunUnit::Flow, OutputMode::Outcome);
        if let (Ok((tenant, flow, plan)), Some(server)) = (&found, RunningServer::find(&config).await) {
            let apply = RunTask::Apply { plan: plan.clone(), approved: self.approve };
            let target = format!("{tenant}/{flow}");
            return Ok(server.run_each(&config, shown, Some(&target), printer, &apply).await?.code);
        }
        let action = if self.approve { AuditAction::PlanApprove } else { AuditAction::PlanApply };
        let asking = match &found {
            Ok((tenant, flow, plan)) => AuditRequest::of(action, tenant, flow).on(plan),
            Err(_) => AuditRequest::plain(action).on(&self.plan),
        };
        let work = async {
            let (tenant, flow, plan) = found.clone()?;
            let deployment = OpenDeployment::of(config.clone(), printer).await?;
            let target = format!("{tenant}/{flow}");
            let apply = RunTask::Apply { plan, approved: self.approve };
            deployment.run_each(shown.0, Some(&target), printer, shown.1, apply).await
        };
        Ok(terminal::recorded_as(&config, asking, work, |ran| ran.outcome.clone()).await?.code)
    }
}
