//! An apply under way: what it has taken up, what its answers mean, and the storing of outcomes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::error::RunError;
use super::flow::FlowRuntime;
use super::gate::WriteGate;
use super::mobile_check::MobileCheck;
use super::outcome::{ListingCheck, OperationOutcome, OutcomeContext, after, read, undone};
use super::pending_call::{PendingCall, not_done, untried};
use super::planning::log_rejection;
use ruzhi_model::{LedgerEntry, MemberState, Operation, OperationKind, OperationState, UserId};
use ruzhi_plan::{Counts, Plan};
use ruzhi_store::Settlement;
use ruzhi_wecom::{self as wecom, Blame, WriteAnswer, WriteVerdict};

/// The result of an apply.
#[derive(Debug, Default)]
pub(super) struct ApplySummary {
    /// Operations done, records rejected, operations failed, operations not tried.
    pub(super) counts: Counts,
    /// A member was not found, has given a value up, or has a direct leader yet to be set: another plan does the rest.
    pub(super) plan_again: bool,
    /// Operations with an unknown outcome; the next run asks.
    pub(super) in_doubt: u64,
    /// The tenant was stopped.
    pub(super) stopped: Option<wecom::WecomError>,
    /// WeCom's rate limit outlasted the run's patience.
    pub(super) parked: bool,
    /// Members found to have been removed by hand.
    pub(super) removed: Vec<UserId>,
    /// The first operation that was not done, with WeCom's last message.
    pub(super) first_failure: Option<(UserId, String)>,
    /// The first person for whom the corp has no place, with the code.
    pub(super) no_place: Option<(UserId, i64)>,
}

/// An apply under way.
pub(super) struct PlanApplier<'a> {
    pub(super) flow: &'a FlowRuntime,
    pub(super) plan: &'a Plan,
    pub(super) gate: &'a WriteGate,
    /// No further call is made.
    pub(super) halt: AtomicBool,
    pub(super) applied: Mutex<ApplySummary>,
    /// Rejected, and not yet known if the record or the tenant is at fault.
    pub(super) open: Mutex<Vec<(PendingCall, WriteAnswer)>>,
    /// Operations that another round calls.
    pub(super) again: Mutex<BTreeMap<usize, PendingCall>>,
    /// Operations whose member WeCom did not find.
    pub(super) not_found: Mutex<Vec<ListingCheck>>,
    /// Operations taken up so far: marked as `sending`, or of the ledger alone.
    pub(super) taken_up: AtomicU64,
    mobile_check: MobileCheck<'a>,
}

impl<'a> PlanApplier<'a> {
    pub(super) fn new(flow: &'a FlowRuntime, plan: &'a Plan, gate: &'a WriteGate) -> Self {
        Self {
            flow,
            plan,
            gate,
            halt: AtomicBool::new(false),
            applied: Mutex::default(),
            open: Mutex::default(),
            again: Mutex::default(),
            not_found: Mutex::default(),
            taken_up: AtomicU64::new(0),
            mobile_check: MobileCheck::new(flow, plan.owned),
        }
    }

