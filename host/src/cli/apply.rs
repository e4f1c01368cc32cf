//! `ruzhi apply`: a stored plan, exactly as it was read.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::{Each, Opened};
use super::report::Show;
use super::show::find;
use super::speech::Speech;
use crate::failure::Failure;
use crate::sync::Request;

#[derive(Debug, Args)]
pub(super) struct Apply {
    /// The plan's id or its whole hash, as `ruzhi plan` or `ruzhi status` shows it
    plan: String,
    /// Release a plan that the guard holds; exactly this one and no other
    #[arg(long)]
    approve: bool,
}

impl Apply {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let deployment = Opened::open(dir, speech).await?;
        let (tenant, flow, id) = find(deployment.0.store.as_ref(), &self.plan).await?;
        let target = format!("{tenant}/{flow}");
        let apply = Request::Apply { plan: id, approved: self.approve };
        deployment.run_each(Each::Flow, Some(&target), speech, Show::Outcome, apply).await
    }
}
