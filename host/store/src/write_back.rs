//! What a form is told of its rows, as far as the store knows it.

use ruzhi_model::{Digest, FlowId, MemberState, PlanId, RecordId, Refusal, TenantId};

/// Whose records are looked at.
#[derive(Debug, Clone, Copy)]
pub struct WriteBackScope<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The flow.
    pub flow: &'a FlowId,
    /// Digest of where and in which language it is told: under another one everything is told again.
    pub settings: &'a Digest,
    /// The plan that waits for a person: records that it has operations for wait with it.
    pub held: Option<&'a PlanId>,
}

/// A record of which something else is to be told than its form was told last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueWriteBack {
    /// The record.
    pub record: RecordId,
    /// Its decision says nothing of the directory.
    pub ignored: bool,
    /// How its member stands, if that is what the record wants.
    pub member: Option<MemberState>,
    /// Why it is in quarantine.
    pub refusal: Option<Refusal>,
    /// Its operation waits for a person.
    pub waits: bool,
    /// What the words come from: while it stays the same, so do they.
    pub basis: String,
    /// Digest of the words that the form was told last.
    pub written: Option<Digest>,
    /// Attempts that failed since.
    pub failures: u32,
}

/// What a form was told of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenBack {
    /// The record.
    pub record: RecordId,
    /// What the words came from; another text than any basis is tried again.
    pub basis: String,
    /// Digest of the words; none if there are none.
    pub digest: Option<Digest>,
    /// Attempts that failed since.
    pub failures: u32,
}
