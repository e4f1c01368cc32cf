//! A world in memory that feeds the planner the way the store does: tenants of one corp, their records, the ledger.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Candidate, Claimant, Counts, Directory, Disposition, GuardVerdict, Holder, Leader, Leaver, MemberClaim,
    Plan, Planner, Policy, RecentLeavers, RecordPlan, RecordState, Resolution, Scope, StoredRejection,
    Survey, Totals, comparable_mobile, freed as freed_by,
};
use ruzhi_model::{
    Decision, Digest, DigestOfParts, FlowId, LedgerEntry, Member, MemberKey, MemberState, Operation, Origin,
    RecordId, Rejection, TenantId,
};

/// Everything known of one corp.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Records of every tenant, including the absent ones.
    pub records: BTreeMap<Origin, RecordState>,
    /// Records that the last complete collect did not find.
    pub absent: BTreeSet<Origin>,
    /// The ledger's lines, by the tenant that owns them.
    pub ledger: BTreeMap<(TenantId, MemberKey), LedgerEntry>,
    /// An absent row means that its person left.
    pub absent_leaves: bool,
    /// The reasons the records of leavers that only the ledger mentions are in quarantine.
    pub leaver_rejections: BTreeMap<Origin, StoredRejection>,
    /// The recent leavers.
    pub recent_leavers: RecentLeavers,
}

/// A plan with everything the store would keep of it.
#[derive(Debug, Clone)]
pub struct PlanResult {
    pub plan: Plan,
    /// In the order they are applied: by wave, and in the planner's order within one.
    pub operations: Vec<Operation>,
    pub waves: Vec<u32>,
    pub dispositions: BTreeMap<Origin, Disposition>,
    /// Rejections that hold nothing else of a record back.
    pub pending: BTreeMap<Origin, Rejection>,
    /// The results for leavers that only the ledger mentions.
    pub leavers: BTreeMap<Origin, Disposition>,
    /// A first look without the directory found that the plan depends on it.
    pub needed_directory: bool,
}

/// The records shown to the planner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateSelection {
    /// Every one that asks for something.
    All,
    /// Those the store selects, then those with a contested claim.
    Candidates,
}

/// The parts of a plan that do not depend on the number of records shown.
type PlanTotals = (Vec<Operation>, Vec<u32>, Counts, GuardVerdict, u64);

impl PlanResult {
    fn result(&self) -> PlanTotals {
        let Plan { counts, guard, owned, .. } = &self.plan;
        (self.operations.clone(), self.waves.clone(), *counts, guard.clone(), *owned)
    }
}

/// The member a decision names.
pub fn named(resolution: &Resolution) -> Option<MemberKey> {
    match resolution {
        Resolution::Decided(Decision::Upsert(member)) => Some(MemberKey::of(&member.userid)),
        Resolution::Decided(Decision::Leave(userid)) => Some(MemberKey::of(userid)),
        _ => None,
    }
}

fn mobile_of(member: &Member) -> Option<String> {
    member.mobile.as_deref().filter(|mobile| !mobile.is_empty()).map(comparable_mobile)
}

impl World {
    pub fn new(records: Vec<RecordState>, ledger: Vec<LedgerEntry>) -> Self {
        let mut world = Self::default();
        for record in records {
            world.put(record);
        }
        for line in ledger {
            world.write(line);
        }
        world
    }

    pub fn put(&mut self, record: RecordState) {
        self.absent.remove(&record.origin);
        self.records.insert(record.origin.clone(), record);
    }

    pub fn write(&mut self, line: LedgerEntry) {
        self.ledger.insert((line.owner.tenant.clone(), line.userid.key()), line);
    }

    pub fn scope(&self, tenant: &TenantId, flow: &FlowId, policy: &Policy, now: DateTime<Utc>) -> Scope {
        let of_records = self.records.keys().map(|origin| &origin.tenant);
        let of_ledger = self.ledger.keys().map(|(tenant, _)| tenant);
        let mut tenants: BTreeSet<TenantId> = of_records.chain(of_ledger).cloned().collect();
        tenants.insert(tenant.clone());
        Scope {
            tenant: tenant.clone(),
            flow: flow.clone(),
            tenants: tenants.into_iter().collect(),
            absent_leaves: self.absent_leaves,
            grace_over: now - policy.grace,
            day: now - TimeDelta::days(1),
            week: now - TimeDelta::days(7),
        }
    }

    fn present(&self) -> impl Iterator<Item = &RecordState> {
        self.records.values().filter(|record| !self.absent.contains(&record.origin))
    }

