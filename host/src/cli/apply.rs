//! `ruzhi apply`: a stored plan, exactly as it was read.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::bar::Bar;
use super::deployment::Deployment;
use super::report::{Detail, Reports};
use super::speech::{Failure, Speech};
use crate::model::{PlanId, Text};
use crate::sync::RunError;

#[derive(Debug, Args)]
pub(super) struct Apply {
    /// The plan's id, as `ruzhi plan` or `ruzhi status` shows it
    plan: String,
    /// Release a plan that the guard holds; exactly this one and no other
    #[arg(long)]
    approve: bool,
}

impl Apply {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let id: PlanId = self.plan.parse().map_err(|_| {
            Failure::usage(
                Text::new(
                    format!("`{}` is not a plan's id", self.plan),
                    format!("“{}”不是计划编号", self.plan),
                ),
                Text::new("`ruzhi status` lists the plans that wait", "`ruzhi status` 会列出待处理的计划"),
            )
        })?;
        let mut deployment = Deployment::open(dir, speech).await?;
        let config = deployment.config.clone();
        let found = deployment.store.find_plan(&id).await?;
        let Some((tenant, flow)) = found.first() else {
            return Err(RunError::NoSuchPlan { plan: id }.into());
        };
        let mut reports = Reports::new(speech);
        for (tenant, flow) in config.select(Some(&format!("{tenant}/{flow}")))? {
            let bar = Arc::new(Bar::new(speech));
            let report = deployment.flow(tenant, flow, bar.clone())?.apply(&id, self.approve).await;
            bar.clear();
            reports.add(tenant, report, deployment.store.as_ref(), &|_, _| Detail::None).await;
        }
        deployment.store.close().await;
        Ok(reports.finish())
    }
}
