//! `ruzhi sync`: plan, and apply if the guard lets it pass.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::bar::Bar;
use super::deployment::Deployment;
use super::report::{Detail, Reports};
use super::speech::{Failure, Speech};
use crate::sync::RunOptions;

#[derive(Debug, Args)]
pub(super) struct Sync {
    /// tenant or tenant/flow; all of them if left out
    target: Option<String>,
    /// Read the whole form, decide every row again, and try quarantined records again
    #[arg(long)]
    full: bool,
}

impl Sync {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let mut deployment = Deployment::open(dir, speech).await?;
        let config = deployment.config.clone();
        let mut reports = Reports::new(speech);
        for (tenant, flow) in config.select(self.target.as_deref())? {
            let bar = Arc::new(Bar::new(speech));
            let report = match deployment.flow(tenant, flow, bar.clone()) {
                Ok(flow) => flow.sync(RunOptions { full: self.full }).await,
                Err(failure) => {
                    bar.clear();
                    reports.refuse(tenant, flow, failure);
                    continue;
                }
            };
            bar.clear();
            reports.add(tenant, report, deployment.store.as_ref(), &|_, _| Detail::None).await;
        }
        deployment.store.close().await;
        Ok(reports.finish())
    }
}
