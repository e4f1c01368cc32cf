//! Carrying out a plan.
//!
//! Three things go on side by side: operations are marked as `sending`, a window ahead and one transaction for many;
//! marked ones are called, a few at a time; outcomes are stored as they come, again many to a transaction. So the disk
//! is forced a few times per hundred operations and not twice for each, and still no call is ever made for an operation
//! that is not stored as `sending`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use tokio::sync::mpsc;

use super::error::RunError;
use super::flow::Flow;
use super::settle::read_back;
use super::verdict::{Known, Meaning, read};
use crate::model::{MemberKey, Operation, OperationKind, OperationState};
use crate::plan::{Counts, LedgerEntry, Plan};
use crate::store::{AttemptRow, Settlement};
use crate::wecom::{self, Write};

/// Operations marked ahead of their calls, and outcomes stored together.
const WINDOW: usize = 256;

/// How often an operation that WeCom was too busy for, or whose answers were lost, is called again in one run. Each
/// round has the client's own retries.
const ROUNDS: usize = 3;

/// What an apply came to.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Writes done, records refused, operations failed.
    pub(super) counts: Counts,
    /// A member was found missing: planning again creates them.
    pub(super) plan_again: bool,
    /// The tenant was stopped.
    pub(super) stopped: Option<wecom::Error>,
    /// WeCom's rate limit outlasted the run's patience.
    pub(super) parked: bool,
}

pub(super) struct Applying<'a> {
    flow: &'a Flow,
    plan: &'a Plan,
    ledger: &'a BTreeMap<MemberKey, LedgerEntry>,
    halt: AtomicBool,
    applied: Mutex<Applied>,
    /// Operations to be called again, whether they may have happened, and what was called for them.
    again: Mutex<HashMap<usize, (bool, Vec<AttemptRow>)>>,
}

impl<'a> Applying<'a> {
    pub(super) fn new(flow: &'a Flow, plan: &'a Plan, ledger: &'a BTreeMap<MemberKey, LedgerEntry>) -> Self {
        Self {
            flow,
            plan,
            ledger,
            halt: AtomicBool::new(false),
            applied: Mutex::default(),
            again: Mutex::default(),
        }
    }

    /// Applies wave after wave. An error is the store's or the directory's; what WeCom says of single records is not.
    pub(super) async fn apply(self) -> Result<Applied, RunError> {
        let last_wave = self.plan.operations.iter().map(|operation| operation.wave).max().unwrap_or(0);
        for wave in 0..=last_wave {
            let places: Vec<usize> = self
                .plan
                .operations
                .iter()
                .enumerate()
                .filter(|(_, operation)| operation.wave == wave)
                .map(|(place, _)| place)
                .collect();
            self.wave(places).await?;
            if self.halted() {
                break;
            }
        }
        let mut applied = self.applied.into_inner().unwrap_or_default();
        let settled = applied.counts.writes() + applied.counts.refused + applied.counts.failed;
        applied.counts.failed += (self.plan.operations.len() as u64).saturating_sub(settled);
        Ok(applied)
    }

    async fn wave(&self, mut places: Vec<usize>) -> Result<(), RunError> {
        for _ in 0..ROUNDS {
            self.round(&places).await?;
            places = self.in_again();
            if places.is_empty() || self.halted() {
                break;
            }
            self.ask_about_lost().await?;
            places = self.in_again();
        }
        // Busy to the end: certainly not done. What is still in doubt stays `sending`, and the next run asks.
        let given_up: Vec<Settlement<'_>> = take(&self.again)
            .into_iter()
            .filter(|(_, (doubt, _))| !doubt)
            .filter_map(|(place, (_, attempts))| {
                let operation = self.plan.operations.get(place)?;
                Some(self.not_done(place, operation, attempts))
            })
            .collect();
        self.keep(given_up).await
    }

