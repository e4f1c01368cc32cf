//! The rows that go into the store and come out of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use ruzhi_model::{
    Context, Decision, Digest, FlowId, LedgerEntry, MemberKey, Operation, OperationState, Origin, PlanId,
    RecordId, Refusal, RunId, SourceRecord, TenantId,
};
use ruzhi_plan::{Counts, Plan, Resolution};

/// The reason a run was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Plan only.
    Plan,
    /// Plan and apply.
    Sync,
    /// Apply a stored plan.
    Apply,
    /// Plan to adopt members.
    Adopt,
    /// Plan to undo a run.
    Revert,
    /// Compare the directory with the ledger.
    Drift,
}

impl RunKind {
    /// True if a run of this kind may write to the directory; the others only plan or compare.
    pub fn writes(self) -> bool {
        matches!(self, Self::Sync | Self::Apply)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Sync => "sync",
            Self::Apply => "apply",
            Self::Adopt => "adopt",
            Self::Revert => "revert",
            Self::Drift => "drift",
        }
    }
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not finished.
    Running,
    /// Every possible operation is done.
    Done,
    /// The guard holds the plan until a person decides.
    Held,
    /// Something was not done.
    Failed,
}

impl RunState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The run.
    pub id: RunId,
    /// The reason it was started.
    pub kind: RunKind,
    /// Its state.
    pub state: RunState,
    /// The time it began.
    pub started_at: DateTime<Utc>,
    /// The time it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its plan.
    pub plan: Option<PlanId>,
    /// Digest of guest and rules file.
    pub rules: Option<Digest>,
    /// Outcomes.
    pub counts: Counts,
    /// Calls made, by API.
    pub calls: BTreeMap<String, u64>,
    /// The problem, if there was one.
    pub problem: Option<ruzhi_model::Text>,
}

/// Earlier knowledge of a record, before its row is fetched again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRecord {
    /// Digest of the row.
    pub content: Digest,
    /// Digest of the rules that decided.
    pub rules: Digest,
    /// Its batch failed, so it has no decision.
    pub failed: bool,
    /// The last complete collect did not find it.
    pub absent: bool,
    /// The time its row was last fetched with new content.
    pub fetched_at: DateTime<Utc>,
    /// The time of the row's last change as of then, by the service's clock.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A record that the last complete collect found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentRecord {
    /// Its id.
    pub id: RecordId,
    /// A collect that found it ended well.
    pub confirmed: bool,
}

/// The reason a complete collect did not find a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// It was deleted from the form.
    Gone,
    /// It is still in the form, but outside the filter.
    Elsewhere,
}

/// A fetched row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedRecord {
    /// The row as the guest sees it.
    pub record: SourceRecord,
    /// The time it was fetched.
    pub fetched_at: DateTime<Utc>,
    /// The time of its last change, by the service's clock, if the service gave it.
    pub updated_at: Option<DateTime<Utc>>,
    /// The run that fetched it.
    pub fetched_run: RunId,
}

/// A row with the decision on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The row's id.
    pub id: RecordId,
    /// The row, source fields only, as JSON text.
    pub content: String,
    /// Digest of the row.
    pub content_hash: Digest,
    /// The time it was fetched.
    pub fetched_at: DateTime<Utc>,
    /// The time of its last change, by the service's clock, if the service gave it.
    pub updated_at: Option<DateTime<Utc>>,
    /// The run that fetched it.
    pub fetched_run: RunId,
    /// The time it was decided.
    pub decided_at: DateTime<Utc>,
    /// Digest of guest and rules file.
    pub rules: Digest,
    /// The decision, or the reason there is none.
    pub resolution: Resolution,
    /// The guest's remarks.
    pub notes: Vec<String>,
    /// The context given to the guest.
    pub context: Context,
    /// The end of the decision's validity; none means it never expires.
    pub holds_until: Option<HoldsUntil>,
}

/// The first moment at which a decision may change although the row is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldsUntil {
    /// The moment.
    pub at: DateTime<Utc>,
    /// The rules gave it. Where their contract cannot, it is the end of the day.
    pub told: bool,
}

/// A stored row whose decision has expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRecord {
    /// The row.
    pub row: FetchedRecord,
    /// The time it expired.
    pub since: DateTime<Utc>,
}

