//! A company of two tenants over one directory: its rows, the store's contents, and a run's calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;
use serde_json::Value;

use super::directory::{Fault, Model, expected};
use crate::gate::{Attribution, WriteGate};
use crate::outcome::{
    ListingCheck, OperationOutcome, OutcomeContext, after, mobile_not_taken, not_found, read,
};
use crate::recovery::read_back;
use ruzhi_model::{
    Decision, Digest, FlowId, LedgerEntry, Member, MemberKey, MemberState, Membership, Operation,
    OperationKind, OperationState, Origin, Rejection, TenantId, UniqueField, Violation,
};
use ruzhi_plan::PASSES;
use ruzhi_plan::testing::world::{PlanResult, World, decided, id};
use ruzhi_plan::{
    Disposition, DuplicatePolicy, ExistingPolicy, Guard, Policy, RemovedPolicy, StoredRejection,
    comparable_mobile, freed,
};
use ruzhi_store::Settlement;
use ruzhi_wecom::{WriteAnswer, WriteVerdict};

/// Operations marked as `sending` together, ahead of their calls.
const WINDOW: usize = 3;
/// As in a run.
const ROUNDS: usize = 3;

/// The contents of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    On,
    Left,
    Wrong,
    Silent,
}

/// A row of the form.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) userid: u8,
    pub(super) mobile: u8,
    pub(super) email: u8,
    pub(super) department: u32,
    pub(super) leads: bool,
    /// The direct leader: `USERIDS` and more name no member.
    pub(super) leader: Option<u8>,
    pub(super) position: u8,
    pub(super) state: State,
}

pub(super) fn userid(n: u8) -> String {
    format!("u{n}")
}

pub(super) fn mobile(n: u8) -> String {
    format!("1380000000{n}")
}

/// The rules' decision on a row; each version sets more fields than the one before, except the last.
fn decide(row: &Row, version: u8) -> Decision {
    let text = |n: u8| if n == 0 { String::new() } else { format!("text {n}") };
    match row.state {
        State::On => Decision::Upsert(Box::new(Member {
            userid: if row.position == 2 { userid(row.userid).to_uppercase() } else { userid(row.userid) },
            name: format!("name of {}", row.userid),
            mobile: Some(mobile(row.mobile)),
            memberships: vec![Membership { department: row.department, leader: row.leads, order: None }],
            position: (version > 0).then(|| text(row.position)),
            email: (version > 1)
                .then(|| if row.email == 0 { String::new() } else { format!("e{}@x.cn", row.email) }),
            direct_leader: (version > 0).then(|| row.leader.map(userid).into_iter().collect()),
            alias: (version == 2).then(|| text(row.position)),
            to_invite: (version > 0).then_some(true),
            ..Member::default()
        })),
        State::Left => Decision::Leave(userid(row.userid)),
        State::Silent => Decision::Ignore("not on duty".to_owned()),
        State::Wrong => Decision::Reject(vec![Violation {
            field: "mobile".to_owned(),
            rule: "mobile.invalid".to_owned(),
            message: "…".into(),
        }]),
    }
}

/// The moment the process of a run dies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crash {
    /// After this many calls.
    pub(super) calls: usize,
}

/// The conditions of one run.
#[derive(Debug, Clone)]
pub(super) struct Weather {
    /// The fault of each call, again from the first when they are used up; none for fair weather.
    pub(super) faults: Vec<Fault>,
    pub(super) crash: Option<Crash>,
    /// Outcomes that are stored a few at a time rather than at once.
    pub(super) stored_together: usize,
    /// A person asks for quarantined records to be tried again.
    pub(super) full: bool,
}

impl Weather {
    pub(super) fn fair(full: bool) -> Self {
        Self { faults: vec![], crash: None, stored_together: 1, full }
    }
}

struct DueOperation {
    place: usize,
    later: bool,
    operation: Arc<Operation>,
    doubt: bool,
    called: bool,
}

