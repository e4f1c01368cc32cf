//! `ruzhi plan`: what a sync would do.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::{Each, Opened};
use super::report::Show;
use super::speech::Speech;
use crate::failure::Failure;
use crate::sync::{Request, RunOptions};

#[derive(Debug, Args)]
pub(super) struct PlanCommand {
    /// tenant or tenant/flow; all of them if left out
    target: Option<String>,
    /// Read the whole form, decide every row again, and try quarantined records again
    #[arg(long)]
    full: bool,
    /// Believe the form even if most of the rows known from before are missing
    #[arg(long)]
    accept_missing: bool,
}

impl PlanCommand {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let options = RunOptions { full: self.full, accept_missing: self.accept_missing };
        let deployment = Opened::open(dir, speech).await?;
        let plan = Request::Plan(options);
        deployment.run_each(Each::Flow, self.target.as_deref(), speech, Show::Plan, plan).await
    }
}