impl RecordRow {
    /// Digest of the decision: tells a changed decision from the same one.
    pub fn decision_hash(&self) -> Digest {
        match &self.resolution {
            Resolution::Decided(decision) => digest_of(decision),
            Resolution::Failed(reason) => Digest::of_parts([b"failed".as_slice(), reason.as_bytes()]),
        }
    }
}

fn digest_of(decision: &Decision) -> Digest {
    // A decision is plain data and always has a JSON form.
    Digest::of(serde_json::to_vec(decision).unwrap_or_default())
}

/// The state of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// Made, not applied.
    Planned,
    /// Held by the guard until a person decides.
    Held,
    /// Being applied.
    Applying,
    /// Applied.
    Done,
    /// Applied in part.
    Failed,
    /// The data changed before it was applied.
    Superseded,
    /// A person rejected it.
    Rejected,
}

/// A plan as stored; its operations are read page by page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredPlan {
    /// The plan.
    #[serde(flatten)]
    pub plan: Plan,
    /// The run that made it last.
    pub run: RunId,
    /// Its state.
    pub state: PlanState,
    /// The reason it was rejected.
    pub reason: Option<String>,
    /// The time it was made.
    pub made_at: DateTime<Utc>,
}

/// An operation as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationRow {
    /// Its plan.
    pub plan: PlanId,
    /// Its place in the plan.
    pub place: usize,
    /// Operations of a lower wave are finished before this one begins: it may need a mobile they free or a leader they
    /// create.
    pub wave: u32,
    /// The operation.
    pub operation: Operation,
    /// Its state.
    pub state: OperationState,
    /// The time it was planned.
    pub planned_at: DateTime<Utc>,
    /// The time it was marked as sending; none if no call was made for it.
    pub sent_at: Option<DateTime<Utc>>,
    /// The time its outcome was stored.
    pub settled_at: Option<DateTime<Utc>>,
    /// WeCom's last code.
    pub errcode: Option<i64>,
    /// WeCom's last message.
    pub errmsg: Option<String>,
    /// Every call made for it.
    pub attempts: Vec<AttemptRow>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AttemptRow {
    /// The API.
    pub api: String,
    /// The time of the call.
    pub at: DateTime<Utc>,
    /// Its duration, in milliseconds.
    pub took_ms: i64,
    /// WeCom's code; none if no answer came.
    pub errcode: Option<i64>,
    /// WeCom's message.
    pub errmsg: String,
}

/// An operation whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDoubt {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its plan.
    pub plan: PlanId,
    /// Its place in the plan.
    pub place: usize,
    /// WeCom's job that writes it, if it is a row of one.
    pub job: Option<String>,
    /// The operation.
    pub operation: Operation,
}

/// Operations and rejections of a plan in the making.
#[derive(Debug, Default)]
pub struct DraftPart {
    /// The place of the first operation.
    pub first: usize,
    /// The next operations, in order.
    pub operations: Vec<Operation>,
    /// Rejected records, each with the decision and the rules that are rejected.
    pub refused: Vec<(Origin, Refusal, Digest, Digest)>,
    /// Records whose decision turned out to be carried out already, with the rules.
    pub confirmed: Vec<(Origin, Digest, Digest)>,
}

/// The outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Its place in the plan.
    pub place: usize,
    /// The operation.
    pub operation: Arc<Operation>,
    /// Its state from now on; `planned` removes the mark of an operation that was not called.
    pub state: OperationState,
    /// WeCom's last code.
    pub errcode: Option<i64>,
    /// WeCom's last message, or ours.
    pub errmsg: Option<String>,
    /// Calls made.
    pub attempts: Vec<AttemptRow>,
    /// The member's new line in the ledger, if it changes.
    pub ledger: Option<LedgerEntry>,
    /// The record goes into quarantine, for this reason.
    pub refusal: Option<Refusal>,
}

impl Settlement {
    /// True if a call was made for it, or may have been.
    pub fn called(&self) -> bool {
        let given_up = matches!(self.state, OperationState::Planned | OperationState::Failed);
        !given_up || !self.attempts.is_empty()
    }
}

/// How far a flow has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    /// A moment of the service's clock: every change before it has been read. The year 1970 if no row was ever read.
    pub reached: DateTime<Utc>,
    /// Digest of the query: other fields or another filter need a full collect.
    pub query: Digest,
    /// The form that was read.
    pub form: String,
    /// Digest of the last query, if a collect since then had another query and did not end well.
    pub asked: Option<Digest>,
}

impl Watermark {
    /// True if no row was ever read.
    pub fn is_of_nothing(&self) -> bool {
        self.reached <= DateTime::UNIX_EPOCH
    }
}

