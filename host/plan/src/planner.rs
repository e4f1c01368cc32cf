//! From the state of the world to a plan.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, json};

use super::change::{MemberChange, act};
use super::conflicts::{self, Conflict, Conflicts, named};
use super::disposition::{Disposition, RecordPlan, UNCHANGED, rejected};
use super::draft::{Draft, Plan, Purpose};
use super::reasons::protected;
use super::waves::{OperationOrder, value_key};
use super::world::{
    Candidate, Directory, Leaver, Policy, Resolution, Scope, StoredRejection, Survey, Totals,
};
use ruzhi_model::{
    Decision, Digest, LedgerEntry, Member, MemberKey, MemberState, Operation, OperationKind, Origin,
    RejectedBy, Rejection, Text, UniqueField, UserId, WaitsFor,
};

/// Limit on the plans of a run, which plans again when values were parked, direct leaders follow or members were not
/// found. The guard judges each plan.
pub const PASSES: usize = 8;

/// The decision to try a rejected record again, or not.
pub(super) enum RetryDecision {
    /// The rejection stands.
    Stands(Rejection),
    /// It is tried, after so many rejections.
    Tries(u32),
}

/// Makes the plan of one flow from its candidates, one after the other. It is a fold without any side effect: the same
/// survey, candidates, directory, policy and moment give the same plan.
pub struct Planner<'a> {
    scope: &'a Scope,
    pub(super) directory: Option<&'a Directory>,
    /// Unique values that this plan frees, where a first look has found them.
    pub(super) freed: &'a HashSet<u64>,
    pub(super) policy: &'a Policy,
    pub(super) now: DateTime<Utc>,
    conflicts: Conflicts,
    pub(super) needs_directory: bool,
    /// Records that are tried again because their time has come.
    retried: u32,
    draft: Draft,
    totals: Totals,
}

/// Limit on records that one plan tries again because their time has come after a rejection by WeCom.
const RETRIED_AT_MOST: u32 = 200;

