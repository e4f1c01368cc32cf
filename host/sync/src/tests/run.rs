//! A run of a tenant of the company: its calls, the faults that meet them, and their outcomes.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt as _;

use super::company::Company;
use super::directory::Fault;
use crate::gate::{Attribution, WriteGate};
use crate::outcome::{
    ListingCheck, OperationOutcome, OutcomeContext, after, mobile_not_taken, not_found, read,
};
use crate::recovery::read_back;
use ruzhi_model::{Operation, OperationKind, OperationState, Origin, TenantId, UniqueField};
use ruzhi_plan::testing::world::PlanResult;
use ruzhi_plan::{PASSES, comparable_mobile};
use ruzhi_store::Settlement;
use ruzhi_wecom::{WriteAnswer, WriteVerdict};

/// Operations marked as `sending` together, ahead of their calls.
const WINDOW: usize = 3;
/// As in a run.
const ROUNDS: usize = 3;

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

impl Company {
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