/// The way rules became live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivationKind {
    /// Nothing was live before.
    First,
    /// The tenant's files were replaced.
    File,
    /// A person activated them.
    Activate,
    /// A person rolled back to them.
    Rollback,
}

/// Rules that went live in a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ActivationRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// From 1 on, without a gap; the greatest of a flow is live.
    pub number: u64,
    /// The time of activation.
    pub at: DateTime<Utc>,
    /// The person or process that activated them.
    pub who: String,
    /// Their reason, in their words.
    pub why: Option<String>,
    /// The way they became live.
    pub kind: ActivationKind,
    /// The guest's name, as it describes itself.
    pub name: String,
    /// The guest's version.
    pub version: String,
    /// Digest of the component.
    pub component: Digest,
    /// Digest of the rules file's text.
    pub config: Digest,
    /// Digest of both, which marks the decisions.
    pub rules: Digest,
    /// Digest of the tenant's files at the time: once they differ, they are tried.
    pub offered: Digest,
    /// Stored records they were tried on.
    pub compared: u64,
    /// Of these, records whose person they treat differently.
    pub changed: u64,
    /// A person approved more changes than the flow's limit allows.
    pub approved: bool,
}

/// The bytes of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifacts {
    /// The component.
    pub component: Vec<u8>,
    /// The rules file's text, empty if the flow has none.
    pub config: String,
}

impl Artifacts {
    /// Names both together; decisions are marked with it.
    pub fn rules(&self) -> Digest {
        Digest::of_rules(&Digest::of(&self.component), &self.config)
    }
}

/// How far the first use of rules has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseState {
    /// A process is trying them: if it dies, these rules are to blame.
    Trying,
    /// They load; they have not decided a row yet.
    Loaded,
    /// They have decided rows.
    Used,
    /// A process died while it was trying them. An operator releases them for another try.
    Quarantined,
}

/// The first use of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstUse {
    /// The rules.
    pub rules: Digest,
    /// The tenant that uses them first.
    pub tenant: TenantId,
    /// Its flow.
    pub flow: FlowId,
    /// How far it has come.
    pub state: UseState,
    /// The process that is trying them, under its own name.
    pub process: String,
    /// The time of this state.
    pub at: DateTime<Utc>,
}

/// An entry of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The record.
    pub record: RecordId,
    /// The reason.
    pub refusal: Refusal,
    /// The row, as JSON text.
    pub content: Option<String>,
    /// The time it was first rejected.
    pub first_seen: DateTime<Utc>,
    /// The time it was last seen rejected.
    pub last_seen: DateTime<Utc>,
}

/// Everything known of a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordTrace {
    /// Its flow.
    pub flow: FlowId,
    /// The record.
    pub record: RecordId,
    /// The row, as JSON text.
    pub content: String,
    /// The time its row was fetched.
    pub fetched_at: DateTime<Utc>,
    /// The run that fetched it.
    pub fetched_run: RunId,
    /// The time it was decided.
    pub decided_at: DateTime<Utc>,
    /// The rules that decided it.
    pub rules: Digest,
    /// The decision.
    pub decision: Option<Decision>,
    /// The reason there is none.
    pub failure: Option<String>,
    /// The guest's remarks.
    pub notes: Vec<String>,
    /// The context given to the guest; none for a decision older than this field.
    pub context: Option<Context>,
    /// The end of the decision's validity; none means it never expires.
    pub holds_until: Option<DateTime<Utc>>,
    /// The reason it is in quarantine.
    pub refusal: Option<RejectRow>,
    /// Its operations, oldest first.
    pub operations: Vec<OperationRow>,
    /// Members it owns: key and state.
    pub members: Vec<(MemberKey, String)>,
}

/// The numbers of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantStatus {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// Records stored.
    pub records: u64,
    /// Members in the directory that its records own.
    pub members: u64,
    /// Records in quarantine.
    pub rejects: u64,
    /// Of these, people who left and can still log in because WeCom refuses to disable them.
    pub leavers_refused: u64,
    /// Members who were removed by hand and wait for a person's decision; they are in quarantine too.
    pub removed: u64,
    /// Its last run.
    pub last_run: Option<RunRow>,
    /// The watermark of its collects.
    pub watermark: Option<DateTime<Utc>>,
    /// Plans that wait for a person.
    pub held: Vec<PlanId>,
}
