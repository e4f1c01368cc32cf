//! What a process that stays keeps in the store.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use ruzhi_model::{FlowId, TenantId, Text};

/// A person stopped a flow until they start it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Paused {
    /// Who.
    pub who: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What for.
    pub why: Option<String>,
}

/// A service refuses a flow's credential, address or right: it is not asked again until a person acts or the settings
/// change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Blocked {
    /// The refusal's code.
    pub code: String,
    /// What happened, to what.
    pub text: Text,
    /// What to do next.
    pub hint: Option<Text>,
    /// When.
    pub at: DateTime<Utc>,
    /// Digest of the settings that were refused, with a salt.
    pub settings: String,
}

/// How a flow stands with the schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The last moment of its schedule that was taken up.
    pub reached: Option<DateTime<Utc>>,
    /// Runs that failed one after another.
    pub failures: u32,
    /// When the last of them ended.
    pub failed_at: Option<DateTime<Utc>>,
    /// A person stopped it.
    pub paused: Option<Paused>,
    /// A service refuses it.
    pub blocked: Option<Blocked>,
}

/// What a service woke a flow for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WakeKind {
    /// The form was changed.
    Push,
    /// Somebody else changed the directory.
    Callback,
}

/// What a flow was woken for, and no run has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WakeRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// What for.
    pub kind: WakeKind,
    /// Since when.
    pub at: DateTime<Utc>,
    /// How often since then.
    pub times: u64,
}

/// Something that a service sends, perhaps more than once.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Who sends it to whom.
    pub source: &'a str,
    /// What it is known by.
    pub names: &'a [String],
    /// When it came.
    pub at: DateTime<Utc>,
    /// Deliveries that came before are forgotten.
    pub forget_before: DateTime<Utc>,
    /// The flow that it wakes, and what for.
    pub wakes: Option<(&'a TenantId, &'a FlowId, WakeKind)>,
}

/// Somebody changed something, or asked to see what is masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditRow {
    /// Its id; ids of later rows are greater.
    pub id: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub who: String,
    /// Their role.
    pub role: String,
    /// Where they asked: `page`, `api`, and the address they came from.
    pub origin: String,
    /// What they did, such as `plan.approve`.
    pub action: String,
    /// In which tenant.
    pub tenant: Option<TenantId>,
    /// In which flow.
    pub flow: Option<FlowId>,
    /// To what: a plan, a record, a digest.
    pub subject: Option<String>,
    /// Their reason, or what else there is to say.
    pub detail: Option<String>,
    /// What came of it: `done`, or the code of the failure.
    pub outcome: String,
}

/// Something people were told of, or are to be told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlarmRow {
    /// What it is about; one alarm of a key stands at a time.
    pub key: String,
    /// Its kind, such as `plan.held`.
    pub kind: String,
    /// The tenant.
    pub tenant: Option<TenantId>,
    /// The flow.
    pub flow: Option<FlowId>,
    /// What happened, to what.
    pub text: Text,
    /// What to do next.
    pub hint: Option<Text>,
    /// The page that shows more, such as `/plans/jingxintai/p1`.
    #[serde(default)]
    pub page: Option<String>,
    /// When it arose.
    pub since: DateTime<Utc>,
    /// When it was last seen to hold.
    pub last_seen: DateTime<Utc>,
    /// How often it was seen.
    pub seen: u64,
    /// When people were told of it; none if they have not been yet.
    pub told_at: Option<DateTime<Utc>>,
    /// When it was over; none while it stands.
    pub over_at: Option<DateTime<Utc>>,
    /// When people were told that it is over.
    pub over_told_at: Option<DateTime<Utc>>,
}
