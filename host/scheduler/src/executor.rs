//! Runs the flows that are due: those of one corp together, so that each plan knows the contents of the others' forms.

use std::sync::Arc;

use tracing::Instrument as _;

use ruzhi_app::App;
use ruzhi_app::deployment::{Deployment, RulesExchange};
use ruzhi_app::scheduler::{RunFailure, RunResult, Wake};
use ruzhi_message::Report;
use ruzhi_model::{FlowId, RunId, TenantId};
use ruzhi_plan::Purpose;
use ruzhi_rules::ChangeAuthor;
use ruzhi_store::{RunCause, RunKind, RunState};
use ruzhi_sync::{FlowRuntime, RunReport, RunTask};

/// The actor for actions of the process itself.
const ITSELF: &str = "ruzhi serve";

/// A run to make.
pub(crate) struct RunOrder {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The flow.
    pub(crate) flow: FlowId,
    /// The kind of run.
    pub(crate) request: RunTask,
    /// Its cause.
    pub(crate) cause: RunCause,
    /// The person who asked for it.
    pub(crate) who: Option<String>,
}

/// An event of a run. `at` is its place in the batch.
pub(crate) enum RunEvent {
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
        ended: Box<RunResult>,
    },
}

/// Receives the events of every run.
pub(crate) type EventSink = Arc<dyn Fn(RunEvent) + Send + Sync>;

/// Runs flows of one corp: all begin before the first of them plans. Reports the events of each.
pub(crate) async fn run_together(app: &Arc<App>, due: Vec<RunOrder>, sink: &EventSink) {
    let deployment = app.deployment();
    let mut ready = Vec::with_capacity(due.len());
    for (at, due) in due.into_iter().enumerate() {
        let prepared = prepare(app, &deployment, &due, at, sink).await;
        ready.push((at, due, prepared));
    }
    let mut begun = Vec::with_capacity(ready.len());
    for (at, due, prepared) in &ready {
        begun.push((
            *at,
            due,
            match prepared {
                Ok((flow, exchanged)) => Ok((
                    flow.begin(due.request.clone(), due.cause).instrument(span(due)).await,
                    exchanged.clone(),
                )),
                Err(report) => Err(report.clone()),
            },
        ));
    }
    for (at, due, begun) in begun {
        let ended = match begun {
            Ok((begun, exchanged)) => ended(due, begun.finish().instrument(span(due)).await, exchanged),
            Err(report) => could_not_run(due, report),
        };
        if let Some(run) = &ended.run {
            app.live.ended(run);
        }
        if is_drift_settled(&ended) {
            // The directory may have changed since the plan was made.
            app.scheduler.wake(&ended.tenant, &ended.flow, Wake::Callback);
        }
        sink(RunEvent::Ended { at, ended: Box::new(ended) });
    }
}

async fn prepare(
    app: &Arc<App>,
    deployment: &Deployment,
    due: &RunOrder,
    at: usize,
    sink: &EventSink,
) -> Result<(FlowRuntime, RulesExchange), Report> {
    let sink = Arc::clone(sink);
    let progress = app.live.progress(Arc::clone(&app.clock), move |run| sink(RunEvent::Began { at, run }));
    let by = ChangeAuthor { who: due.who.clone().unwrap_or_else(|| ITSELF.to_owned()), why: None };
    let (tenant, flow) = deployment.find(&due.tenant, &due.flow)?;
    deployment.flow(tenant, flow, &by, progress).await
}

/// The span of every log line written by a run.
fn span(due: &RunOrder) -> tracing::Span {
    tracing::info_span!("run", tenant.id = due.tenant.as_str(), flow.id = due.flow.as_str())
}

fn ended(due: &RunOrder, report: RunReport, exchanged: RulesExchange) -> RunResult {
    let RunReport { run, plan, notices, error, .. } = report;
    let never_began = run.ended_at.is_none();
    RunResult {
        tenant: due.tenant.clone(),
        flow: due.flow.clone(),
        run: Some(run).filter(|_| !never_began),
        plan,
        exchanged,
        notices,
        failure: error.map(RunFailure::from),
    }
}

/// True if the run has carried out a plan that settles changes made by hand.
fn is_drift_settled(ended: &RunResult) -> bool {
    let is_done =
        ended.run.as_ref().is_some_and(|run| run.kind == RunKind::Apply && run.state == RunState::Done);
    is_done && ended.plan.as_ref().is_some_and(|plan| matches!(plan.purpose, Purpose::Drift { .. }))
}

fn could_not_run(due: &RunOrder, report: Report) -> RunResult {
    RunResult {
        tenant: due.tenant.clone(),
        flow: due.flow.clone(),
        run: None,
        plan: None,
        exchanged: RulesExchange::default(),
        notices: Vec::new(),
        failure: Some(report.into()),
    }
}
