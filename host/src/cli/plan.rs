//! `ruzhi plan`: what a sync would do.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::bar::Bar;
use super::deployment::Deployment;
use super::report::{Detail, Reports};
use super::speech::{Failure, Speech};
use crate::plan::{Plan, masked, render};
use crate::sync::RunOptions;

#[derive(Debug, Args)]
pub(super) struct PlanCommand {
    /// tenant or tenant/flow; all of them if left out
    target: Option<String>,
    /// Read the whole form, decide every row again, and try quarantined records again
    #[arg(long)]
    full: bool,
}

impl PlanCommand {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let mut deployment = Deployment::open(dir, speech).await?;
        let config = deployment.config.clone();
        let mut reports = Reports::new(speech);
        for (tenant, flow) in config.select(self.target.as_deref())? {
            let bar = Arc::new(Bar::new(speech));
            let report = match deployment.flow(tenant, flow, bar.clone()) {
                Ok(flow) => flow.plan(RunOptions { full: self.full }).await,
                Err(failure) => {
                    bar.clear();
                    reports.refuse(tenant, flow, failure);
                    continue;
                }
            };
            bar.clear();
            let show = |plan: &Plan, labels: &BTreeMap<String, String>| shown(speech, plan, labels);
            reports.add(tenant, report, deployment.store.as_ref(), &show).await;
        }
        deployment.store.close().await;
        Ok(reports.finish())
    }
}

/// A plan as the command shows it; nobody's number can be read in it.
fn shown(speech: &Speech, plan: &Plan, labels: &BTreeMap<String, String>) -> Detail {
    if !speech.json {
        let label = |field: &str| labels.get(field).cloned().unwrap_or_else(|| field.to_owned());
        return Detail::Text(render(plan, speech.lang, &label));
    }
    let operations: Vec<_> = plan
        .operations
        .iter()
        .map(|operation| {
            json!({
                "kind": operation.kind,
                "userid": operation.userid,
                "flow": operation.flow,
                "record": operation.record,
                "wave": operation.wave,
                "changes": operation.changes().collect::<Vec<_>>(),
                "body": masked(&operation.body),
            })
        })
        .collect();
    Detail::Json(json!(operations))
}