impl<'a> Planner<'a> {
    /// A planner that has seen no candidate yet. Without a directory the plan may turn out to need one.
    pub fn new(
        scope: &'a Scope,
        survey: &Survey,
        directory: Option<&'a Directory>,
        freed: &'a HashSet<u64>,
        policy: &'a Policy,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            scope,
            directory,
            freed,
            policy,
            now,
            conflicts: conflicts::resolve(survey, policy.duplicates),
            needs_directory: false,
            retried: 0,
            draft: Draft::new(scope.tenant.clone(), scope.flow.clone(), Purpose::Sync, policy.retry, survey),
            totals: survey.totals,
        }
    }

    /// Records of the flow with an obstacle to their claim: they are candidates whatever the ledger says.
    pub fn contested(&self) -> Vec<Origin> {
        let ours = |origin: &&Origin| origin.tenant == self.scope.tenant && origin.flow == self.scope.flow;
        let mut contested: Vec<Origin> = self.conflicts.keys().filter(ours).cloned().collect();
        contested.sort();
        contested
    }

    /// True if the plan creates members or changes departments and was made without the directory.
    pub fn needs_directory(&self) -> bool {
        self.needs_directory
    }

    /// The result for a record.
    pub fn consider(&mut self, candidate: &Candidate) -> RecordPlan {
        let record_plan = self.plan_record(candidate);
        self.draft.add(&candidate.record.origin, &record_plan);
        let total = match &candidate.record.resolution {
            // A row that is gone is in no total.
            _ if candidate.record.absent => return record_plan,
            Resolution::Decided(Decision::Upsert(_)) => &mut self.totals.upserts,
            Resolution::Decided(Decision::Leave(_)) if candidate.entry.is_some() => &mut self.totals.leavers,
            Resolution::Decided(Decision::Leave(_)) => &mut self.totals.strangers,
            _ => return record_plan,
        };
        *total = total.saturating_sub(1);
        record_plan
    }

    /// The result for a leaver of the ledger: disabled again if that is in doubt, deleted once the grace period is
    /// over. A record that wants the person in the directory prevents it, unless a newer one overrules it.
    pub fn part_with(&mut self, leaver: &Leaver) -> RecordPlan {
        let record_plan = RecordPlan::from(self.leaves_for_good(leaver));
        self.draft.add(&leaver.entry.owner, &record_plan);
        record_plan
    }

    fn leaves_for_good(&mut self, leaver: &Leaver) -> Disposition {
        let entry = &leaver.entry;
        let kind = match entry.left_at {
            None => OperationKind::Disable,
            Some(_) if self.grace_is_over(entry) => OperationKind::Delete,
            Some(_) => return UNCHANGED,
        };
        // A record that is itself rejected neither restores anyone's access nor deletes anyone.
        let gives_way = |origin: &Origin| match self.conflicts.get(origin) {
            Some(Conflict::Overruled(_)) => true,
            Some(Conflict::Rejected(_)) => kind == OperationKind::Disable,
            Some(Conflict::SameAs(_)) | None => false,
        };
        if entry.state != MemberState::Left || !leaver.wanted_by.iter().all(gives_way) {
            return UNCHANGED;
        }
        if self.policy.protected.contains(&entry.userid.key())
            || self.policy.protected.contains(&entry.decided_as)
        {
            return rejected(vec![protected()]);
        }
        let decision = Digest::of_parts([b"leaver".as_slice(), entry.userid.key().as_str().as_bytes()]);
        let again = match self.again(leaver.rejection.as_ref(), (&decision, &entry.rules), None) {
            RetryDecision::Stands(rejection) => return Disposition::Rejected { rejection },
            RetryDecision::Tries(tries) => tries,
        };
        let mut body = Map::from_iter([("userid".to_owned(), json!(entry.userid))]);
        if kind == OperationKind::Disable {
            body.insert("enable".to_owned(), json!(0));
        }
        Disposition::Operation(Box::new(Operation {
            kind,
            userid: entry.userid.clone(),
            flow: entry.owner.flow.clone(),
            record: entry.owner.record.clone(),
            body,
            member: entry.written.clone(),
            before: Some(entry.clone()),
            decision,
            rules: entry.rules.clone(),
            left: true,
            names: None,
            partial: false,
            parks: None,
            tries: again,
            notes: Vec::new(),
            undoes: false,
        }))
    }

    /// The plan, and the order of its operations.
    pub fn finish(mut self) -> (Plan, OperationOrder) {
        let Totals { upserts, leavers, strangers, ignored } = self.totals;
        self.draft.pass_over(upserts + leavers, strangers + ignored);
        self.draft.finish(&self.policy.guard)
    }

    fn plan_record(&mut self, candidate: &Candidate) -> RecordPlan {
        let record = &candidate.record;
        if let Resolution::Decided(Decision::Upsert(member)) = &record.resolution
            && !self.conflicts.contains_key(&record.origin)
        {
            return self.upsert(candidate, member);
        }
        self.dispose(candidate).into()
    }

    fn dispose(&mut self, candidate: &Candidate) -> Disposition {
        let record = &candidate.record;
        match self.conflicts.get(&record.origin) {
            Some(Conflict::Rejected(violation)) => return rejected(vec![violation.clone()]),
            Some(Conflict::SameAs(other)) => {
                return self.beside(other, "the same person as record", "与记录相同：");
            }
            Some(Conflict::Overruled(other)) if other.tenant != record.origin.tenant => {
                return self.beside(other, "this person moves to record", "此人转至记录：");
            }
            Some(Conflict::Overruled(other)) => {
                return self.beside(other, "a newer record speaks of this person:", "已有更新的记录：");
            }
            None => {}
        }
        match &record.resolution {
            Resolution::Failed(reason) => Disposition::Failed { reason: reason.clone() },
            Resolution::Decided(Decision::Ignore(reason)) => {
                Disposition::Ignored { reason: Text::new(reason, reason) }
            }
            Resolution::Decided(Decision::Reject(violations)) => {
                Disposition::Rejected { rejection: Rejection::new(RejectedBy::Guest, violations.clone()) }
            }
            // Conflicts with its claim have been handled above.
            Resolution::Decided(Decision::Upsert(_)) => UNCHANGED,
            Resolution::Decided(Decision::Leave(_)) => self.leave(candidate),
        }
    }

    fn beside(&self, other: &Origin, en: &str, zh: &str) -> Disposition {
        let name = named(other, &self.scope.tenant);
        Disposition::Ignored { reason: Text::new(format!("{en} {name}"), format!("{zh}{name}")) }
    }

    fn leave(&mut self, candidate: &Candidate) -> Disposition {
        let record = &candidate.record;
        let ours = candidate.entry.as_ref().filter(|entry| entry.owner.tenant == record.origin.tenant);
        let Some(entry) = ours else {
            return Disposition::Ignored {
                reason: Text::new(
                    "has left, and was never a member that ruzhi created",
                    "已离职，且不是 ruzhi 创建的成员",
                ),
            };
        };
        let kind = match entry.state {
            // A lost create may have happened since: then there is someone to disable.
            MemberState::Deleted if entry.may_appear() && self.has_appeared(entry) => OperationKind::Disable,
            MemberState::Deleted => return UNCHANGED,
            // Only the ledger says what is left to do with a leaver.
            MemberState::Left => return UNCHANGED,
            MemberState::Removed if !entry.removal_is_unsure() => OperationKind::Keep,
            // The directory is listed once more before the removal is believed for good.
            MemberState::Removed if self.has_appeared(entry) => OperationKind::Disable,
            MemberState::Removed if self.directory.is_none() => return UNCHANGED,
            MemberState::Removed if entry.removal_can_be_settled(self.now) => OperationKind::Keep,
            MemberState::Removed => return UNCHANGED,
            MemberState::Active => OperationKind::Disable,
        };
        if self.is_protected(candidate) {
            return rejected(vec![protected()]);
        }
        let decided = (&record.decision, &record.rules);
        let stored = record.rejection.as_ref().filter(|stored| stored.rejection.blocks());
        let tries = match self.again(stored, decided, None) {
            RetryDecision::Stands(rejection) => return Disposition::Rejected { rejection },
            RetryDecision::Tries(tries) => tries,
        };
        let mut body = Map::new();
        if kind == OperationKind::Disable {
            body.insert("userid".to_owned(), json!(entry.userid));
            body.insert("enable".to_owned(), json!(0));
        }
        let (userid, member) = (entry.userid.clone(), entry.written.clone());
        let change = MemberChange { kind, userid, body, member, partial: false, notes: Vec::new() };
        act(candidate, change, tries, true)
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

    fn has_appeared(&mut self, entry: &LedgerEntry) -> bool {
        self.needs_directory |= self.directory.is_none();
        self.directory.is_some_and(|directory| directory.members.contains_key(&entry.userid.key()))
    }

    fn grace_is_over(&self, entry: &LedgerEntry) -> bool {
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
