//! `ruzhi drift`: compares the directory with the ledger.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::{ConfigurationUse, configuration};
use super::printer::Printer;
use super::run_flows::run_flows;
use super::run_output::{OutputMode, RunUnit};
use ruzhi_message::Report;
use ruzhi_plan::DriftResolution;
use ruzhi_sync::RunTask;

#[derive(Debug, Args)]
pub(super) struct Drift {
    /// tenant; every tenant if omitted
    target: Option<String>,
    /// Plan to accept the directory as it is
    #[arg(long, group = "settle")]
    keep: bool,
    /// Plan to write the ledger back to the directory
    #[arg(long, group = "settle")]
    overwrite: bool,
    /// Plan to adopt members that a record names and ruzhi does not own
    #[arg(long, group = "settle")]
    adopt: bool,
}

impl Drift {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let settle = match (self.keep, self.overwrite, self.adopt) {
            (true, ..) => Some(DriftResolution::Keep),
            (_, true, _) => Some(DriftResolution::Overwrite),
            (_, _, true) => Some(DriftResolution::Adopt),
            _ => None,
        };
        let output = if settle.is_some() { OutputMode::Plan } else { OutputMode::Findings };
        let config = configuration(dir, ConfigurationUse::Run, printer)?;
        let (shown, target) = ((RunUnit::Tenant, output), self.target.as_deref());
        run_flows(config, shown, target, printer, RunTask::Drift(settle)).await
    }
}
