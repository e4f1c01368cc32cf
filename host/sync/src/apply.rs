//! Applies a plan.
//!
//! Operations are read from the store page by page, wave after wave. Three things go on side by side: a page is marked
//! as `sending` in one transaction, ahead of its calls; marked operations are called, a few at a time; outcomes are
//! stored as they come, again many to a transaction. So the disk is synced a few times per hundred operations rather
//! than twice for each, yet no call is ever made for an operation that is not stored as `sending`, and only a page is
//! in memory, however long the plan. If the run is stopped, the marks of uncalled operations are removed together with
//! storing the outcomes: an operation says that it was sent only if it was.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use tokio::sync::mpsc;

use super::error::RunError;
use super::flow::FlowRuntime;
use super::gate::{Admission, WriteGate};
use super::mobile_check::MobileCheck;
use super::outcome::{
    ListingCheck, OperationOutcome, OutcomeContext, after, not_found as not_found_settled,
    read, undone,
};
use super::pending_call::{PendingCall, not_done, untried, waits};
use super::planning::log_rejection;
use super::recovery::read_back;
use ruzhi_model::{LedgerEntry, MemberState, Operation, OperationKind, OperationState, UserId};
use ruzhi_plan::{Counts, Plan};
use ruzhi_store::Settlement;
use ruzhi_wecom::{self as wecom, Blame, MemberWrite, WriteAnswer, WriteVerdict};

/// Operations marked ahead of their calls, and outcomes stored together.
const WINDOW: usize = 256;

/// Limit on calls of one operation in one run, when WeCom was too busy for it or its answers were lost. Each round has
/// the client's own retries.
const ROUNDS: usize = 3;

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

/// The operations of a round.
enum CallRound {
    /// Those of a wave that have not begun.
    Fresh(u32),
    /// Those whose outcome an earlier round did not learn.
    Again(Vec<PendingCall>),
}

