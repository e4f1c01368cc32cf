//! `ruzhi adopt`: takes over members who were in the directory before ruzhi.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::deployment::{Each, Need, configuration, run_flows};
use super::report::Show;
use super::speech::Speech;
use ruzhi_message::Failure;
use ruzhi_plan::AdoptBy;
use ruzhi_sync::RunTask;

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Userid,
    Mobile,
}

#[derive(Debug, Args)]
pub(super) struct Adopt {
    /// tenant or tenant/flow
    target: String,
    /// Match members by this; by either if omitted
    #[arg(long)]
    by: Option<By>,
}

impl Adopt {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let (by, detail) = match self.by {
            None => (AdoptBy::Either, "adopt"),
            Some(By::Userid) => (AdoptBy::Userid, "adopt by userid"),
            Some(By::Mobile) => (AdoptBy::Mobile, "adopt by mobile"),
        };
        let config = configuration(dir, Need::Run, speech)?;
        let (shown, adopt) = ((Each::Flow, Show::Plan), RunTask::Adopt(by));
        run_flows(config, shown, Some(&self.target), speech, adopt, Some(detail.to_owned())).await
    }
}