/// A run in progress.
struct Run {
    tenant: TenantId,
    weather: Weather,
    calls: usize,
    halted: bool,
    crashed: bool,
    again: BTreeMap<usize, DueOperation>,
    not_found: Vec<ListingCheck>,
    /// Attributes rejections, and knows the places.
    gate: WriteGate,
    /// Rejected, and not yet known if the record or the tenant is at fault.
    open: Vec<(DueOperation, WriteAnswer)>,
    /// The plan leaves something to another one of this run.
    plan_again: bool,
    unstored: Vec<Settlement>,
    moved: usize,
}

pub(super) struct Company {
    pub(super) world: World,
    pub(super) directory: Model,
    pub(super) rows: BTreeMap<(usize, u32), Row>,
    pub(super) version: u8,
    pub(super) now: DateTime<Utc>,
    pub(super) tenants: [TenantId; 2],
    /// The policy on members who are removed by hand.
    pub(super) removed: RemovedPolicy,
    /// Members whom someone deleted by hand and the ledger still has: ruzhi does not notice until it writes them.
    pub(super) deleted_by_hand: BTreeSet<MemberKey>,
    /// Operations stored as `sending`.
    sending: BTreeMap<(TenantId, usize), Arc<Operation>>,
    next_row: u32,
}

impl Company {
    pub(super) fn new() -> Self {
        Self {
            world: World::default(),
            directory: Model::default(),
            rows: BTreeMap::new(),
            version: 1,
            now: "2026-05-01T08:00:00Z".parse().unwrap_or_default(),
            tenants: ["factory", "office"].map(|tenant| tenant.parse().unwrap()),
            removed: RemovedPolicy::Ask,
            deleted_by_hand: BTreeSet::new(),
            sending: BTreeMap::new(),
            next_row: 1,
        }
    }

    pub(super) fn flow() -> FlowId {
        "onboarding".parse().unwrap()
    }

    pub(super) fn policy(full: bool) -> Policy {
        Policy {
            duplicates: DuplicatePolicy::Reject,
            existing: ExistingPolicy::Reject,
            removed: RemovedPolicy::Ask,
            protected: BTreeSet::new(),
            grace: TimeDelta::days(30),
            guard: Guard { leave_least: 100, ..Guard::default() },
            retry: full,
        }
    }

    pub(super) fn origin(&self, (tenant, n): (usize, u32)) -> Origin {
        Origin { tenant: self.tenants[tenant].clone(), flow: Self::flow(), record: id(n) }
    }

    pub(super) fn enter(&mut self, tenant: usize, row: Row) {
        let key = (tenant, self.next_row);
        self.next_row += 1;
        self.rows.insert(key, row);
        self.decide(key);
    }

    /// Decides a row by the live rules; its quarantine entry stays until the next plan.
    pub(super) fn decide(&mut self, key: (usize, u32)) {
        let origin = self.origin(key);
        let rules = Digest::of([self.version]);
        let mut record = decided(origin, decide(&self.rows[&key], self.version), rules);
        record.rejection = self.world.records.get(&record.origin).and_then(|before| before.rejection.clone());
        self.world.put(record);
    }

    /// True if the ledger has, or may yet have, a member of this name.
    pub(super) fn knows(&self, key: &MemberKey) -> bool {
        let line = |line: &LedgerEntry| {
            line.userid.key() == *key && (line.exists() || line.may_appear() || line.removal_is_unsure())
        };
        self.world.ledger.values().any(line)
            || self.sending.values().any(|operation| operation.userid.key() == *key)
            || self.directory.is_coming(key)
    }