pub(super) struct PlanApplier<'a> {
    pub(super) flow: &'a FlowRuntime,
    pub(super) plan: &'a Plan,
    pub(super) gate: &'a WriteGate,
    halt: AtomicBool,
    pub(super) applied: Mutex<ApplySummary>,
    /// Rejected, and not yet known if the record or the tenant is at fault.
    pub(super) open: Mutex<Vec<(PendingCall, WriteAnswer)>>,
    again: Mutex<BTreeMap<usize, PendingCall>>,
    /// Operations whose member WeCom did not find.
    not_found: Mutex<Vec<ListingCheck>>,
    /// Operations taken up so far: marked as `sending`, or of the ledger alone.
    taken_up: AtomicU64,
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

    /// Applies wave after wave. An error is the store's or the directory's; WeCom's answers on single records are not
    /// errors.
    pub(super) async fn apply(self) -> Result<ApplySummary, RunError> {
        for wave in 0..=self.plan.last_wave {
            self.wave(wave).await?;
            if self.gate.in_order() {
                self.close_open().await?;
            }
            if self.halted() {
                break;
            }
        }
        self.close_open().await?;
        self.prove_not_found().await?;
        let mut applied = self.applied.into_inner().unwrap_or_default();
        let counts = &mut applied.counts;
        let taken_up = self.taken_up.into_inner();
        let settled =
            counts.operations() + counts.rejected + counts.failed + counts.untried + counts.unplaced;
        // An operation that was taken up and not settled is in doubt.
        applied.in_doubt = taken_up.saturating_sub(settled);
        counts.failed += applied.in_doubt;
        counts.untried += self.plan.operations.saturating_sub(taken_up);
        Ok(applied)
    }

    async fn wave(&self, wave: u32) -> Result<(), RunError> {
        if self.goes_in_bulk() {
            self.bulk(wave).await?;
        }
        let mut next = Some(CallRound::Fresh(wave));
        for _ in 0..ROUNDS {
            let Some(round) = next.take().filter(|_| !self.halted()) else { break };
            self.round(round).await?;
            if self.halted() || lock(&self.again).is_empty() {
                break;
            }
            self.ask_about_lost().await?;
            next = Some(CallRound::Again(take(&self.again).into_values().collect()));
        }
        // The last round's leftovers found WeCom busy to the end: certainly not done. Those in doubt stay `sending`,
        // and the next run asks.
        let mut left: Vec<PendingCall> = take(&self.again).into_values().collect();
        if let Some(CallRound::Again(due)) = next {
            left.extend(due);
        }
        let given_up = left.into_iter().filter(|due| !due.doubt).map(|due| self.given_up(due)).collect();
        self.keep(given_up).await?;
        self.prove_not_found().await
    }

    /// Checks the listing for every member that WeCom did not find. If it cannot be read, nothing is believed: the
    /// operations are planned again.
    async fn prove_not_found(&self) -> Result<(), RunError> {
        let not_found = take(&self.not_found);
        if not_found.is_empty() {
            return Ok(());
        }
        let members = if self.halted() { None } else { self.flow.directory.member_ids().await.ok() };
        let (tenant, now) = (&self.flow.tenant, self.flow.clock.now());
        let settlements = not_found.into_iter().filter_map(|due| match &members {
            Some(members) => Some(not_found_settled(members, tenant, due, now)),
            // It stays in doubt, and the next run asks.
            None if due.rejection.is_some() => None,
            None => {
                let ListingCheck { place, operation, attempts, doubt, .. } = due;
                Some(not_done(PendingCall { place, later: false, operation, doubt, attempts }))
            }
        });
        self.keep(settlements.collect()).await
    }

    /// Calls each of these operations once, marking, calling and storing side by side.
    async fn round(&self, round: CallRound) -> Result<(), RunError> {
        let flow = self.flow;
        let (to_call, mut marked) = mpsc::channel::<PendingCall>(WINDOW);
        let (to_store, mut outcomes) = mpsc::channel::<Settlement>(WINDOW);
        let marking = async move {
            match round {
                CallRound::Fresh(wave) => self.mark(wave, &to_call).await?,
                CallRound::Again(due) => {
                    for due in due {
                        if to_call.send(due).await.is_err() {
                            break;
                        }
                    }
                }
            }
            Ok::<(), RunError>(())
        };
        let calling = async move {
            let marked = futures::stream::poll_fn(move |context| marked.poll_recv(context));
            let mut calls = marked.map(|due| self.call(due)).buffer_unordered(flow.in_flight.max(1));
            while let Some(settlement) = calls.next().await {
                if let Some(settlement) = settlement
                    && to_store.send(settlement).await.is_err()
                {
                    break;
                }
            }
            Ok::<(), RunError>(())
        };
        let storing = async move {
            let mut batch = Vec::with_capacity(WINDOW);
            while outcomes.recv_many(&mut batch, WINDOW).await > 0 {
                self.keep(std::mem::take(&mut batch)).await?;
            }
            Ok::<(), RunError>(())
        };
        futures::try_join!(marking, calling, storing)?;
        Ok(())
    }

    async fn mark(&self, wave: u32, to_call: &mpsc::Sender<PendingCall>) -> Result<(), RunError> {
        let flow = self.flow;
        let mut after = None;
        while !self.halted() {
            let page =
                flow.store.operations_list_planned(&flow.tenant, &self.plan.id, wave, after, WINDOW).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.place);
            self.take_up(page.iter().map(|row| (row.place, &row.operation))).await?;
            for row in page {
                let due = PendingCall {
                    place: row.place,
                    later: row.wave > self.plan.first_wave,
                    operation: Arc::new(row.operation),
                    doubt: false,
                    attempts: Vec::new(),
                };
                if to_call.send(due).await.is_err() {
                    break;
                }
            }
        }
        Ok(())
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

    /// Makes the call, unless the tenant has been stopped meanwhile.
    async fn call(&self, due: PendingCall) -> Option<Settlement> {
        if !self.halted() && !due.operation.kind.calls() {
            return Some(self.noted(due.place, due.operation));
        }
        let turn = match self.gate.turn(due.operation.kind, || self.halted()).await {
            Admission::Call(turn) => turn,
            // It may have happened, so it stays in doubt.
            Admission::Waits(_) | Admission::Over if due.doubt => {
                lock(&self.again).insert(due.place, due);
                return None;
            }
            Admission::Waits(code) => return Some(waits(due, code)),
            Admission::Over => return Some(self.given_up(due)),
        };
        let operation = &due.operation;
        let userid = &operation.userid;
        let write = match operation.kind {
            OperationKind::Create => MemberWrite::Create { userid, body: &operation.body },
            OperationKind::Delete => MemberWrite::Delete { userid },
            OperationKind::Update | OperationKind::Disable | OperationKind::Enable => {
                MemberWrite::Update { userid, body: &operation.body }
            }
            OperationKind::Adopt | OperationKind::Keep => return None,
        };
        let answer = self.flow.directory.write(write).await;
        let settlement = self.settled(due, answer).await;
        drop(turn);
        settlement
    }

    /// Interprets an answer: a settlement, or nothing yet.
    pub(super) async fn settled(&self, due: PendingCall, answer: WriteAnswer) -> Option<Settlement> {
        self.gate.learn(due.operation.kind, &answer.verdict);
        let (due, answer) = self.blamed(due, answer).await?;
        self.told(due, answer).await
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
    fn noted(&self, place: usize, operation: Arc<Operation>) -> Settlement {
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

    /// Asks WeCom which of the creates and deletes with lost answers have happened. The others are called again; in the
    /// last round they stay in doubt.
    async fn ask_about_lost(&self) -> Result<(), RunError> {
        if !lock(&self.again).values().any(|due| due.doubt) {
            return Ok(());
        }
        let members = match self.flow.directory.member_ids().await {
            Ok(members) => members,
            Err(error) => {
                tracing::warn!(error = %error, "the directory could not be read; it is asked again later");
                return Ok(());
            }
        };
        let now = self.flow.clock.now();
        let mut settlements = Vec::new();
        lock(&self.again).retain(|place, due| {
            if !due.doubt {
                return true;
            }
            let mut settlement = read_back(&members, &self.flow.tenant, *place, &due.operation, now);
            let happened = settlement.state == OperationState::Done;
            if happened {
                settlement.attempts = std::mem::take(&mut due.attempts);
                settlements.push(settlement);
            }
            !happened
        });
        self.keep(settlements).await
    }

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
    fn given_up(&self, due: PendingCall) -> Settlement {
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
