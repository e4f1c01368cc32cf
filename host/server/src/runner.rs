//! Runs the flows the agenda says are due: those of one corp together, so that each plan knows the contents of the
//! others' forms.

use std::sync::Arc;

use tracing::Instrument as _;

use super::process::Process;
use ruzhi_app::deployment::{Deployment, Exchanged};
use ruzhi_app::scheduler::{Ended, Wake};
use ruzhi_message::Failure;
use ruzhi_model::{FlowId, RunId, TenantId};
use ruzhi_plan::Purpose;
use ruzhi_rules::ChangeAuthor;
use ruzhi_store::{RunKind, RunState};
use ruzhi_sync::{FlowRuntime, Report, RunTask};

/// The actor for actions of the process itself.
const ITSELF: &str = "ruzhi serve";

/// A run to make.
pub(super) struct Due {
    /// The tenant.
    pub(super) tenant: TenantId,
    /// The flow.
    pub(super) flow: FlowId,
    /// The kind of run.
    pub(super) request: RunTask,
    /// The person who asked for it.
    pub(super) who: Option<String>,
}

/// The course of a run. `at` is its place in the batch.
pub(super) enum Course {
    /// It has begun.
    Began {
        /// Place in the batch.
        at: usize,
        /// Id of the run.
        run: RunId,
    },
    /// It has ended.
    Ended {
        /// Place in the batch.
        at: usize,
        /// The result.
        ended: Box<Ended>,
    },
}

/// Receives the course of every run.
pub(super) type Tell = Arc<dyn Fn(Course) + Send + Sync>;

/// Runs flows of one corp: all begin before the first of them plans. Reports the course of each.
pub(super) async fn run_together(process: &Process, due: Vec<Due>, tell: &Tell) {
    let deployment = process.app.deployment();
    let mut ready = Vec::with_capacity(due.len());
    for (at, due) in due.into_iter().enumerate() {
        let prepared = prepare(process, &deployment, &due, at, tell).await;
        ready.push((at, due, prepared));
    }
    let mut begun = Vec::with_capacity(ready.len());
    for (at, due, prepared) in &ready {
        begun.push((
            *at,
            due,
            match prepared {
                Ok((flow, exchanged)) => {
                    Ok((flow.begin(due.request.clone()).instrument(span(due)).await, exchanged.clone()))
                }
                Err(failure) => Err(failure.clone()),
            },
        ));
    }
    for (at, due, begun) in begun {
        let ended = match begun {
            Ok((begun, exchanged)) => ended(due, begun.finish().instrument(span(due)).await, exchanged),
            Err(failure) => could_not_run(due, failure),
        };
        if let Some(run) = &ended.run {
            process.app.live.ended(run);
        }
        if is_drift_settled(&ended) {
            // What is left of the differences, and the alarm about them, follow from a new check.
            process.app.scheduler.wake(&ended.tenant, &ended.flow, Wake::Callback);
        }
        tell(Course::Ended { at, ended: Box::new(ended) });
    }
}

async fn prepare(
    process: &Process,
    deployment: &Deployment,
    due: &Due,
    at: usize,
    tell: &Tell,
) -> Result<(FlowRuntime, Exchanged), Failure> {
    let tell = Arc::clone(tell);
    let progress =
        process.app.live.progress(Arc::clone(&process.app.clock), move |run| tell(Course::Began { at, run }));
    let by = ChangeAuthor { who: due.who.clone().unwrap_or_else(|| ITSELF.to_owned()), why: None };
    let (tenant, flow) = deployment.find(&due.tenant, &due.flow)?;
    deployment.flow(tenant, flow, &by, progress).await
}

/// The span of every log line written by a run.
fn span(due: &Due) -> tracing::Span {
    tracing::info_span!("run", tenant.id = due.tenant.as_str(), flow.id = due.flow.as_str())
}

fn ended(due: &Due, report: Report, exchanged: Exchanged) -> Ended {
    let Report { run, plan, findings, notices, error } = report;
    let never_began = run.ended_at.is_none();
    Ended {
        tenant: due.tenant.clone(),
        flow: due.flow.clone(),
        run: Some(run).filter(|_| !never_began),
        plan,
        exchanged,
        findings: findings.len(),
        notices,
        blocked: error.as_ref().is_some_and(ruzhi_sync::RunError::blocks),
        failure: error.map(Failure::from),
    }
}

/// True if the run has carried out a plan that settles changes made by hand.
fn is_drift_settled(ended: &Ended) -> bool {
    let is_done =
        ended.run.as_ref().is_some_and(|run| run.kind == RunKind::Apply && run.state == RunState::Done);
    is_done && ended.plan.as_ref().is_some_and(|plan| matches!(plan.purpose, Purpose::Drift { .. }))
}

fn could_not_run(due: &Due, failure: Failure) -> Ended {
    Ended {
        tenant: due.tenant.clone(),
        flow: due.flow.clone(),
        run: None,
        plan: None,
        exchanged: Exchanged::default(),
        findings: 0,
        notices: Vec::new(),
        blocked: false,
        failure: Some(failure),
    }
}
