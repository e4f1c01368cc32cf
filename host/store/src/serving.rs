//! The rows a long-running process keeps in the store.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use ruzhi_model::{FlowId, TenantId, Text};

/// A person stopped a flow until they start it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Paused {
    /// The person.
    pub who: String,
    /// The time.
    pub at: DateTime<Utc>,
    /// Their reason.
    pub why: Option<String>,
}

/// A service denies a flow's credential, address or permission: it is not called again until a person acts or the
/// settings change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Blocked {
    /// The code of the denial.
    pub code: String,
    /// The failure and its subject.
    pub text: Text,
    /// The next step for the reader.
    pub hint: Option<Text>,
    /// The time.
    pub at: DateTime<Utc>,
    /// Digest of the denied settings, with a salt.
    pub settings: String,
}

/// The standing of a flow in the schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The last scheduled moment that was handled.
    pub reached: Option<DateTime<Utc>>,
    /// Consecutive failed runs.
    pub failures: u32,
    /// The time the last of them ended.
    pub failed_at: Option<DateTime<Utc>>,
    /// A person stopped it.
    pub paused: Option<Paused>,
    /// A service denies it access.
    pub blocked: Option<Blocked>,
}

/// The reason a service woke a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WakeKind {
    /// The form was changed.
    Push,
    /// The directory was changed from outside.
    Callback,
}

/// A wake of a flow that no run has handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WakeRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The reason.
    pub kind: WakeKind,
    /// The time of the first wake.
    pub at: DateTime<Utc>,
    /// The number of wakes since then.
    pub times: u64,
}

/// A message from a service, perhaps delivered more than once.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The sender and the receiver.
    pub source: &'a str,
    /// The names it is known by.
    pub names: &'a [String],
    /// The time it came.
    pub at: DateTime<Utc>,
    /// Deliveries that came before are forgotten.
    pub forget_before: DateTime<Utc>,
    /// The flow that it wakes, and the reason.
    pub wakes: Option<(&'a TenantId, &'a FlowId, WakeKind)>,
}

/// A change made by a person, or a request to reveal masked values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditRow {
    /// Its id; ids of later rows are greater.
    pub id: String,
    /// The time.
    pub at: DateTime<Utc>,
    /// The person.
    pub who: String,
    /// Their role.
    pub role: String,
    /// The origin of the request: `page`, `api`, and the address it came from.
    pub origin: String,
    /// The action, such as `plan.approve`.
    pub action: String,
    /// The tenant concerned.
    pub tenant: Option<TenantId>,
    /// The flow concerned.
    pub flow: Option<FlowId>,
    /// The subject: a plan, a record, a digest.
    pub subject: Option<String>,
    /// The person's reason, or other details.
    pub detail: Option<String>,
    /// The outcome: `done`, or the code of the failure.
    pub outcome: String,
}

/// A condition that people were or will be notified of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlarmRow {
    /// Its identity; at most one alarm of a key is active at a time.
    pub key: String,
    /// Its kind, such as `plan.held`.
    pub kind: String,
    /// The tenant.
    pub tenant: Option<TenantId>,
    /// The flow.
    pub flow: Option<FlowId>,
    /// The failure and its subject.
    pub text: Text,
    /// The next step for the reader.
    pub hint: Option<Text>,
    /// The page that shows more, such as `/plans/jingxintai/p1`.
    #[serde(default)]
    pub page: Option<String>,
    /// The time it arose.
    pub since: DateTime<Utc>,
    /// The time it was last observed.
    pub last_seen: DateTime<Utc>,
    /// The number of observations.
    pub seen: u64,
    /// The time people were notified; none if they have not been yet.
    pub told_at: Option<DateTime<Utc>>,
    /// The time it was over; none while it is active.
    pub over_at: Option<DateTime<Utc>>,
    /// The time people were notified that it is over.
    pub over_told_at: Option<DateTime<Utc>>,
}
