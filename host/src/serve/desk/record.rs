//! All that happened to one record, from the form to the directory.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::page::FieldChange;
use super::plan::OperationView;
use super::quarantine::RejectView;
use crate::activation::Verdict;
use crate::failure::Failure;
use crate::model::{Digest, FlowId, RecordId, RunId, TenantId};
use crate::serve::Process;
use crate::serve::access::Visitor;

/// A record's trace.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RecordView {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The record.
    pub record: RecordId,
    /// The row by the form's labels.
    pub row: Vec<RowField>,
    /// When the row was fetched.
    pub fetched_at: DateTime<Utc>,
    /// By which run.
    pub fetched_run: RunId,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// By which guest.
    pub guest: GuestName,
    /// What was decided.
    pub decision: DecisionView,
    /// The guest's remarks.
    pub notes: Vec<String>,
    /// The moment and the time zone the guest was told; none for a decision from before they were kept.
    pub told: Option<String>,
    /// Why it is in quarantine.
    pub refusal: Option<RejectView>,
    /// Its operations, oldest first, with every call made for them.
    pub operations: Vec<OperationView>,
    /// Members it owns: account and state.
    pub members: Vec<MemberView>,
    /// Numbers and addresses are in full.
    pub revealed: bool,
}

/// A member a record owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberView {
    /// The account, in lower case.
    pub userid: String,
    /// `active`, `left` or `deleted`.
    pub state: String,
}

/// A field of a row.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RowField {
    /// The form's name of it.
    pub field: String,
    /// What the form calls it.
    pub label: String,
    /// What is in it.
    pub value: Value,
}

/// The guest that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GuestName {
    /// Digest of component and rules file together.
    pub rules: Digest,
    /// Digest of the component, if the rules were ever live.
    pub component: Option<Digest>,
    /// The guest's name.
    pub name: Option<String>,
    /// The guest's version.
    pub version: Option<String>,
    /// The number of the activation that made the rules live.
    pub number: Option<u64>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DecisionView {
    /// In a word.
    pub verdict: Verdict,
    /// The account it is about.
    pub userid: Option<String>,
    /// Why it is ignored, or why there is no decision.
    pub reason: Option<String>,
    /// The member as the rules want them; `before` is always null.
    pub member: Vec<FieldChange>,
}

/// A record's trace. With `reveal`, numbers and addresses are in full: for an operator, and written down before.
pub async fn record(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    flow: &FlowId,
    record: &RecordId,
    reveal: bool,
) -> Result<RecordView, Failure> {
    let _ = (process, visitor, tenant, flow, record, reveal);
    Err(super::unfinished())
}