    /// The line of the member a decision names: one in the directory before one that is not, `own` before another's.
    fn line(&self, key: &MemberKey, own: &TenantId, only_own: bool) -> Option<&LedgerEntry> {
        let named = self.ledger.values().filter(|line| line.decided_as == *key);
        let named = named.filter(|line| !only_own || line.owner.tenant == *own);
        named.max_by_key(|line| (line.exists(), line.owner.tenant == *own))
    }

    pub fn survey(&self, scope: &Scope) -> Survey {
        let claimants = self.claimants();
        let keys: BTreeSet<&MemberKey> = claimants.iter().map(|claimant| &claimant.member).collect();
        let holder = |key: &MemberKey| {
            let line = self.line(key, &scope.tenant, false).filter(|line| line.exists())?;
            let holder = Holder { owner: line.owner.clone(), mobile: mobile_of(&line.written) };
            Some((key.clone(), holder))
        };
        let holders: HashMap<MemberKey, Holder> = keys.into_iter().filter_map(holder).collect();
        let owned =
            self.ledger.values().filter(|line| line.exists() && line.owner.tenant == scope.tenant).count();
        Survey {
            totals: self.totals(scope),
            owned: owned as u64,
            stamp: self.stamp(),
            claimants,
            holders,
            recent_leavers: self.recent_leavers.clone(),
        }
    }

    fn totals(&self, scope: &Scope) -> Totals {
        let mut totals = Totals::default();
        let ours =
            |record: &&RecordState| record.origin.tenant == scope.tenant && record.origin.flow == scope.flow;
        for record in self.present().filter(ours) {
            match &record.resolution {
                Resolution::Decided(Decision::Upsert(_)) => totals.upserts += 1,
                Resolution::Decided(Decision::Leave(userid)) => {
                    match self.line(&MemberKey::of(userid), &scope.tenant, true) {
                        Some(_) => totals.leavers += 1,
                        None => totals.strangers += 1,
                    }
                }
                Resolution::Decided(Decision::Ignore(_)) => totals.ignored += 1,
                _ => {}
            }
        }
        totals
    }

    fn stamp(&self) -> Digest {
        let mut digest = DigestOfParts::new();
        for record in self.present() {
            digest.json(&(&record.origin, &record.decision, &record.rules));
        }
        for line in self.ledger.values() {
            digest.json(&LedgerEntry { carried_out: None, rules: Digest::of(""), ..line.clone() });
        }
        digest.finish()
    }

    fn claimants(&self) -> Vec<Claimant> {
        let claims: Vec<Claimant> = self
            .present()
            .filter_map(|record| {
                let claim = match &record.resolution {
                    Resolution::Decided(Decision::Upsert(member)) => MemberClaim::Upsert(mobile_of(member)),
                    Resolution::Decided(Decision::Leave(_)) => MemberClaim::Leave,
                    _ => return None,
                };
                Some(Claimant {
                    origin: record.origin.clone(),
                    decision: record.decision.clone(),
                    member: named(&record.resolution)?,
                    claim,
                })
            })
            .collect();
        let mobile = |claim: &Claimant| match &claim.claim {
            MemberClaim::Upsert(mobile) => mobile.clone(),
            MemberClaim::Leave => None,
        };
        let shared = |claim: &&Claimant| {
            let same_member = claims.iter().filter(|other| other.member == claim.member).count();
            let same_mobile = claims.iter().filter(|other| mobile(other) == mobile(claim)).count();
            same_member > 1 || (mobile(claim).is_some() && same_mobile > 1)
        };
        claims.iter().filter(shared).cloned().collect()
    }

    /// A record as it is shown to a plan.
    fn candidate(&self, scope: &Scope, record: &RecordState) -> Candidate {
        let mut record = record.clone();
        if self.absent.contains(&record.origin) {
            record.absent = true;
            if let Resolution::Decided(Decision::Upsert(member)) = &record.resolution {
                record.resolution = Resolution::Decided(Decision::Leave(member.userid.clone()));
            }
            record.decision = Digest::of_parts([b"absent".as_slice(), record.decision.as_str().as_bytes()]);
        }
        let key = named(&record.resolution);
        let leaves = matches!(record.resolution, Resolution::Decided(Decision::Leave(_)));
        let entry = key.as_ref().and_then(|key| self.line(key, &scope.tenant, leaves)).cloned();
        let also_owns = self
            .ledger
            .values()
            .filter(|line| line.state == MemberState::Active && line.owner == record.origin)
            .filter(|line| Some(&line.decided_as) != key.as_ref())
            .map(|line| line.userid.clone())
            .collect();
        let leaders = match &record.resolution {
            Resolution::Decided(Decision::Upsert(member)) => member.direct_leader.clone().unwrap_or_default(),
            _ => Vec::new(),
        };
        let leaders = leaders.iter().map(|leader| self.leader(MemberKey::of(leader))).collect();
        Candidate { record, entry, also_owns, leaders }
    }

