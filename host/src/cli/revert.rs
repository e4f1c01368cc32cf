//! `ruzhi revert`: a plan that undoes a run.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::{Each, Opened};
use super::report::Show;
use super::speech::Speech;
use crate::failure::Failure;
use crate::model::{RunId, Text};
use crate::sync::Request;

#[derive(Debug, Args)]
pub(super) struct Revert {
    /// The run's id, as `ruzhi runs` shows it
    run: String,
}

impl Revert {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let unknown = || {
            Failure::usage(
                Text::new(format!("there is no run {}", self.run), format!("没有运行 {}", self.run)),
                Text::new("`ruzhi runs` lists the runs", "`ruzhi runs` 会列出各次运行"),
            )
        };
        let id: RunId = self.run.parse().map_err(|_| unknown())?;
        let deployment = Opened::open(dir, speech).await?;
        let found = deployment.0.store.run(&id).await?.ok_or_else(unknown)?;
        let target = format!("{}/{}", found.tenant, found.flow);
        let revert = Request::Revert(id);
        deployment.run_each(Each::Flow, Some(&target), speech, Show::Plan, revert).await
    }
}