    /// Marks these operations as about to be called, if they need a call at all.
    pub(super) async fn take_up<'o>(
        &self,
        operations: impl Iterator<Item = (usize, &'o Operation)>,
    ) -> Result<(), RunError> {
        let flow = self.flow;
        let (mut places, mut count) = (Vec::new(), 0);
        for (place, operation) in operations {
            count += 1;
            if operation.kind.calls() {
                places.push(place);
            }
        }
        flow.store.operations_mark_sending(&flow.tenant, &self.plan.id, &places, flow.clock.now()).await?;
        self.taken_up.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    /// Interprets an answer once it is known who is to blame.
    pub(super) async fn told(&self, due: PendingCall, answer: WriteAnswer) -> Option<Settlement> {
        let PendingCall { place, later, operation, doubt, mut attempts } = due;
        let rests =
            operation.kind == OperationKind::Create && matches!(answer.verdict, WriteVerdict::Parked { .. });
        let uncalled = !doubt && attempts.is_empty() && answer.attempts.is_empty() && !answer.in_doubt;
        let now = self.flow.clock.now();
        let known = OutcomeContext {
            later,
            tenant: &self.flow.tenant,
            adopts: self.flow.policy.existing == ruzhi_plan::ExistingPolicy::Adopt,
            maybe_ours: doubt || operation.before.as_ref().is_some_and(may_be_ours),
            when: now,
        };
        match read(&operation, place, known, answer) {
            OperationOutcome::Settled(mut settlement) => {
                attempts.append(&mut settlement.attempts);
                settlement.attempts = attempts;
                Some(self.mobile_check.check(*settlement).await)
            }
            OperationOutcome::Again { doubt: now, attempts: mut more } => {
                attempts.append(&mut more);
                let doubt = doubt || now;
                lock(&self.again).insert(place, PendingCall { place, later, operation, doubt, attempts });
                None
            }
            OperationOutcome::NotFound { attempts: mut more, doubt: now, rejection } => {
                attempts.append(&mut more);
                let doubt = doubt || now;
                lock(&self.not_found).push(ListingCheck { place, operation, attempts, doubt, rejection });
                None
            }
            OperationOutcome::Stop { settlement, error } => {
                let mut applied = lock(&self.applied);
                match error {
                    Some(error) => {
                        applied.stopped.get_or_insert(error);
                    }
                    None => applied.parked = true,
                }
                drop(applied);
                // Creates have an API of their own; while it rests, the others go on.
                self.halt.fetch_or(!rests, Ordering::Relaxed);
                if uncalled {
                    return Some(untried(place, operation));
                }
                settlement.map(|mut settlement| {
                    attempts.append(&mut settlement.attempts);
                    settlement.attempts = attempts;
                    *settlement
                })
            }
        }
    }

    /// An operation of the ledger alone.
    pub(super) fn noted(&self, place: usize, operation: Arc<Operation>) -> Settlement {
        Settlement {
            place,
            state: OperationState::Done,
            errcode: None,
            errmsg: None,
            attempts: Vec::new(),
            ledger: Some(after(&operation, &self.flow.tenant, self.flow.clock.now())),
            rejection: undone(&operation),
            operation,
        }
    }

    /// Stores outcomes, and counts them.
    pub(super) async fn keep(&self, settlements: Vec<Settlement>) -> Result<(), RunError> {
        if settlements.is_empty() {
            return Ok(());
        }
        let flow = self.flow;
        flow.store
            .operations_settle(&flow.siblings, &flow.tenant, &self.plan.id, &settlements, flow.clock.now())
            .await?;
        let settled = settlements.iter().filter(|settlement| settlement.state != OperationState::Planned);
        flow.progress.settled(settled.count() as u64);
        let mut applied = lock(&self.applied);
        for settlement in &settlements {
            let was_there = settlement.operation.before.as_ref().is_some_and(LedgerEntry::exists);
            if was_there && settlement.ledger.as_ref().is_some_and(|line| line.state == MemberState::Removed)
            {
                applied.removed.push(settlement.operation.userid.clone());
            }
            match settlement.state {
                OperationState::Done => {
                    applied.counts.count(settlement.operation.kind);
                    applied.plan_again |= settlement.operation.partial;
                }
                OperationState::Rejected => {
                    applied.counts.rejected += 1;
                    if let Some(rejection) = &settlement.rejection {
                        log_rejection(&settlement.operation.record, rejection);
                    }
                }
                OperationState::Planned | OperationState::Failed
                    if settlement.errcode.map(wecom::blame) == Some(Blame::Places) =>
                {
                    applied.counts.unplaced += 1;
                    let code = settlement.errcode.unwrap_or_default();
                    applied.no_place.get_or_insert_with(|| (settlement.operation.userid.clone(), code));
                }
                OperationState::Planned => applied.counts.untried += 1,
                _ => {
                    applied.counts.failed += 1;
                    let last = settlement.attempts.last();
                    let words = last.map(|attempt| match attempt.errcode {
                        Some(errcode) => format!("{}: {errcode} {}", attempt.api, attempt.errmsg),
                        None => format!("{}: {}", attempt.api, attempt.errmsg),
                    });
                    applied.first_failure.get_or_insert_with(|| {
                        (settlement.operation.userid.clone(), words.unwrap_or_default())
                    });
                    // A member that WeCom did not find is planned again at once: the listing has settled the question.
                    applied.plan_again |= settlement.ledger.as_ref().is_some_and(|entry| !entry.exists())
                        || last.is_some_and(|attempt| attempt.errcode.is_some_and(wecom::is_not_found));
                }
            }
        }
        Ok(())
    }

    pub(super) fn halted(&self) -> bool {
        self.halt.load(Ordering::Relaxed) || self.flow.quit.is_cancelled()
    }

    /// Settles an operation that is not called any more and that no call of this run can have carried out.
    pub(super) fn given_up(&self, due: PendingCall) -> Settlement {
        if due.attempts.is_empty() && self.halted() {
            untried(due.place, due.operation)
        } else {
            not_done(due)
        }
    }
}

/// True if a member who turns out to be there is ruzhi's: a create was lost, or the listing came from a late replica.
fn may_be_ours(line: &LedgerEntry) -> bool {
    line.may_appear() || line.removal_is_unsure()
}

/// A poisoned lock only means that another task died; the guarded value is consistent after every statement.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(super) fn take<T: Default>(mutex: &Mutex<T>) -> T {
    std::mem::take(&mut *lock(mutex))
}
