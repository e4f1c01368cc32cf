//! The outcomes a form shows for its rows, as far as the store knows them.

use ruzhi_model::{Digest, FlowId, MemberState, PlanId, RecordId, Refusal, TenantId};

/// The records to look at.
#[derive(Debug, Clone, Copy)]
pub struct WriteBackScope<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The flow.
    pub flow: &'a FlowId,
    /// Digest of the target fields and the language: under another one everything is written again.
    pub settings: &'a Digest,
    /// The plan that waits for a person: records that it has operations for wait with it.
    pub held: Option<&'a PlanId>,
}

/// A record whose outcome differs from the one last written to its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueWriteBack {
    /// The record.
    pub record: RecordId,
    /// Its decision asks for nothing in the directory.
    pub ignored: bool,
    /// The state of its member, if that is what the record wants.
    pub member: Option<MemberState>,
    /// The reason it is in quarantine.
    pub refusal: Option<Refusal>,
    /// Its operation waits for a person.
    pub waits: bool,
    /// The basis of the text: while it stays the same, so does the text.
    pub basis: String,
    /// Digest of the text last written to the form.
    pub written: Option<Digest>,
    /// Failed attempts since then.
    pub failures: u32,
}

/// An outcome written to a form for a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenBack {
    /// The record.
    pub record: RecordId,
    /// The basis of the text; a value other than any basis is tried again.
    pub basis: String,
    /// Digest of the text; none if there is none.
    pub digest: Option<Digest>,
    /// Failed attempts since then.
    pub failures: u32,
}
