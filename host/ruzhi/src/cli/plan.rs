//! `ruzhi plan`: shows the changes a sync would make.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::{Each, Need, configuration, run_flows};
use super::report::Show;
use super::speech::Speech;
use ruzhi_message::Failure;
use ruzhi_sync::{RunOptions, RunTask};

#[derive(Debug, Args)]
pub(super) struct PlanCommand {
    /// tenant or tenant/flow; every flow if omitted
    target: Option<String>,
    /// Read the whole form, decide every row again, and retry quarantined records
    #[arg(long)]
    full: bool,
    /// Continue even if most of the known rows are missing from the form
    #[arg(long)]
    accept_missing: bool,
}

impl PlanCommand {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let options = RunOptions { full: self.full, accept_missing: self.accept_missing };
        let (plan, shown) = (RunTask::Plan(options), (Each::Flow, Show::Plan));
        let config = configuration(dir, Need::Run, speech)?;
        let target = self.target.as_deref();
        let detail = (options != RunOptions::default()).then(|| options.told("plan"));
        run_flows(config, shown, target, speech, plan, detail).await
    }
}
