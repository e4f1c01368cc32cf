//! What people would rather look at than read, as plain series.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::{unless_empty, word_unless_empty};
use crate::failure::Failure;
use crate::model::{FlowId, TenantId};
use crate::serve::Process;

/// How far apart the points are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChartStep {
    /// An hour.
    Hour,
    /// A day, in UTC or, where a tenant is named, in its time zone.
    #[default]
    Day,
}

/// Of what, and how far back.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ChartAsked {
    /// Of this tenant.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// Of this flow.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>)]
    pub flow: Option<FlowId>,
    /// How far apart the points are; a day if not given.
    #[serde(deserialize_with = "word_unless_empty")]
    #[param(inline)]
    pub step: Option<ChartStep>,
    /// How many points, the last of them now; 30 days or 48 hours if not given, 400 at most.
    #[serde(deserialize_with = "unless_empty")]
    pub points: Option<u32>,
}

/// Runs over time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunsChart {
    /// How far apart the points are.
    pub step: ChartStep,
    /// Oldest first, without a gap; the last is not over.
    pub points: Vec<RunsPoint>,
}

/// The runs that began in an hour or a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunsPoint {
    /// When it begins.
    pub at: DateTime<Utc>,
    /// Runs that did all there was to do.
    pub done: u64,
    /// Runs whose plan the guard holds.
    pub held: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs under way.
    pub running: u64,
    /// Members created.
    pub created: u64,
    /// Members changed.
    pub updated: u64,
    /// Members disabled.
    pub disabled: u64,
    /// Members enabled.
    pub enabled: u64,
    /// Members deleted.
    pub deleted: u64,
}

/// Records in quarantine by rule, now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RefusalsChart {
    /// The most frequent first.
    pub rules: Vec<RuleCount>,
    /// Records in quarantine.
    pub records: u64,
}

/// Records that one rule refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleCount {
    /// The rule.
    pub rule: String,
    /// How many records.
    pub records: u64,
    /// A message of one of them, without what is of one person.
    pub example: String,
}

/// Calls against the limits.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CallsChart {
    /// When this was so.
    pub at: DateTime<Utc>,
    /// By corp.
    pub corps: Vec<CorpCalls>,
}

/// Calls of a corp.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CorpCalls {
    /// The corp.
    pub corp: String,
    /// The tenants that write it.
    pub tenants: Vec<TenantId>,
    /// Calls of one API that may be made in any minute.
    pub per_minute: u32,
    /// In any hour.
    pub per_hour: u32,
    /// By API.
    pub apis: Vec<ApiCalls>,
}

/// Calls of one API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiCalls {
    /// The API.
    pub api: String,
    /// Calls in the last minute.
    pub last_minute: u64,
    /// Calls in the last hour.
    pub last_hour: u64,
}

/// Runs over time.
pub async fn runs_chart(process: &Process, asked: &ChartAsked) -> Result<RunsChart, Failure> {
    let _ = (process, asked);
    Err(super::unfinished())
}

/// Records in quarantine by rule.
pub async fn refusals_chart(process: &Process, asked: &ChartAsked) -> Result<RefusalsChart, Failure> {
    let _ = (process, asked);
    Err(super::unfinished())
}

/// Calls against the limits, from the stored runs of the last hour: those of a run are taken as spread evenly over it.
pub async fn calls_chart(process: &Process) -> Result<CallsChart, Failure> {
    let _ = process;
    Err(super::unfinished())
}
