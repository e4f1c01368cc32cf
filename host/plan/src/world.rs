//! What a plan is made from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Guard, Lately};
use ruzhi_model::{
    Decision, DepartmentId, Digest, FlowId, LedgerEntry, MemberKey, Origin, Refusal, RunId, TenantId, UserId,
};

/// Whose records and members a plan looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The tenant that plans.
    pub tenant: TenantId,
    /// The flow that plans: operations come from its records only, claims from all.
    pub flow: FlowId,
    /// Every tenant that writes the same corp, this one among them: they share its userids and mobile numbers.
    pub tenants: Vec<TenantId>,
    /// A row that a complete collect did not find means that its person left.
    pub absent_leaves: bool,
    /// Leavers who were disabled at this moment or before have had their grace period.
    pub grace_over: DateTime<Utc>,
    /// When the last 24 hours began.
    pub day: DateTime<Utc>,
    /// When the last 7 days began.
    pub week: DateTime<Utc>,
}

/// What became of a record when it was last decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The guest decided.
    Decided(Decision),
    /// The batch failed; the text says why.
    Failed(String),
}

/// A record and the last decision on it.
#[derive(Debug, Clone)]
pub struct RecordState {
    /// Which.
    pub origin: Origin,
    /// What became of it.
    pub resolution: Resolution,
    /// Digest of the decision.
    pub decision: Digest,
    /// Digest of the guest and rules file that decided.
    pub rules: Digest,
    /// The run that fetched its row.
    pub fetched: RunId,
    /// Why it is in quarantine, if it is.
    pub refusal: Option<StoredRefusal>,
    /// The last complete collect did not find it, and the flow takes that for a leave.
    pub absent: bool,
}

/// A refusal and what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRefusal {
    /// The refusal.
    pub refusal: Refusal,
    /// Digest of the refused decision: another decision is another attempt.
    pub decision: Digest,
    /// Digest of the rules that decided.
    pub rules: Digest,
}

/// A record that may ask for something, with what the ledger says of its member.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The record.
    pub record: RecordState,
    /// The line of the member its decision names, whichever tenant of the corp owns it.
    pub entry: Option<LedgerEntry>,
    /// Other members in the directory that this record owns.
    pub also_owns: Vec<UserId>,
    /// What is known of the direct leaders its decision names.
    pub leaders: Vec<Leader>,
}

/// A direct leader as far as the store knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// The account.
    pub key: MemberKey,
    /// The ledger of a tenant of the corp says that the member is in the directory.
    pub there: bool,
    /// A record of the corp asks for the member.
    pub asked_for: bool,
}

/// A leaver of the ledger whose grace period is over, or of whom it is not known whether WeCom disabled them. The ledger
/// alone says so, whatever has become of the row.
#[derive(Debug, Clone)]
pub struct Leaver {
    /// The line.
    pub entry: LedgerEntry,
    /// Records of the corp that want the member in the directory.
    pub wanted_by: Vec<Origin>,
    /// Why the line's record is in quarantine, if it is.
    pub refusal: Option<StoredRefusal>,
}

/// What is known of all records and members together, however many there are.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Records of the flow, by what was decided.
    pub totals: Totals,
    /// Members in the directory that the tenant owns.
    pub owned: u64,
    /// Changes whenever any decision, any rules or any line of the ledger does.
    pub stamp: Digest,
    /// Every record that claims a member or a mobile number together with another one.
    pub claimants: Vec<Claimant>,
    /// Who owns the claimed members that are in the directory.
    pub holders: HashMap<MemberKey, Holder>,
    /// Members of the tenant who left lately.
    pub lately: Lately,
}

/// Records of a flow, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Decided as upserts.
    pub upserts: u64,
    /// Decided as leavers whom the ledger knows.
    pub leavers: u64,
    /// Decided as leavers whom the ledger does not know.
    pub strangers: u64,
    /// Decided as saying nothing.
    pub ignored: u64,
}

/// A record's claim on a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The record.
    pub origin: Origin,
    /// Digest of its decision.
    pub decision: Digest,
    /// The member it names.
    pub member: MemberKey,
    /// It wants the member in the directory, with this mobile number; else it says that the member left.
    pub wants: Wants,
}

/// What a claimant wants of the member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wants {
    /// In the directory, with this mobile number in its comparable form.
    Upsert(Option<String>),
    /// Out of it.
    Leave,
}

/// Who owns a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The record.
    pub owner: Origin,
    /// The mobile number as written, in its comparable form.
    pub mobile: Option<String>,
}

/// The ids WeCom lets the sync secret read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// Every department.
    pub departments: BTreeSet<DepartmentId>,
    /// Every member, ruzhi's or not.
    pub members: BTreeMap<MemberKey, UserId>,
}

/// What the flow does with two records that claim one member when neither owns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// Both are refused.
    #[default]
    Refuse,
    /// The record created last has it.
    Newest,
}

/// What the tenant does with a record whose userid is in the directory and not in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// Refuses the record.
    #[default]
    Refuse,
    /// Takes the member for its own.
    Adopt,
}

/// What the tenant does with a member who was removed from the directory by hand and whose row still wants them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Removed {
    /// A person decides.
    #[default]
    Ask,
    /// Creates the member again, without an invitation.
    Recreate,
    /// Lets go of the member.
    Release,
}

/// What the tenant decided once and for all.
#[derive(Debug, Clone)]
pub struct Policy {
    /// On two records that claim one member.
    pub duplicates: Duplicates,
    /// On members ruzhi did not create.
    pub existing: Existing,
    /// On members who were removed by hand.
    pub removed: Removed,
    /// Members that are never written.
    pub protected: BTreeSet<MemberKey>,
    /// Time between disabling and deleting a leaver.
    pub grace: TimeDelta,
    /// The limits that hold a plan.
    pub guard: Guard,
    /// A person asks for quarantined records to be tried again.
    pub retry: bool,
}

/// A mobile for comparing: two spellings of one number are one claim.
pub fn comparable_mobile(mobile: &str) -> String {
    ruzhi_guest::mobile::parse(mobile).map_or_else(|_| mobile.to_owned(), |mobile| mobile.into_string())
}
