//! `ruzhi plan`: shows the changes a sync would make.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::{Each, Need, Opened, configuration, run_asked};
use super::report::Show;
use super::speech::Speech;
use ruzhi_message::Failure;
use ruzhi_sync::{Request, RunOptions};

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
        let (plan, shown) = (Request::Plan(options), (Each::Flow, Show::Plan));
        let config = configuration(dir, Need::Run, speech)?;
        let target = self.target.as_deref();
        if options != RunOptions::default() {
            return run_asked(config, shown, target, speech, plan, options.told("plan")).await;
        }
        let deployment = Opened::of(config, speech).await?;
        Ok(deployment.run_each(shown.0, target, speech, shown.1, plan).await?.code)
    }
}
