//! Queries a person may put to the store.

use chrono::{DateTime, Utc};

use super::{RejectRow, RunKind, RunState};
use ruzhi_model::{
    Decision, FlowId, MemberKey, OperationKind, PlanId, RecordId, RemovalAnswer, RunId, TenantId, UserId,
};

/// A filter of runs, newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunsWanted<'a> {
    /// Of this tenant.
    pub tenant: Option<&'a TenantId>,
    /// Of this flow.
    pub flow: Option<&'a FlowId>,
    /// In this state.
    pub state: Option<RunState>,
    /// Of this kind.
    pub kind: Option<RunKind>,
    /// Only those before this one, given by its start and its id.
    pub before: Option<(DateTime<Utc>, &'a RunId)>,
    /// At most so many.
    pub most: u32,
}

/// Runs of one state that began in the same quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsCounted {
    /// The beginning of the quarter of an hour.
    pub at: DateTime<Utc>,
    /// The state.
    pub state: RunState,
    /// Their number.
    pub runs: u64,
}

/// A filter of a plan's operations, in order.
#[derive(Debug, Clone, Copy)]
pub struct OperationsWanted<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The plan.
    pub plan: &'a PlanId,
    /// Only of this kind.
    pub kind: Option<OperationKind>,
    /// Only those behind this place.
    pub after: Option<usize>,
    /// At most so many.
    pub most: usize,
}

/// A filter of the quarantine, by tenant, flow and record.
#[derive(Debug, Clone, Copy, Default)]
pub struct RejectsWanted<'a> {
    /// Of this tenant.
    pub tenant: Option<&'a TenantId>,
    /// Of this flow.
    pub flow: Option<&'a FlowId>,
    /// This record alone.
    pub record: Option<&'a RecordId>,
    /// Words, each of which occurs in the record's id, its reasons, its row or its decision. The result may include
    /// entries that lack them.
    pub words: &'a [String],
    /// With the rows.
    pub rows: bool,
    /// Those after this one.
    pub after: Option<(&'a TenantId, &'a FlowId, &'a RecordId)>,
    /// At most so many; none means all.
    pub most: Option<u32>,
}

/// An entry of the quarantine, with the decision on its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownReject {
    /// The entry; its row only if it was asked for.
    pub reject: RejectRow,
    /// The decision; only if rows were asked for.
    pub decision: Option<Decision>,
}

/// A filter of members who were removed by hand, by tenant and account.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemovedWanted<'a> {
    /// Of this tenant.
    pub tenant: Option<&'a TenantId>,
    /// Of this flow.
    pub flow: Option<&'a FlowId>,
    /// Owned by this record.
    pub record: Option<&'a RecordId>,
    /// Only those who wait for a person.
    pub waiting: bool,
    /// Only those behind this account; of one tenant.
    pub after: Option<&'a MemberKey>,
    /// At most so many.
    pub most: usize,
}

/// A member who was removed by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow whose record owns the member.
    pub flow: FlowId,
    /// The record that owns the member.
    pub record: RecordId,
    /// The account.
    pub userid: UserId,
    /// The name as it was written last.
    pub name: String,
    /// The time the removal was found.
    pub found_at: Option<DateTime<Utc>>,
    /// Only one listing has shown the removal: the member may still turn up.
    pub unsure: bool,
    /// The person's decision.
    pub answer: Option<RemovalAnswer>,
    /// The record wants the member back, and a person has to decide.
    pub waits: bool,
}