    /// One run of a tenant. Returns the number of its operations that changed anything.
    pub(super) fn run(&mut self, tenant: usize, weather: &Weather) -> usize {
        self.settle_crash();
        self.check();
        let tenant = self.tenants[tenant].clone();
        let planned = self.plan(&tenant, weather.full);
        self.keep_quarantine(&tenant, &planned);
        let mut run = Run {
            tenant,
            weather: weather.clone(),
            calls: 0,
            halted: false,
            crashed: false,
            again: BTreeMap::new(),
            not_found: Vec::new(),
            gate: WriteGate::default(),
            open: Vec::new(),
            plan_again: false,
            unstored: Vec::new(),
            moved: 0,
        };
        self.apply(&mut run, &planned);
        for _ in 1..PASSES {
            if !std::mem::take(&mut run.plan_again) || run.halted || run.crashed || !self.sending.is_empty() {
                break;
            }
            let planned = self.plan(&run.tenant.clone(), weather.full);
            self.keep_quarantine(&run.tenant.clone(), &planned);
            self.apply(&mut run, &planned);
        }
        if self.sending.is_empty() {
            self.check();
        }
        run.moved
    }

    pub(super) fn plan(&mut self, tenant: &TenantId, full: bool) -> PlanResult {
        let directory = self.directory.directory();
        let policy = Policy { removed: self.removed, ..Self::policy(full) };
        self.world.plan((tenant, &Self::flow()), Some(&directory), &policy, self.now)
    }

    /// The quarantine of a flow is the rejections of its last plan; the decisions it confirmed go to the ledger.
    fn keep_quarantine(&mut self, tenant: &TenantId, planned: &PlanResult) {
        for record in self.world.records.values_mut().filter(|record| record.origin.tenant == *tenant) {
            let stored = |rejection: &Rejection| StoredRejection {
                rejection: rejection.clone(),
                decision: record.decision.clone(),
                rules: record.rules.clone(),
            };
            record.rejection = match planned.dispositions.get(&record.origin) {
                Some(Disposition::Rejected { rejection }) => Some(stored(rejection)),
                // A retried entry stays until its operation is done.
                Some(Disposition::Operation(_)) if record.rejection.is_some() => record.rejection.take(),
                _ => planned.pending.get(&record.origin).map(stored),
            };
            if let Some(Disposition::Unchanged { confirmed: true }) = planned.dispositions.get(&record.origin)
            {
                for line in self.world.ledger.values_mut().filter(|line| line.owner == record.origin) {
                    line.carried_out = Some(record.decision.clone());
                    line.rules = record.rules.clone();
                }
            }
        }
    }

    fn settle_crash(&mut self) {
        let members = self.directory.ids();
        let in_doubt: Vec<_> =
            self.sending.iter().map(|(at, operation)| (at.clone(), Arc::clone(operation))).collect();
        for ((tenant, place), operation) in in_doubt {
            let settlement = read_back(&members, &tenant, place, &operation, self.now);
            self.store(&tenant, settlement);
        }
    }

    /// Stores an outcome: the journal, the ledger and the quarantine together.
    fn store(&mut self, tenant: &TenantId, settlement: Settlement) {
        let Settlement { place, operation, state, ledger, rejection, .. } = settlement;
        self.sending.remove(&(tenant.clone(), place));
        if let Some(line) = ledger {
            if let Some(before) = operation.before.as_ref().filter(|b| b.owner.tenant != line.owner.tenant) {
                self.world.ledger.remove(&(before.owner.tenant.clone(), before.userid.key()));
            }
            if !line.exists() || operation.kind == OperationKind::Create {
                self.deleted_by_hand.remove(&line.userid.key());
            }
            if line.state == MemberState::Deleted {
                // Gone as the form asks: a returner is a new member.
                self.directory.removed_by_hand.remove(&line.userid.key());
            }
            self.world.write(line);
        }
        let origin =
            Origin { tenant: tenant.clone(), flow: operation.flow.clone(), record: operation.record.clone() };
        if state == OperationState::Done {
            for (field, _) in freed(&operation) {
                self.wake_waiting(field);
            }
        }
        let done = state == OperationState::Done && !operation.partial;
        let rejection = rejection.map(|rejection| {
            let (decision, rules) = (operation.decision.clone(), operation.rules.clone());
            StoredRejection { rejection, decision, rules }
        });
        if operation.left && operation.before.as_ref().is_some_and(|line| line.owner == origin) {
            match rejection.clone() {
                Some(rejection) => drop(self.world.leaver_rejections.insert(origin.clone(), rejection)),
                None if done => drop(self.world.leaver_rejections.remove(&origin)),
                None => {}
            }
        }
        if let Some(record) = self.world.records.get_mut(&origin)
            && (rejection.is_some() || done)
        {
            record.rejection = rejection;
        }
    }

