//! The input of a plan.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::guard::{Guard, RecentLeavers};
use ruzhi_model::{
    Decision, DepartmentId, Digest, FlowId, LedgerEntry, MemberKey, Origin, Rejection, RunId, TenantId,
    UserId,
};

/// The records and members a plan considers.
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
    /// Leavers who were disabled at this moment or before have completed their grace period.
    pub grace_over: DateTime<Utc>,
    /// The beginning of the last 24 hours.
    pub day: DateTime<Utc>,
    /// The beginning of the last 7 days.
    pub week: DateTime<Utc>,
}

/// The result of a record's last decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The guest decided.
    Decided(Decision),
    /// The batch failed; the text gives the reason.
    Failed(String),
}

/// A record and the last decision on it.
#[derive(Debug, Clone)]
pub struct RecordState {
    /// The record.
    pub origin: Origin,
    /// The result of deciding it.
    pub resolution: Resolution,
    /// Digest of the decision.
    pub decision: Digest,
    /// Digest of the guest and rules file that decided.
    pub rules: Digest,
    /// The run that fetched its row.
    pub fetched: RunId,
    /// The reason it is in quarantine, if it is.
    pub rejection: Option<StoredRejection>,
    /// The last complete collect did not find it, and the flow takes that for a leave.
    pub absent: bool,
}

/// A rejection and its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRejection {
    /// The rejection.
    pub rejection: Rejection,
    /// Digest of the rejected decision: another decision is another attempt.
    pub decision: Digest,
    /// Digest of the rules that decided.
    pub rules: Digest,
}

/// A record that may ask for something, with the ledger's line of its member.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The record.
    pub record: RecordState,
    /// The line of the member its decision names, whichever tenant of the corp owns it.
    pub entry: Option<LedgerEntry>,
    /// Other members in the directory that this record owns.
    pub also_owns: Vec<UserId>,
    /// The direct leaders its decision names, as far as known.
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

/// A leaver of the ledger who has completed the grace period, or whom WeCom may not have disabled. The ledger alone
/// says so, regardless of the row.
#[derive(Debug, Clone)]
pub struct Leaver {
    /// The line.
    pub entry: LedgerEntry,
    /// Records of the corp that want the member in the directory.
    pub wanted_by: Vec<Origin>,
    /// The reason the line's record is in quarantine, if it is.
    pub rejection: Option<StoredRejection>,
}

/// The totals over all records and members, however many there are.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Records of the flow, by decision.
    pub totals: Totals,
    /// Members in the directory that the tenant owns.
    pub owned: u64,
    /// Changes whenever any decision, any rules or any line of the ledger does.
    pub stamp: Digest,
    /// Every record that claims a member or a mobile number together with another one.
    pub claimants: Vec<Claimant>,
    /// The owners of the claimed members that are in the directory.
    pub holders: HashMap<MemberKey, Holder>,
    /// Members of the tenant who left lately.
    pub recent_leavers: RecentLeavers,
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
    /// Decided as asking for nothing.
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
    /// It wants the member in the directory, with this mobile number; otherwise it says that the member left.
    pub claim: MemberClaim,
}

/// The state a claimant wants for the member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberClaim {
    /// In the directory, with this mobile number in its comparable form.
    Upsert(Option<String>),
    /// Out of it.
    Leave,
}

/// The owner of a member.
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

/// The flow's treatment of two records that claim one member when neither owns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DuplicatePolicy {
    /// Both are rejected.
    #[default]
    Reject,
    /// The record created last keeps it.
    Newest,
}

/// The tenant's treatment of a record with a userid that is in the directory and not in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExistingPolicy {
    /// Rejects the record.
    #[default]
    Reject,
    /// Adopts the member.
    Adopt,
}

/// The tenant's treatment of a member who was removed from the directory by hand and whose row still wants them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RemovedPolicy {
    /// A person decides.
    #[default]
    Ask,
    /// Creates the member again, without an invitation.
    Recreate,
    /// Lets go of the member.
    Release,
}

/// The tenant's standing decisions.
#[derive(Debug, Clone)]
pub struct Policy {
    /// On two records that claim one member.
    pub duplicates: DuplicatePolicy,
    /// On members ruzhi did not create.
    pub existing: ExistingPolicy,
    /// On members who were removed by hand.
    pub removed: RemovedPolicy,
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
