//! `ruzhi adopt`: take over members who were in the directory before ruzhi.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::deployment::{Each, Opened};
use super::report::Show;
use super::speech::Speech;
use crate::failure::Failure;
use crate::plan::AdoptBy;
use crate::sync::Request;

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Userid,
    Mobile,
}

#[derive(Debug, Args)]
pub(super) struct Adopt {
    /// tenant or tenant/flow
    target: String,
    /// How members are recognised; by either if left out
    #[arg(long)]
    by: Option<By>,
}

impl Adopt {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let by = match self.by {
            None => AdoptBy::Either,
            Some(By::Userid) => AdoptBy::Userid,
            Some(By::Mobile) => AdoptBy::Mobile,
        };
        let deployment = Opened::open(dir, speech).await?;
        let adopt = Request::Adopt(by);
        deployment.run_each(Each::Flow, Some(&self.target), speech, Show::Plan, adopt).await
    }
}
