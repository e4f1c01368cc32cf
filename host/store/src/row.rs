//! What goes into the store and comes out of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use ruzhi_model::{
    Context, Decision, Digest, FlowId, LedgerEntry, MemberKey, Operation, OperationState, Origin, PlanId,
    RecordId, Refusal, RunId, SourceRecord, TenantId,
};
use ruzhi_plan::{Counts, Plan, Resolution};

/// Why a run was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Plan only.
    Plan,
    /// Plan and apply.
    Sync,
    /// Apply a stored plan.
    Apply,
    /// Plan to take over members.
    Adopt,
    /// Plan to undo a run.
    Revert,
    /// Compare the directory with the ledger.
    Drift,
}

impl RunKind {
    /// Whether it may write to the directory; the others only plan or look.
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

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not ended.
    Running,
    /// Everything that could be done was done.
    Done,
    /// The guard wants a person.
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
    /// Why it was started.
    pub kind: RunKind,
    /// How it stands.
    pub state: RunState,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its plan.
    pub plan: Option<PlanId>,
    /// Digest of guest and rules file.
    pub rules: Option<Digest>,
    /// Outcomes.
    pub counts: Counts,
    /// Calls made, by API.
    pub calls: BTreeMap<String, u64>,
    /// What went wrong, if something did.
    pub problem: Option<ruzhi_model::Text>,
}

/// What is known of a record before its row is fetched again.
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
    /// When its row was last fetched with new content.
    pub fetched_at: DateTime<Utc>,
    /// When the row was last changed then, by the service's clock.
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

/// Why a complete collect did not find a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// It was deleted from the form.
    Gone,
    /// It is still in the form, and outside the filter.
    Elsewhere,
}

/// A row, and when it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedRecord {
    /// The row as the guest sees it.
    pub record: SourceRecord,
    /// When it was fetched.
    pub fetched_at: DateTime<Utc>,
    /// When it was last changed, by the service's clock, if that was told.
    pub updated_at: Option<DateTime<Utc>>,
    /// By which run.
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
    /// When and by which run it was fetched.
    pub fetched_at: DateTime<Utc>,
    /// When it was last changed, by the service's clock, if that was told.
    pub updated_at: Option<DateTime<Utc>>,
    /// The run that fetched it.
    pub fetched_run: RunId,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// Digest of guest and rules file.
    pub rules: Digest,
    /// The decision, or why there is none.
    pub resolution: Resolution,
    /// The guest's remarks.
    pub notes: Vec<String>,
    /// What the guest was told of the world.
    pub context: Context,
    /// Until when the decision holds; none is for ever.
    pub holds_until: Option<HoldsUntil>,
}

/// The first moment at which a decision may be another one, though the row is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldsUntil {
    /// The moment.
    pub at: DateTime<Utc>,
    /// The rules said so. Where their contract cannot, it is the end of the day.
    pub told: bool,
}

/// A stored row whose decision holds no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRecord {
    /// The row.
    pub row: FetchedRecord,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl RecordRow {
    /// Digest of the decision: what tells a changed decision from the same one.
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

/// How a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// Made, not applied.
    Planned,
    /// The guard wants a person.
    Held,
    /// Being applied.
    Applying,
    /// Applied.
    Done,
    /// Applied in part.
    Failed,
    /// The world changed before it was applied.
    Superseded,
    /// A person said no.
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
    /// How it stands.
    pub state: PlanState,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
}

/// An operation as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationRow {
    /// Its plan.
    pub plan: PlanId,
    /// Its place in the plan.
    pub place: usize,
    /// Operations of a lower wave are finished before this one begins: it may need a mobile they free or a leader
    /// they create.
    pub wave: u32,
    /// The operation.
    pub operation: Operation,
    /// How far it has come.
    pub state: OperationState,
    /// When it was planned.
    pub planned_at: DateTime<Utc>,
    /// When it was marked as sending; none if no call was made for it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When its outcome was stored.
    pub settled_at: Option<DateTime<Utc>>,
    /// WeCom's last code.
    pub errcode: Option<i64>,
    /// WeCom's last words.
    pub errmsg: Option<String>,
    /// Every call made for it.
    pub attempts: Vec<AttemptRow>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AttemptRow {
    /// The API.
    pub api: String,
    /// When.
    pub at: DateTime<Utc>,
    /// How long, in milliseconds.
    pub took_ms: i64,
    /// WeCom's code; none if no answer came.
    pub errcode: Option<i64>,
    /// WeCom's words.
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

/// Operations and refusals of a plan in the making.
#[derive(Debug, Default)]
pub struct DraftPart {
    /// The place of the first operation.
    pub first: usize,
    /// The next operations, in order.
    pub operations: Vec<Operation>,
    /// Records refused, each with the decision and the rules that are refused.
    pub refused: Vec<(Origin, Refusal, Digest, Digest)>,
    /// Records whose decision turned out to be carried out, by which rules.
    pub confirmed: Vec<(Origin, Digest, Digest)>,
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Its place in the plan.
    pub place: usize,
    /// The operation.
    pub operation: Arc<Operation>,
    /// Its state from now on; `planned` takes back the mark of one that was not called.
    pub state: OperationState,
    /// WeCom's last code.
    pub errcode: Option<i64>,
    /// WeCom's last words, or ours.
    pub errmsg: Option<String>,
    /// Calls made.
    pub attempts: Vec<AttemptRow>,
    /// The member's new line in the ledger, if it changes.
    pub ledger: Option<LedgerEntry>,
    /// The record goes into quarantine.
    pub refusal: Option<Refusal>,
}

impl Settlement {
    /// Whether a call was made for it, or may have been.
    pub fn called(&self) -> bool {
        let given_up = matches!(self.state, OperationState::Planned | OperationState::Failed);
        !given_up || !self.attempts.is_empty()
    }
}

/// How far a flow has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    /// A moment of the service's clock: every change before it has been read. That of 1970 where no row was ever read.
    pub reached: DateTime<Utc>,
    /// Digest of what was asked for: other fields or another filter need a full collect.
    pub query: Digest,
    /// The form that was read.
    pub form: String,
    /// Digest of what was asked for last, if a collect since then asked for something else and did not end well.
    pub asked: Option<Digest>,
}

