//! `ruzhi plan`: what a sync would do.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::deployment::Deployment;
use super::report::Detail;
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
    /// Believe the form even if most of the rows known from before are missing
    #[arg(long)]
    accept_missing: bool,
}

impl PlanCommand {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        let options = RunOptions { full: self.full, accept_missing: self.accept_missing };
        let deployment = Deployment::open(dir, speech).await?;
        deployment
            .run_each(
                self.target.as_deref(),
                speech,
                async |flow| flow.plan(options).await,
                &|plan, labels| shown(speech, plan, labels),
            )
            .await
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
