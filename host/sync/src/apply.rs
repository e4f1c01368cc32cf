//! Applies a plan.
//!
//! Operations are read from the store page by page, wave after wave. Three things go on side by side: a page is marked
//! as `sending` in one transaction, ahead of its calls; marked operations are called, a few at a time; outcomes are
//! stored as they come, again many to a transaction. So the disk is synced a few times per hundred operations rather
//! than twice for each, yet no call is ever made for an operation that is not stored as `sending`, and only a page is
//! in memory, however long the plan. If the run is stopped, the marks of uncalled operations are removed together with
//! storing the outcomes: an operation says that it was sent only if it was.

use std::sync::Arc;

use futures::StreamExt as _;
use tokio::sync::mpsc;

use super::applier::{ApplySummary, PlanApplier, lock, take};
use super::error::RunError;
use super::gate::Admission;
use super::outcome::{ListingCheck, not_found as not_found_settled};
use super::pending_call::{PendingCall, not_done, waits};
use super::recovery::read_back;
use ruzhi_model::{OperationKind, OperationState};
use ruzhi_store::Settlement;
use ruzhi_wecom::MemberWrite;

/// Operations marked ahead of their calls, and outcomes stored together.
const WINDOW: usize = 256;

/// Limit on calls of one operation in one run, when WeCom was too busy for it or its answers were lost. Each round has
/// the client's own retries.
const ROUNDS: usize = 3;

/// The operations of a round.
enum CallRound {
    /// Those of a wave that have not begun.
    Fresh(u32),
    /// Those whose outcome an earlier round did not learn.
    Again(Vec<PendingCall>),
}

impl PlanApplier<'_> {
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
}