    fn leader(&self, key: MemberKey) -> Leader {
        let there = self.ledger.values().any(|line| line.exists() && line.userid.key() == key);
        let asked_for = self.upserts_of(&key).next().is_some();
        Leader { key, there, asked_for }
    }

    /// Records that want a member in the directory.
    fn upserts_of(&self, key: &MemberKey) -> impl Iterator<Item = &Origin> {
        let key = key.clone();
        self.present()
            .filter(|record| matches!(record.resolution, Resolution::Decided(Decision::Upsert(_))))
            .filter(move |record| named(&record.resolution).as_ref() == Some(&key))
            .map(|record| &record.origin)
    }

    /// The leavers of a tenant who have something left to do according to the ledger.
    fn leavers(&self, scope: &Scope) -> Vec<Leaver> {
        let left = |line: &&LedgerEntry| {
            line.owner.tenant == scope.tenant
                && line.state == MemberState::Left
                && line.left_at.is_none_or(|left| left <= scope.grace_over)
        };
        let leaver = |line: &LedgerEntry| Leaver {
            entry: line.clone(),
            wanted_by: self.upserts_of(&line.decided_as).cloned().collect(),
            rejection: self.leaver_rejections.get(&line.owner).cloned(),
        };
        self.ledger.values().filter(left).map(leaver).collect()
    }

    /// True if the store selects the record as one that may ask for something.
    fn may_ask(&self, scope: &Scope, record: &RecordState) -> bool {
        let absent = self.absent.contains(&record.origin);
        let own = |key: &MemberKey| -> Vec<&LedgerEntry> {
            let of_tenant = |line: &&LedgerEntry| line.owner.tenant == scope.tenant;
            self.ledger.values().filter(of_tenant).filter(|line| line.decided_as == *key).collect()
        };
        let to_part_with = |line: &&LedgerEntry| match line.state {
            MemberState::Active | MemberState::Removed => true,
            MemberState::Left => false,
            MemberState::Deleted => line.may_appear(),
        };
        match &record.resolution {
            Resolution::Decided(Decision::Ignore(_)) => false,
            Resolution::Decided(Decision::Upsert(member)) if absent => {
                let key = MemberKey::of(&member.userid);
                let upserts = |other: &RecordState| {
                    matches!(other.resolution, Resolution::Decided(Decision::Upsert(_)))
                        && named(&other.resolution).as_ref() == Some(&key)
                };
                self.absent_leaves
                    && own(&key).iter().any(|line| line.owner == record.origin && to_part_with(line))
                    && !self.present().any(upserts)
            }
            _ if absent => false,
            Resolution::Decided(Decision::Upsert(member)) => {
                !own(&MemberKey::of(&member.userid)).iter().any(|line| {
                    line.state == MemberState::Active
                        && !line.doubtful
                        && line.owner == record.origin
                        && line.carried_out.as_ref() == Some(&record.decision)
                })
            }
            Resolution::Decided(Decision::Leave(userid)) => {
                own(&MemberKey::of(userid)).iter().any(to_part_with)
            }
            _ => true,
        }
    }

    /// The records of a flow as they are shown to the planner, in order.
    pub fn shown(&self, scope: &Scope, contested: &[Origin], shown: CandidateSelection) -> Vec<Candidate> {
        let ours =
            |record: &&RecordState| record.origin.tenant == scope.tenant && record.origin.flow == scope.flow;
        let says_something = |record: &&RecordState| {
            let ignores = matches!(record.resolution, Resolution::Decided(Decision::Ignore(_)));
            !ignores && (self.may_ask(scope, record) || !self.absent.contains(&record.origin))
        };
        let ours: Vec<&RecordState> = self.records.values().filter(ours).collect();
        let asked: Vec<&RecordState> = match shown {
            CandidateSelection::All => ours.into_iter().filter(says_something).collect(),
            CandidateSelection::Candidates => {
                let (mut asking, others): (Vec<_>, Vec<_>) =
                    ours.into_iter().partition(|record| self.may_ask(scope, record));
                let contested = |record: &&RecordState| contested.binary_search(&record.origin).is_ok();
                asking.extend(others.into_iter().filter(contested));
                asking
            }
        };
        asked.into_iter().map(|record| self.candidate(scope, record)).collect()
    }

