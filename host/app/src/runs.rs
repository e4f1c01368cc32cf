//! Runs and their outcomes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::drift::{self, DriftView};
use super::lookup::no_run;
use super::paging::{MOST, Page, TimeCursor, number, page_size, unless_empty, word_unless_empty};
use crate::app::App;
use crate::live::LiveRun;
use ruzhi_message::Report;
use ruzhi_model::{FlowId, RunId, TenantId};
use ruzhi_store::{ActivationRow, PlanState, RunFilter, RunKind, RunRow, RunState};

/// Filter and page of the runs.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct RunsQuery {
    /// Only this tenant. Tenants removed from the configuration still match; unknown tenants return an empty page.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "id")]
    pub tenant: Option<TenantId>,
    /// Only flows with this id. Flows removed from the configuration still match; unknown ones return an empty page.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "id")]
    pub flow: Option<FlowId>,
    /// Only runs in this state.
    #[serde(deserialize_with = "word_unless_empty")]
    #[param(inline)]
    pub state: Option<RunState>,
    /// Only runs of this kind.
    #[serde(deserialize_with = "word_unless_empty")]
    #[param(inline)]
    pub kind: Option<RunKind>,
    /// The `next_cursor` of the previous page.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "place")]
    pub cursor: Option<TimeCursor<RunId>>,
    /// Page size: 50 by default, at most 500.
    #[serde(deserialize_with = "number::<_, 1, MOST>")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// A run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunView {
    /// The run: counts, calls by API, problem.
    pub run: RunRow,
    /// Its progress while it is under way.
    pub live: Option<LiveRun>,
    /// The state of its plan.
    pub plan_state: Option<PlanState>,
    /// The number of operations in its plan.
    pub operations: Option<u64>,
    /// The activation that made its rules live.
    pub rules: Option<ActivationRow>,
    /// The differences it found, if it is the latest drift check of its tenant.
    pub drift: Option<DriftView>,
    /// It has changed members and may be undone.
    pub may_revert: bool,
    /// Its duration in seconds, up to now if it is under way.
    pub seconds: i64,
    /// The time of this snapshot.
    pub at: DateTime<Utc>,
}

/// Returns the runs, newest first.
pub async fn runs(app: &App, asked: &RunsQuery) -> Result<Page<RunRow>, Report> {
    let most = page_size(asked.limit);
    let wanted = RunFilter {
        tenant: asked.tenant.as_ref(),
        flow: asked.flow.as_ref(),
        state: asked.state,
        kind: asked.kind,
        before: asked.cursor.as_ref().map(|TimeCursor { at, id }| (*at, id)),
        most: most + 1,
    };
    let mut items = app.store.runs_list(&wanted).await?;
    let more = items.len() > most as usize;
    items.truncate(most as usize);
    let place = |last: &RunRow| TimeCursor { at: last.started_at, id: last.id.clone() };
    let next_cursor = items.last().filter(|_| more).map(|last| place(last).to_string());
    Ok(Page { items, next_cursor })
}

/// Returns a run.
pub async fn run(app: &App, run: &RunId) -> Result<RunView, Report> {
    let live = app.live.follow(run).map(|live| live.borrow().as_of(app.clock.now()));
    let row = app.store.run_find(run).await?.ok_or_else(|| no_run(run))?;
    let plan = match &row.plan {
        Some(plan) => app.store.plan_find(&row.tenant, plan).await?,
        None => None,
    };
    let rules = match &row.rules {
        Some(rules) => app.store.activation_find(&row.tenant, &row.flow, rules).await?,
        None => None,
    };
    let at = app.clock.now();
    Ok(RunView {
        live,
        plan_state: plan.as_ref().map(|plan| plan.state),
        operations: plan.as_ref().map(|plan| plan.plan.operations),
        rules,
        drift: match (row.kind, &row.plan) {
            (RunKind::Drift, None) => drift::of_run(app, &row.tenant, &row.id).await?,
            _ => None,
        },
        may_revert: row.ended_at.is_some() && row.kind.writes() && row.counts.operations() > 0,
        seconds: (row.ended_at.unwrap_or(at) - row.started_at).num_seconds().max(0),
        run: row,
        at,
    })
}