impl Watermark {
    /// No row was ever read.
    pub fn is_of_nothing(&self) -> bool {
        self.reached <= DateTime::UNIX_EPOCH
    }
}

/// How rules came to be live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivationKind {
    /// Nothing was live before.
    First,
    /// The tenant's files were exchanged.
    File,
    /// A person activated them.
    Activate,
    /// A person went back to them.
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
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub who: String,
    /// What for, in their words.
    pub why: Option<String>,
    /// How.
    pub kind: ActivationKind,
    /// The guest's name, as it describes itself.
    pub name: String,
    /// The guest's version.
    pub version: String,
    /// Digest of the component.
    pub component: Digest,
    /// Digest of the rules file's text.
    pub config: Digest,
    /// Digest of both: what decisions are marked with.
    pub rules: Digest,
    /// What the tenant's files held then: once they hold something else, it is tried.
    pub offered: Digest,
    /// Stored records they were tried on.
    pub compared: u64,
    /// Of these, records whose person they treat differently.
    pub changed: u64,
    /// A person approved of more changes than the flow's limit lets pass.
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
    /// Names both together: what decisions made by them are marked with.
    pub fn rules(&self) -> Digest {
        Digest::of_rules(&Digest::of(&self.component), &self.config)
    }
}

/// How far the first use of rules has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseState {
    /// A process is trying them: should it die, it was these rules that it was trying.
    Trying,
    /// They load; no row was decided by them yet.
    Loaded,
    /// They have decided rows.
    Used,
    /// A process died while it was trying them. An operator lets them be tried again.
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
    /// The process that is trying them, as it names itself.
    pub process: String,
    /// Since when it is so.
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
    /// Why.
    pub refusal: Refusal,
    /// The row, as JSON text.
    pub content: Option<String>,
    /// When it was first refused.
    pub first_seen: DateTime<Utc>,
    /// When it was last seen refused.
    pub last_seen: DateTime<Utc>,
}

/// All that is known of a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordTrace {
    /// Its flow.
    pub flow: FlowId,
    /// The record.
    pub record: RecordId,
    /// The row, as JSON text.
    pub content: String,
    /// When it was fetched.
    pub fetched_at: DateTime<Utc>,
    /// By which run.
    pub fetched_run: RunId,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// By which rules.
    pub rules: Digest,
    /// The decision.
    pub decision: Option<Decision>,
    /// Why there is none.
    pub failure: Option<String>,
    /// The guest's remarks.
    pub notes: Vec<String>,
    /// What the guest was told of the world; none for a decision from before it was kept.
    pub context: Option<Context>,
    /// Until when the decision holds; none is for ever.
    pub holds_until: Option<DateTime<Utc>>,
    /// Why it is in quarantine.
    pub refusal: Option<RejectRow>,
    /// Its operations, oldest first.
    pub operations: Vec<OperationRow>,
    /// Members it owns: key and state.
    pub members: Vec<(MemberKey, String)>,
}

/// Numbers of a flow.
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
    /// Of these, people who left and can still log in, because WeCom refuses to disable them.
    pub leavers_refused: u64,
    /// Members who were removed by hand and wait for a person's decision; they are in quarantine too.
    pub removed: u64,
    /// Its last run.
    pub last_run: Option<RunRow>,
    /// How far it has come.
    pub watermark: Option<DateTime<Utc>>,
    /// Plans that wait for a person.
    pub held: Vec<PlanId>,
}