    /// Releases records that wait for a value of a field, as the store does.
    fn wake_waiting(&mut self, field: UniqueField) {
        let records = self.world.records.values_mut().filter_map(|record| record.rejection.as_mut());
        for stored in records.filter(|stored| stored.rejection.waits_for.value() == Some(field)) {
            stored.rejection.retry_at = Some(DateTime::UNIX_EPOCH);
        }
    }

    fn apply(&mut self, run: &mut Run, planned: &PlanResult) {
        let numbered: Vec<(usize, u32, Arc<Operation>)> = planned
            .operations
            .iter()
            .zip(&planned.waves)
            .enumerate()
            .map(|(place, (operation, wave))| (place, *wave, Arc::new(operation.clone())))
            .collect();
        let comes = |kind| matches!(kind, OperationKind::Create | OperationKind::Enable);
        let first_to_come = numbered.iter().filter(|(.., o)| comes(o.kind)).map(|(_, wave, _)| *wave).min();
        for (_, wave, operation) in numbered.iter().filter(|(.., o)| o.left && o.kind != OperationKind::Keep)
        {
            let values = UniqueField::ALL.iter().any(|field| operation.body.contains_key(field.as_str()));
            if !values && first_to_come.is_some_and(|first| first <= *wave) {
                self.directory.wrongs.push(format!("{} leaves after others have come", operation.userid));
            }
        }
        for wave in 0..=planned.plan.last_wave {
            let of_wave: Vec<_> = numbered.iter().filter(|(_, of, _)| *of == wave).collect();
            for window in of_wave.chunks(WINDOW) {
                if run.halted || run.crashed {
                    break;
                }
                for (place, _, operation) in window {
                    self.sending.insert((run.tenant.clone(), *place), Arc::clone(operation));
                }
                for (place, _, operation) in window {
                    let operation = Arc::clone(operation);
                    self.call(
                        run,
                        DueOperation {
                            place: *place,
                            later: wave > planned.plan.first_wave,
                            operation,
                            doubt: false,
                            called: false,
                        },
                    );
                }
            }
            self.rounds(run);
            self.prove_not_found(run);
            if run.gate.in_order() {
                self.close_open(run);
            }
            self.flush(run, 1);
            if run.halted || run.crashed {
                break;
            }
        }
        self.close_open(run);
        self.prove_not_found(run);
        self.flush(run, 1);
    }

    /// Attributes rejections to their members, unless they have been shown to be the tenant's.
    fn close_open(&mut self, run: &mut Run) {
        for (due, mut answer) in std::mem::take(&mut run.open) {
            if run.crashed {
                return;
            }
            if let (true, WriteVerdict::Unsure { error, .. }) = (run.halted, &answer.verdict) {
                answer.verdict = WriteVerdict::Stopped(error.clone());
            }
            self.told(run, due, answer);
        }
    }

    /// Repeats busy and lost calls, asking first which of the lost ones has happened.
    fn rounds(&mut self, run: &mut Run) {
        for _ in 1..ROUNDS {
            if run.halted || run.crashed || run.again.is_empty() {
                break;
            }
            let members = self.directory.directory().members;
            for (place, due) in std::mem::take(&mut run.again) {
                let asked = read_back(&members, &run.tenant, place, &due.operation, self.now);
                if due.doubt && asked.state == OperationState::Done {
                    self.settled(run, asked);
                } else {
                    self.call(run, due);
                }
            }
        }
        if run.crashed {
            return;
        }
        for (place, due) in std::mem::take(&mut run.again).into_iter().filter(|(_, due)| !due.doubt) {
            let settlement = not_done(place, &due);
            self.settled(run, settlement);
        }
    }

