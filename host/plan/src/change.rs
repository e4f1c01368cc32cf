//! The values to write for a member, before they are an operation.

use serde_json::{Map, Value};

use super::disposition::Disposition;
use super::world::Candidate;
use ruzhi_model::{Member, Operation, OperationKind, Text, UserId};

/// The values to write for a member.
pub(super) struct MemberChange {
    pub(super) kind: OperationKind,
    pub(super) userid: UserId,
    pub(super) body: Map<String, Value>,
    pub(super) member: Member,
    pub(super) partial: bool,
    pub(super) notes: Vec<Text>,
}

impl MemberChange {
    /// True if it sets the direct leader and nothing else.
    pub(super) fn is_leader_alone(&self) -> bool {
        self.kind == OperationKind::Update
            && self.body.keys().all(|field| matches!(field.as_str(), "userid" | "direct_leader"))
    }
}

/// The operation of a record that carries out a change.
pub(super) fn act(candidate: &Candidate, change: MemberChange, tries: u32, left: bool) -> Disposition {
    let record = &candidate.record;
    let MemberChange { kind, userid, body, member, partial, notes } = change;
    Disposition::Operation(Box::new(Operation {
        kind,
        userid,
        flow: record.origin.flow.clone(),
        record: record.origin.record.clone(),
        body,
        member,
        before: candidate.entry.clone(),
        decision: record.decision.clone(),
        rules: record.rules.clone(),
        left,
        names: None,
        partial,
        parks: None,
        tries,
        notes,
        undoes: false,
    }))
}
