//! `ruzhi sync`: plans, and applies the plan if the guard lets it pass.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::{ConfigurationUse, configuration};
use super::printer::Printer;
use super::run_flows::run_flows;
use super::run_output::{OutputMode, RunUnit};
use ruzhi_message::Report;
use ruzhi_sync::{RunOptions, RunTask};

#[derive(Debug, Args)]
pub(super) struct Sync {
    /// tenant or tenant/flow; every flow if omitted
    target: Option<String>,
    /// Read the whole form, decide every row again, and retry quarantined records
    #[arg(long)]
    full: bool,
    /// Continue even if most of the known rows are missing from the form
    #[arg(long)]
    accept_missing: bool,
}

impl Sync {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let options = RunOptions { full: self.full, accept_missing: self.accept_missing };
        let (sync, shown) = (RunTask::Sync(options), (RunUnit::Flow, OutputMode::Outcome));
        let config = configuration(dir, ConfigurationUse::Run, printer)?;
        let target = self.target.as_deref();
        run_flows(config, shown, target, printer, sync).await
    }
}
