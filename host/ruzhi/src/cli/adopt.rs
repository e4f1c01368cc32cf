//! `ruzhi adopt`: takes over members who were in the directory before ruzhi.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::deployment::{ConfigurationUse, configuration};
use super::printer::Printer;
use super::run_flows::run_flows;
use super::run_output::{OutputMode, RunUnit};
use ruzhi_message::Report;
use ruzhi_plan::AdoptBy;
use ruzhi_sync::RunTask;

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AdoptKey {
    Userid,
    Mobile,
}

#[derive(Debug, Args)]
pub(super) struct Adopt {
    /// tenant or tenant/flow
    target: String,
    /// Match members by this; by either if omitted
    #[arg(long)]
    by: Option<AdoptKey>,
}

impl Adopt {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let by = match self.by {
            None => AdoptBy::Either,
            Some(AdoptKey::Userid) => AdoptBy::Userid,
            Some(AdoptKey::Mobile) => AdoptBy::Mobile,
        };
        let config = configuration(dir, ConfigurationUse::Run, printer)?;
        let (shown, adopt) = ((RunUnit::Flow, OutputMode::Plan), RunTask::Adopt(by));
        run_flows(config, shown, Some(&self.target), printer, adopt).await
    }
}
