//! `ruzhi drift`: the directory against the ledger.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::{Each, Opened};
use super::report::Show;
use super::speech::Speech;
use crate::failure::Failure;
use crate::plan::DriftSettle;
use crate::sync::Request;

#[derive(Debug, Args)]
pub(super) struct Drift {
    /// tenant; all of them if left out
    target: Option<String>,
    /// Plan to let the directory stand as it is
    #[arg(long, group = "settle")]
    keep: bool,
    /// Plan to write the ledger to the directory again
    #[arg(long, group = "settle")]
    overwrite: bool,
    /// Plan to take over members that a record names and ruzhi does not own
    #[arg(long, group = "settle")]
    adopt: bool,
}

impl Drift {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let settle = match (self.keep, self.overwrite, self.adopt) {
            (true, ..) => Some(DriftSettle::Keep),
            (_, true, _) => Some(DriftSettle::Overwrite),
            (_, _, true) => Some(DriftSettle::Adopt),
            _ => None,
        };
        let show = if settle.is_some() { Show::Plan } else { Show::Findings };
        let deployment = Opened::open(dir, speech).await?;
        let drift = Request::Drift(settle);
        deployment.run_each(Each::Tenant, self.target.as_deref(), speech, show, drift).await
    }
}
