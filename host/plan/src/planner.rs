//! From the state of the world to a plan.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Map, json};

use super::change::{MemberChange, act};
use super::conflicts::{self, Conflict, Conflicts, named};
use super::context::{PlanContext, RetryDecision};
use super::disposition::{Disposition, RecordPlan, UNCHANGED, rejected};
use super::draft::{Draft, Plan, Purpose};
use super::reasons::protected;
use super::waves::OperationOrder;
use super::world::{Candidate, Directory, Leaver, Policy, Resolution, Scope, Survey, Totals};
use ruzhi_model::{
    Decision, Digest, MemberState, Operation, OperationKind, Origin, RejectedBy, Rejection, Text,
};

/// Limit on the plans of a run, which plans again when values were parked, direct leaders follow or members were not
/// found. The guard judges each plan.
pub const PASSES: usize = 8;

/// Makes the plan of one flow from its candidates, one after the other. It is a fold without any side effect: the same
/// survey, candidates, directory, policy and moment give the same plan.
pub struct Planner<'a> {
    scope: &'a Scope,
    context: PlanContext<'a>,
    conflicts: Conflicts,
    draft: Draft,
    totals: Totals,
}

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
            context: PlanContext::new(directory, freed, policy, now),
            conflicts: conflicts::resolve(survey, policy.duplicates),
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
        self.context.needs_directory
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
            Some(_) if self.context.grace_is_over(entry) => OperationKind::Delete,
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
        if self.context.policy.protected.contains(&entry.userid.key())
            || self.context.policy.protected.contains(&entry.decided_as)
        {
            return rejected(vec![protected()]);
        }
        let decision = Digest::of_parts([b"leaver".as_slice(), entry.userid.key().as_str().as_bytes()]);
        let again = match self.context.again(leaver.rejection.as_ref(), (&decision, &entry.rules), None) {
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
        self.draft.finish(&self.context.policy.guard)
    }

    fn plan_record(&mut self, candidate: &Candidate) -> RecordPlan {
        let record = &candidate.record;
        if let Resolution::Decided(Decision::Upsert(member)) = &record.resolution
            && !self.conflicts.contains_key(&record.origin)
        {
            return self.context.upsert(candidate, member);
        }
        self.dispose(candidate).into()
    }

    fn dispose(&mut self, candidate: &Candidate) -> Disposition {
        let record = &candidate.record;
        match self.conflicts.get(&record.origin) {
            Some(Conflict::Rejected(rejection)) => {
                return Disposition::Rejected { rejection: rejection.clone() };
            }
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
            MemberState::Deleted if entry.may_appear() && self.context.has_appeared(entry) => {
                OperationKind::Disable
            }
            MemberState::Deleted => return UNCHANGED,
            // Only the ledger says what is left to do with a leaver.
            MemberState::Left => return UNCHANGED,
            MemberState::Removed if !entry.removal_is_unsure() => OperationKind::Keep,
            // The directory is listed once more before the removal is believed for good.
            MemberState::Removed if self.context.has_appeared(entry) => OperationKind::Disable,
            MemberState::Removed if self.context.directory.is_none() => return UNCHANGED,
            MemberState::Removed if entry.removal_can_be_settled(self.context.now) => OperationKind::Keep,
            MemberState::Removed => return UNCHANGED,
            MemberState::Active => OperationKind::Disable,
        };
        if self.context.is_protected(candidate) {
            return rejected(vec![protected()]);
        }
        let decided = (&record.decision, &record.rules);
        let stored = record.rejection.as_ref().filter(|stored| stored.rejection.blocks());
        let tries = match self.context.again(stored, decided, None) {
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
}
