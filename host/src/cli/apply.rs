//! `ruzhi apply`: a stored plan, exactly as it was read.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::deployment::Deployment;
use super::report::Detail;
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
        let deployment = Deployment::open(dir, speech).await?;
        let found = deployment.store.find_plan(&id).await?;
        let Some((tenant, flow)) = found.first() else {
            return Err(RunError::NoSuchPlan { plan: id }.into());
        };
        deployment
            .run_each(
                Some(&format!("{tenant}/{flow}")),
                speech,
                async |flow| flow.apply(&id, self.approve).await,
                &|_, _| Detail::None,
            )
            .await
    }
}