    /// Checks the listing for members that WeCom did not find, as a run does.
    fn prove_not_found(&mut self, run: &mut Run) {
        let due = std::mem::take(&mut run.not_found);
        if run.crashed || due.is_empty() {
            return;
        }
        let members = self.directory.directory().members;
        for due in due {
            if run.halted {
                // Nothing is asked any more: operations that may have happened stay `sending`.
                if due.rejection.is_none() {
                    let ListingCheck { place, operation, doubt, .. } = due;
                    let due = DueOperation { place, later: false, operation, doubt, called: true };
                    let settlement = not_done(place, &due);
                    self.settled(run, settlement);
                }
                continue;
            }
            run.plan_again = true;
            let settlement = not_found(&members, &run.tenant, due, self.now);
            self.settled(run, settlement);
        }
    }

    fn call(&mut self, run: &mut Run, due: DueOperation) {
        if run.crashed {
            return;
        }
        if run.weather.crash.is_some_and(|crash| crash.calls <= run.calls) {
            // Marked operations stay `sending`, as do those that were called and not stored.
            run.crashed = true;
            run.unstored.clear();
            return;
        }
        if run.halted {
            if !due.doubt {
                let settlement = not_done(due.place, &due);
                self.settled(run, settlement);
            }
            return;
        }
        if !due.operation.kind.calls() {
            let settlement = Settlement {
                ledger: Some(after(&due.operation, &run.tenant, self.now)),
                state: OperationState::Done,
                ..not_done(due.place, &due)
            };
            self.settled(run, settlement);
            return;
        }
        if due.operation.kind == OperationKind::Create && run.gate.is_full() {
            if due.doubt {
                run.again.insert(due.place, due);
            } else {
                let settlement = not_done(due.place, &due);
                self.settled(run, settlement);
            }
            return;
        }
        let faults = &run.weather.faults;
        let fault = faults.get(run.calls % faults.len().max(1)).copied().unwrap_or(Fault::None);
        run.calls += 1;
        let before = due.operation.before.as_ref();
        let maybe_ours =
            due.doubt || before.is_some_and(|line| line.may_appear() || line.removal_is_unsure());
        let answer = self.directory.write(&due.operation, fault, maybe_ours, self.now);
        run.gate.learn(due.operation.kind, &answer.verdict);
        if let WriteVerdict::Unsure { errcode, error } = &answer.verdict {
            let record = self.world.records.get(&Origin {
                tenant: run.tenant.clone(),
                flow: due.operation.flow.clone(),
                record: due.operation.record.clone(),
            });
            let rejection = record.and_then(|record| record.rejection.as_ref());
            let known = rejection.is_some_and(|stored| stored.rejection.errcode == Some(*errcode));
            let member = due.operation.userid.key();
            match run.gate.whose(member, known, error, async || Ok(())).now_or_never().unwrap() {
                Attribution::Member => {}
                Attribution::Open => {
                    run.open.push((DueOperation { called: true, ..due }, answer));
                    return;
                }
                Attribution::Tenant(_) => {
                    run.halted = true;
                    let settlement = not_done(due.place, &DueOperation { called: true, ..due });
                    self.settled(run, settlement);
                    return;
                }
            }
        }
        self.told(run, due, answer);
    }

