//! What a plan is made from.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Guard;
use crate::model::{
    Decision, DepartmentId, Digest, FlowId, Member, MemberKey, RecordId, Refusal, TenantId, UserId,
};

/// All that ruzhi knows of a tenant.
#[derive(Debug, Clone)]
pub struct World {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow that runs: operations come from its records only, claims from all.
    pub flow: FlowId,
    /// Every record of every flow, with the last decision on it.
    pub records: Vec<RecordState>,
    /// Every member ruzhi has written.
    pub ledger: BTreeMap<MemberKey, LedgerEntry>,
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
    /// Its flow.
    pub flow: FlowId,
    /// Its id.
    pub id: RecordId,
    /// What became of it.
    pub resolution: Resolution,
    /// Digest of the decision.
    pub decision: Digest,
    /// Digest of the guest and rules file that decided.
    pub rules: Digest,
    /// Why it is in quarantine, if it is.
    pub refusal: Option<StoredRefusal>,
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

/// Where a member stands, as far as ruzhi has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// In the directory.
    Active,
    /// Left: disabled, to be deleted after the grace period.
    Left,
    /// No longer in the directory.
    Deleted,
}

impl MemberState {
    /// The word the store uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Left => "left",
            Self::Deleted => "deleted",
        }
    }
}

/// What ruzhi last wrote of a member. The sync secret cannot read details back, so this is what changes are computed
/// against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The account in the case it was created with.
    pub userid: UserId,
    /// The flow of the record that owns the member.
    pub flow: FlowId,
    /// The record that owns the member.
    pub record: RecordId,
    /// The fields as written.
    pub written: Member,
    /// Where the member stands.
    pub state: MemberState,
    /// When the member was disabled as a leaver.
    pub left_at: Option<DateTime<Utc>>,
    /// A write's answer was lost: what WeCom holds may differ from `written`, so everything is sent again. On a deleted
    /// member: a create was lost and was not found to have happened; should the member turn up, it is ours.
    pub doubtful: bool,
}

impl LedgerEntry {
    /// Whether a create of the member was lost and may still turn out to have happened.
    pub fn may_appear(&self) -> bool {
        self.state == MemberState::Deleted && self.doubtful
    }

    /// Whether the member is in the directory.
    pub fn exists(&self) -> bool {
        self.state != MemberState::Deleted
    }
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

/// What the tenant decided once and for all.
#[derive(Debug, Clone)]
pub struct Policy {
    /// On two records that claim one member.
    pub duplicates: Duplicates,
    /// Members that are never written.
    pub protected: BTreeSet<MemberKey>,
    /// Time between disabling and deleting a leaver.
    pub grace: TimeDelta,
    /// The limits that hold a plan.
    pub guard: Guard,
    /// A person asks for quarantined records to be tried again.
    pub retry: bool,
}
