//! `ruzhi revert`: plans to undo a run.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::{ConfigurationUse, configuration, store};
use super::printer::Printer;
use super::run_flows::run_flows;
use super::run_output::{OutputMode, RunUnit};
use ruzhi_message::Report;
use ruzhi_model::{RunId, Text};
use ruzhi_store::Access;
use ruzhi_sync::RunTask;

#[derive(Debug, Args)]
pub(super) struct Revert {
    /// The run's id, as `ruzhi runs` shows it
    run: String,
}

impl Revert {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let unknown = || {
            Report::usage(
                Text::new(format!("there is no run {}", self.run), format!("没有运行 {}", self.run)),
                Text::new("`ruzhi runs` lists the runs", "`ruzhi runs` 会列出各次运行"),
            )
        };
        let id: RunId = self.run.parse().map_err(|_| unknown())?;
        let config = configuration(dir, ConfigurationUse::Run, printer)?;
        let store = store(&config, Access::Beside).await?;
        let found = store.run_find(&id).await;
        store.close().await;
        let found = found?.ok_or_else(unknown)?;
        let target = format!("{}/{}", found.tenant, found.flow);
        let shown = (RunUnit::Flow, OutputMode::Plan);
        run_flows(config, shown, Some(&target), printer, RunTask::Revert(id)).await
    }
}