    /// Takes in an answer once it is known who is to blame.
    fn told(&mut self, run: &mut Run, due: DueOperation, answer: WriteAnswer) {
        let before = due.operation.before.as_ref();
        let maybe_ours =
            due.doubt || before.is_some_and(|line| line.may_appear() || line.removal_is_unsure());
        let tenant = run.tenant.clone();
        let known =
            OutcomeContext { tenant: &tenant, later: due.later, adopts: false, maybe_ours, when: self.now };
        match read(&due.operation, due.place, known, answer) {
            OperationOutcome::Settled(settlement) => {
                let settlement = self.with_mobile_checked(*settlement);
                self.settled(run, settlement);
            }
            OperationOutcome::Again { doubt, .. } => {
                let due = DueOperation { doubt: due.doubt || doubt, called: true, ..due };
                run.again.insert(due.place, due);
            }
            OperationOutcome::NotFound { attempts, doubt, rejection } => run.not_found.push(ListingCheck {
                place: due.place,
                operation: due.operation,
                attempts,
                doubt: due.doubt || doubt,
                rejection,
            }),
            OperationOutcome::Stop { settlement, .. } => {
                run.halted = true;
                if let Some(settlement) = settlement {
                    self.settled(run, *settlement);
                }
            }
        }
    }

    /// Looks up the holder of a member's new number after an update, as a run does.
    fn with_mobile_checked(&self, mut settlement: Settlement) -> Settlement {
        let operation = &settlement.operation;
        let new = operation.body.get("mobile").filter(|mobile| **mobile != "");
        let (Some(new), Some(before), OperationState::Done) = (new, &operation.before, settlement.state)
        else {
            return settlement;
        };
        let same =
            before.written.mobile.as_deref().map(comparable_mobile) == new.as_str().map(comparable_mobile);
        let taken = self
            .directory
            .holder("mobile", new)
            .is_some_and(|held| held.userid.key() == operation.userid.key());
        if operation.kind == OperationKind::Create || (same && !before.doubtful) || taken {
            return settlement;
        }
        mobile_not_taken(&mut settlement, self.now);
        settlement
    }

    fn settled(&mut self, run: &mut Run, settlement: Settlement) {
        let done = settlement.state == OperationState::Done && settlement.rejection.is_none();
        run.plan_again |= settlement.state == OperationState::Done && settlement.operation.partial;
        let learned = settlement.state == OperationState::Failed && settlement.ledger.is_some();
        if done || learned {
            run.moved += 1;
        }
        // Only its answer tells that a create was taken in part, so the model does not lose that one.
        let warned = settlement.state == OperationState::Failed && settlement.rejection.is_some();
        run.unstored.push(settlement);
        self.flush(run, if warned { 1 } else { run.weather.stored_together });
    }

    fn flush(&mut self, run: &mut Run, least: usize) {
        if run.unstored.len() < least {
            return;
        }
        let tenant = run.tenant.clone();
        for settlement in std::mem::take(&mut run.unstored) {
            self.store(&tenant, settlement);
        }
    }

    /// The invariants that hold whenever nothing is in doubt.
    pub(super) fn check(&mut self) {
        assert_eq!(self.directory.wrongs, Vec::<String>::new());
        for line in self.world.ledger.values().filter(|line| line.exists() && !line.doubtful) {
            if self.deleted_by_hand.contains(&line.userid.key()) {
                continue;
            }
            let held = self.directory.members.get(&line.userid.key());
            assert!(held.is_some(), "the ledger has {}, the directory has not: {line:#?}", line.userid);
            let Some(held) = held else { continue };
            for (field, value) in expected(line) {
                let there = held.fields.get(&field).unwrap_or(&Value::Null);
                assert_eq!(*there, value, "{field} of {}: {line:#?}", line.userid);
            }
        }
        for (key, held) in &self.directory.members {
            assert!(held.invited <= 1, "{key} was invited {} times", held.invited);
            assert!(!held.ours || self.knows(key), "{key} is unknown");
        }
    }
}

/// Gives up an operation, as a run does.
fn not_done(place: usize, due: &DueOperation) -> Settlement {
    let called = due.called && due.operation.kind != OperationKind::Create;
    let doubtful = due.operation.before.as_ref().filter(|_| called);
    Settlement {
        place,
        operation: Arc::clone(&due.operation),
        state: OperationState::Failed,
        errcode: None,
        errmsg: None,
        attempts: Vec::new(),
        ledger: doubtful.map(|before| before.in_doubt(&due.operation)),
        rejection: None,
    }
}
