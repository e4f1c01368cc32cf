//! The circumstances of a plan, the same for each of its records, and the questions every kind of record asks of them.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::waves::value_key;
use super::world::{Candidate, Directory, Policy, Resolution, StoredRejection};
use ruzhi_model::{
    Decision, Digest, LedgerEntry, Member, MemberKey, RejectedBy, Rejection, UniqueField, UserId, WaitsFor,
};

/// The decision to try a rejected record again, or not.
pub(super) enum RetryDecision {
    /// The rejection stands.
    Stands(Rejection),
    /// It is tried, after so many rejections.
    Tries(u32),
}

/// The circumstances of a plan.
pub(super) struct PlanContext<'a> {
    pub(super) directory: Option<&'a Directory>,
    /// Unique values that this plan frees, where a first look has found them.
    freed: &'a HashSet<u64>,
    pub(super) policy: &'a Policy,
    pub(super) now: DateTime<Utc>,
    /// The plan asks for something of the directory and was made without it.
    pub(super) needs_directory: bool,
    /// Records that are tried again because their time has come.
    retried: u32,
}

/// Limit on records that one plan tries again because their time has come after a rejection by WeCom.
const RETRIED_AT_MOST: u32 = 200;

impl<'a> PlanContext<'a> {
    /// The circumstances before the first record.
    pub(super) fn new(
        directory: Option<&'a Directory>,
        freed: &'a HashSet<u64>,
        policy: &'a Policy,
        now: DateTime<Utc>,
    ) -> Self {
        Self { directory, freed, policy, now, needs_directory: false, retried: 0 }
    }

    /// A member is protected by the account in the directory and by the one the record names.
    pub(super) fn is_protected(&self, candidate: &Candidate) -> bool {
        let named = match &candidate.record.resolution {
            Resolution::Decided(Decision::Upsert(member)) => Some(MemberKey::of(&member.userid)),
            Resolution::Decided(Decision::Leave(userid)) => Some(MemberKey::of(userid)),
            _ => None,
        };
        let written = candidate.entry.as_ref().map(|entry| entry.userid.key());
        named.iter().chain(&written).any(|key| self.policy.protected.contains(key))
    }

    /// True if the directory lists the account of a ledger's line.
    pub(super) fn has_appeared(&mut self, entry: &LedgerEntry) -> bool {
        self.needs_directory |= self.directory.is_none();
        self.directory.is_some_and(|directory| directory.members.contains_key(&entry.userid.key()))
    }

    /// True if the grace period of a leaver is over.
    pub(super) fn grace_is_over(&self, entry: &LedgerEntry) -> bool {
        entry
            .left_at
            .and_then(|left| left.checked_add_signed(self.policy.grace))
            .is_some_and(|end| end <= self.now)
    }

    /// True if the member who blocked a record, or who had its value, has left the directory. The check is repeated as
    /// long as a record waits for that.
    fn is_gone(&mut self, rejection: &Rejection, wanted: Option<&Member>) -> bool {
        let in_the_way = match rejection.waits_for {
            WaitsFor::Userid => wanted.map(|member| MemberKey::of(&member.userid)),
            _ if rejection.waits_for.value().is_some() => rejection.held_by.as_ref().map(UserId::key),
            _ => None,
        };
        let Some(key) = in_the_way else { return false };
        self.needs_directory |= self.directory.is_none();
        self.directory.is_some_and(|directory| !directory.members.contains_key(&key))
    }

    /// Decides if a rejected record is tried again: with another decision or other rules, when a person asks, when the
    /// value it waits for is freed or its holder has left, or when its time has come. Rejections by the plan alone are
    /// examined anew each time.
    pub(super) fn again(
        &mut self,
        stored: Option<&StoredRejection>,
        (decision, rules): (&Digest, &Digest),
        wanted: Option<&Member>,
    ) -> RetryDecision {
        let Some(stored) = stored.filter(|stored| stored.decision == *decision && stored.rules == *rules)
        else {
            return RetryDecision::Tries(0);
        };
        let rejection = &stored.rejection;
        let is_freed = |field: UniqueField| {
            let value = wanted.and_then(|member| field.of(member));
            value.is_some_and(|value| self.freed.contains(&value_key(field, value)))
        };
        match rejection.by {
            RejectedBy::Guest | RejectedBy::Plan => return RetryDecision::Tries(0),
            _ if self.policy.retry => {}
            RejectedBy::Person => return RetryDecision::Stands(rejection.clone()),
            RejectedBy::Wecom if rejection.waits_for.value().is_some_and(is_freed) => {}
            RejectedBy::Wecom if self.is_gone(rejection, wanted) => {}
            RejectedBy::Wecom => {
                // An entry of a store that knew no time of retrying is tried at once.
                let due = rejection.retry_at.is_none_or(|at| at <= self.now);
                if !due || self.retried >= RETRIED_AT_MOST {
                    return RetryDecision::Stands(rejection.clone());
                }
                self.retried += 1;
            }
        }
        RetryDecision::Tries(rejection.tries)
    }
}