    /// Calls each of these operations once, marking, calling and storing side by side.
    async fn round(&self, places: &[usize]) -> Result<(), RunError> {
        let flow = self.flow;
        let (to_call, mut marked) = mpsc::channel::<usize>(WINDOW);
        let (to_store, mut outcomes) = mpsc::channel::<Settlement<'a>>(WINDOW);
        let marking = async move {
            for window in places.chunks(WINDOW) {
                if self.halted() {
                    break;
                }
                flow.store.mark_sending(&flow.tenant, &self.plan.id, window, flow.clock.now()).await?;
                for place in window {
                    if to_call.send(*place).await.is_err() {
                        break;
                    }
                }
            }
            Ok::<(), RunError>(())
        };
        let calling = async move {
            let marked = futures::stream::poll_fn(move |context| marked.poll_recv(context));
            let mut calls = marked.map(|place| self.call(place)).buffer_unordered(flow.in_flight.max(1));
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

    /// Makes the call, unless the tenant has been stopped meanwhile.
    async fn call(&self, place: usize) -> Option<Settlement<'a>> {
        let plan: &'a Plan = self.plan;
        let operation = plan.operations.get(place)?;
        let (doubted, mut attempts) = lock(&self.again).remove(&place).unwrap_or_default();
        if self.halted() {
            return if doubted {
                // It may have happened, so it stays in doubt.
                lock(&self.again).insert(place, (doubted, attempts));
                None
            } else {
                Some(self.not_done(place, operation, attempts))
            };
        }
        let userid = &operation.userid;
        let write = match operation.kind {
            OperationKind::Create => Write::Create { userid, body: &operation.body },
            OperationKind::Delete => Write::Delete { userid },
            _ => Write::Update { userid, body: &operation.body },
        };
        let answer = self.flow.directory.write(write).await;
        let key = userid.key();
        let entry = self.ledger.get(&key);
        let maybe_ours = doubted || entry.is_some_and(LedgerEntry::may_appear);
        let known = Known { maybe_ours, when: self.flow.clock.now() };
        match read(operation, place, entry, known, answer) {
            Meaning::Settled(mut settlement) => {
                attempts.append(&mut settlement.attempts);
                settlement.attempts = attempts;
                Some(*settlement)
            }
            Meaning::Again { doubt, attempts: mut more } => {
                attempts.append(&mut more);
                lock(&self.again).insert(place, (doubt || doubted, attempts));
                None
            }
            Meaning::Stop { settlement, error } => {
                let mut applied = lock(&self.applied);
                match error {
                    Some(error) => {
                        applied.stopped.get_or_insert(error);
                    }
                    None => applied.parked = true,
                }
                self.halt.store(true, Ordering::Relaxed);
                settlement.map(|settlement| *settlement)
            }
        }
    }

    /// Asks WeCom which of the creates and deletes whose answers were lost have happened. The others are called again;
    /// in the last round they stay in doubt.
    async fn ask_about_lost(&self) -> Result<(), RunError> {
        let in_doubt: Vec<usize> =
            lock(&self.again).iter().filter(|(_, (doubt, _))| *doubt).map(|(place, _)| *place).collect();
        if in_doubt.is_empty() {
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
        for place in in_doubt {
            let Some(operation) = self.plan.operations.get(place) else { continue };
            let entry = self.ledger.get(&operation.userid.key());
            let mut settlement = read_back(&members, entry, place, operation, now);
            let happened = settlement.state == OperationState::Done;
            if happened && let Some((_, attempts)) = lock(&self.again).remove(&place) {
                settlement.attempts = attempts;
                settlements.push(settlement);
            }
        }
        self.keep(settlements).await
    }

    async fn keep(&self, settlements: Vec<Settlement<'_>>) -> Result<(), RunError> {
        if settlements.is_empty() {
            return Ok(());
        }
        let flow = self.flow;
        flow.store.settle(&flow.tenant, &self.plan.id, &settlements, flow.clock.now()).await?;
        flow.progress.settled(settlements.len() as u64);
        let mut applied = lock(&self.applied);
        for settlement in &settlements {
            match settlement.state {
                OperationState::Done => applied.counts.count(settlement.operation.kind),
                OperationState::Refused => applied.counts.refused += 1,
                _ => {
                    applied.counts.failed += 1;
                    applied.plan_again |= settlement.ledger.as_ref().is_some_and(|entry| !entry.exists());
                }
            }
        }
        Ok(())
    }

    /// Given up. A create that was never lost has not happened; of a change that was called at all it cannot be said, so
    /// the ledger's line becomes doubtful.
    fn not_done(&self, place: usize, operation: &'a Operation, attempts: Vec<AttemptRow>) -> Settlement<'a> {
        let doubtful = match operation.kind {
            OperationKind::Create => None,
            _ if attempts.is_empty() => None,
            _ => self.ledger.get(&operation.userid.key()),
        };
        let last = attempts.last();
        Settlement {
            place,
            state: OperationState::Failed,
            errcode: last.and_then(|attempt| attempt.errcode),
            errmsg: Some("not done; the next run plans it again".to_owned()),
            ledger: doubtful.map(|entry| LedgerEntry { doubtful: true, ..entry.clone() }),
            operation,
            attempts,
            refusal: None,
        }
    }

    fn in_again(&self) -> Vec<usize> {
        let mut places: Vec<usize> = lock(&self.again).keys().copied().collect();
        places.sort_unstable();
        places
    }

    fn halted(&self) -> bool {
        self.halt.load(Ordering::Relaxed)
    }
}

/// A poisoned lock only says that another task died; what it guards is whole after every statement.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn take<T: Default>(mutex: &Mutex<T>) -> T {
    std::mem::take(&mut *lock(mutex))
}
