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
        let (settle, detail) = match (self.keep, self.overwrite, self.adopt) {
            (true, ..) => (DriftResolution::Keep, "drift keep"),
            (_, true, _) => (DriftResolution::Overwrite, "drift overwrite"),
            (_, _, true) => (DriftResolution::Adopt, "drift adopt"),
            _ => {
                let config = configuration(dir, ConfigurationUse::Run, printer)?;
                let (target, look) = (self.target.as_deref(), RunTask::Drift(None));
                return run_flows(
                    config,
                    (RunUnit::Tenant, OutputMode::Findings),
                    target,
                    printer,
                    look,
                    None,
                )
                .await;
            }
        };
        let config = configuration(dir, ConfigurationUse::Run, printer)?;
        let (shown, drift) = ((RunUnit::Tenant, OutputMode::Plan), RunTask::Drift(Some(settle)));
        run_flows(config, shown, self.target.as_deref(), printer, drift, Some(detail.to_owned())).await
    }
}