    fn planned(
        &self,
        scope: &Scope,
        directory: Option<&Directory>,
        policy: &Policy,
        now: DateTime<Utc>,
        shown: CandidateSelection,
    ) -> PlanResult {
        let survey = self.survey(scope);
        let mut freed = HashSet::new();
        let mut asked: Option<&Directory> = None;
        let mut needed_directory = false;
        for round in 0..10 {
            let mut look = Planner::new(scope, &survey, asked, &freed, policy, now);
            let mut found = HashSet::new();
            let mut take = |record_plan: RecordPlan| {
                if let Disposition::Operation(operation) = record_plan.disposition {
                    found.extend(freed_by(&operation).into_iter().map(|(_, value)| value));
                }
            };
            for leaver in self.leavers(scope) {
                take(look.part_with(&leaver));
            }
            for candidate in self.shown(scope, &look.contested(), shown) {
                take(look.consider(&candidate));
            }
            if round == 0 {
                needed_directory = look.needs_directory();
                asked = directory.filter(|_| needed_directory);
            } else if found == freed {
                break;
            }
            freed = found;
        }
        let mut planner = Planner::new(scope, &survey, asked, &freed, policy, now);
        let mut operations: Vec<Operation> = Vec::new();
        let (mut dispositions, mut pending, mut leavers) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for leaver in self.leavers(scope) {
            let RecordPlan { disposition, .. } = planner.part_with(&leaver);
            if let Disposition::Operation(operation) = &disposition {
                operations.push(Operation::clone(operation));
            }
            leavers.insert(leaver.entry.owner, disposition);
        }
        for candidate in self.shown(scope, &planner.contested(), shown) {
            let RecordPlan { disposition, pending: waits } = planner.consider(&candidate);
            if let Disposition::Operation(operation) = &disposition {
                operations.push(Operation::clone(operation));
            }
            pending.extend(waits.map(|rejection| (candidate.record.origin.clone(), rejection)));
            dispositions.insert(candidate.record.origin, disposition);
        }
        let (plan, ordered) = planner.finish();
        for (place, field) in ordered.parks {
            operations[place] = operations[place].clone().parking(field);
        }
        for (place, field) in ordered.held_back {
            operations[place] = operations[place].clone().holding_back(field);
        }
        let mut waves = vec![0; operations.len()];
        for (place, wave) in ordered.waves {
            waves[place] = wave;
        }
        let mut order: Vec<usize> = (0..operations.len()).collect();
        order.sort_by_key(|place| waves[*place]);
        let operations = order.iter().map(|place| operations[*place].clone()).collect();
        let waves = order.iter().map(|place| waves[*place]).collect();
        PlanResult { plan, operations, waves, dispositions, pending, leavers, needed_directory }
    }

    /// The plan of a flow. It is made twice, once shown every record and once shown only those that may ask for
    /// something: both must have the same result, and skipped records must have had nothing to ask.
    pub fn plan(
        &self,
        (tenant, flow): (&TenantId, &FlowId),
        directory: Option<&Directory>,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> PlanResult {
        let scope = self.scope(tenant, flow, policy, now);
        let all = self.planned(&scope, directory, policy, now, CandidateSelection::All);
        let mut few = self.planned(&scope, directory, policy, now, CandidateSelection::Candidates);
        assert_eq!(all.result(), few.result(), "what is passed over changes the plan of {self:#?}");
        for (origin, disposition) in &all.dispositions {
            let passed_over = !few.dispositions.contains_key(origin);
            let silent = matches!(
                disposition,
                Disposition::Unchanged { confirmed: false } | Disposition::Ignored { .. }
            );
            assert!(!passed_over || silent, "{origin} is passed over and {disposition:?}");
        }
        few.dispositions = all.dispositions;
        few
    }
}

/// A record id: rows are created in the order of their numbers.
pub fn id(n: u32) -> RecordId {
    format!("{n:024x}").parse().unwrap()
}

/// A record with its decision on it.
pub fn decided(origin: Origin, decision: Decision, rules: Digest) -> RecordState {
    let digest = Digest::of(serde_json::to_vec(&decision).unwrap());
    RecordState {
        origin,
        resolution: Resolution::Decided(decision),
        decision: digest,
        rules,
        fetched: "rtest".parse().unwrap(),
        rejection: None,
        absent: false,
    }
}
