//! Runs: what was done, when, and with which outcome.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::{Page, unless_empty, word_unless_empty};
use crate::failure::Failure;
use crate::model::{FlowId, RunId, TenantId};
use crate::serve::{LiveRun, Process};
use crate::store::{ActivationRow, PlanState, RunKind, RunRow, RunState};

/// Which runs.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct RunsAsked {
    /// Of this tenant.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// Of this flow.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>)]
    pub flow: Option<FlowId>,
    /// In this state.
    #[serde(deserialize_with = "word_unless_empty")]
    #[param(inline)]
    pub state: Option<RunState>,
    /// Of this kind.
    #[serde(deserialize_with = "word_unless_empty")]
    #[param(inline)]
    pub kind: Option<RunKind>,
    /// The `next` of the part before.
    #[serde(deserialize_with = "unless_empty")]
    pub after: Option<String>,
    /// How many, 50 if not given, 500 at most.
    #[serde(deserialize_with = "unless_empty")]
    pub most: Option<u32>,
}

/// A run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunView {
    /// The run: counts, calls by API, what went wrong.
    pub run: RunRow,
    /// How far it has come, while it is under way.
    pub live: Option<LiveRun>,
    /// How its plan stands.
    pub plan_state: Option<PlanState>,
    /// Operations of its plan.
    pub operations: Option<u64>,
    /// The rules it decided by: the activation that made them live.
    pub rules: Option<ActivationRow>,
    /// Seconds it took, or has taken so far.
    pub seconds: i64,
    /// When this was so.
    pub at: DateTime<Utc>,
}

/// The runs, newest first.
pub async fn runs(process: &Process, asked: &RunsAsked) -> Result<Page<RunRow>, Failure> {
    let _ = (process, asked);
    Err(super::unfinished())
}

/// A run.
pub async fn run(process: &Process, run: &RunId) -> Result<RunView, Failure> {
    let _ = (process, run);
    Err(super::unfinished())
}
