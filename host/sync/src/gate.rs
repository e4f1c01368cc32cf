//! Decides the order of calls, and the blame for a rejection that may concern one member or the whole tenant.
//!
//! Some codes mean "no right to this member" both when one member is out of the secret's reach and when the secret has
//! no rights at all. Two questions tell them apart, in this order:
//!
//! 1. A harmless one: is `user/list_id` answered? If it is denied too, the tenant stops.
//! 2. Do the first [`WITNESSES`] different members of the run all draw such a code? Then the tenant stops too. As soon as
//!    one of them draws anything else, the tenant is in order, and such a code is its member's from then on.
//!
//! The answer must not depend on which of several calls in flight comes back first. So a run begins with no more calls
//! at once than there are witnesses, in the order of the plan; the others wait until the answer is known. A rejection
//! that is not understood yet waits too. The first three are rejected or not regardless of the order of the answers,
//! and if they are, no fourth member is called.
//!
//! A record that was rejected with the same code before is not a witness: it is known to be out of reach, and three of
//! them that are tried again together say nothing new.
//!
//! Places are found out in the same way. The first create of a run goes alone; once one finds no place, no other is
//! called in the run, and the same for enables.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use ruzhi_model::{MemberKey, OperationKind};
use ruzhi_wecom::{self as wecom, WriteVerdict};

/// Different members that must be rejected, with no other answered otherwise, before the tenant is at fault.
const WITNESSES: usize = 3;

/// Rejections attributed to their members after the harmless question was answered; then it is asked again, since the
/// tenant's rights may be withdrawn during a run.
const TRUST: u32 = 10;

/// The gate of one run.
#[derive(Debug, Default)]
pub(super) struct WriteGate {
    state: Mutex<GateState>,
    changed: Notify,
    /// Rejections that may still be attributed to their members before the harmless question is asked again.
    trust: tokio::sync::Mutex<u32>,
}

#[derive(Debug, Default)]
struct GateState {
    /// Some member got an answer that only a secret with its rights gets.
    in_order: bool,
    /// Calls under way that began while that was not known.
    calling: usize,
    /// Members rejected so far, while that is not known.
    witnesses: BTreeSet<MemberKey>,
    creates: Vacancy,
    enables: Vacancy,
}

/// Knowledge of the places for one kind of operation.
#[derive(Debug, Default)]
struct Vacancy {
    /// A call was answered without mention of places.
    there_is: bool,
    calling: usize,
    /// The code of the first that found no place.
    full: Option<i64>,
}

/// The permission of an operation.
pub(super) enum Admission<'a> {
    /// Make the call; the turn is over when this is dropped.
    Call(GatePermit<'a>),
    /// Wait for another run: there is no place for it, or its API rests. Holds the code of that answer.
    Waits(i64),
    /// Do nothing: the run is over.
    Over,
}

/// A call under way.
pub(super) struct GatePermit<'a> {
    gate: &'a WriteGate,
    kind: OperationKind,
}

impl Drop for GatePermit<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.calling = state.calling.saturating_sub(1);
        if let Some(room) = state.room(self.kind) {
            room.calling = room.calling.saturating_sub(1);
        }
        drop(state);
        self.gate.changed.notify_waiters();
    }
}

/// The blame for a rejection that may concern one member or the whole tenant.
#[derive(Debug)]
pub(super) enum Attribution {
    /// Not known yet: another member's answer or the end of the run decides.
    Open,
    /// The member's.
    Member,
    /// The tenant's, for this reason.
    Tenant(wecom::WecomError),
}

impl GateState {
    fn room(&mut self, kind: OperationKind) -> Option<&mut Vacancy> {
        match kind {
            OperationKind::Create => Some(&mut self.creates),
            OperationKind::Enable => Some(&mut self.enables),
            _ => None,
        }
    }

    fn turn(&mut self, kind: OperationKind) -> Option<Result<(), i64>> {
        let in_order = self.in_order || self.calling + self.witnesses.len() < WITNESSES;
        if let Some(room) = self.room(kind) {
            if let Some(code) = room.full {
                return Some(Err(code));
            }
            if !in_order || (room.calling > 0 && !room.there_is) {
                return None;
            }
            room.calling += 1;
        } else if !in_order {
            return None;
        }
        self.calling += 1;
        Some(Ok(()))
    }

    fn close(&mut self, kind: OperationKind, code: i64) {
        // A returner needs an existing place; if there is none for them, there is none for a new member.
        if kind == OperationKind::Enable {
            self.enables.full.get_or_insert(code);
        }
        if matches!(kind, OperationKind::Create | OperationKind::Enable) {
            self.creates.full.get_or_insert(code);
        }
    }
}

impl WriteGate {
    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until an operation may be called.
    pub(super) async fn turn(&self, kind: OperationKind, over: impl Fn() -> bool) -> Admission<'_> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if over() {
                return Admission::Over;
            }
            let turn = self.state().turn(kind);
            match turn {
                Some(Ok(())) => return Admission::Call(GatePermit { gate: self, kind }),
                Some(Err(code)) => return Admission::Waits(code),
                None => changed.await,
            }
        }
    }

    /// True if creates are over for this run.
    pub(super) fn is_full(&self) -> bool {
        self.state().creates.full.is_some()
    }

    /// Takes in the part of an answer that is not about its member.
    pub(super) fn learn(&self, kind: OperationKind, verdict: &WriteVerdict) {
        let mut state = self.state();
        match verdict {
            WriteVerdict::Done { .. }
            | WriteVerdict::Warned { .. }
            | WriteVerdict::AlreadyExists { .. }
            | WriteVerdict::MobileHeld { .. }
            | WriteVerdict::NotFound
            | WriteVerdict::Rejected { .. } => {
                state.in_order = true;
                if let Some(room) = state.room(kind) {
                    room.there_is = true;
                }
            }
            WriteVerdict::NoPlace { errcode, .. } => {
                state.in_order = true;
                state.close(kind, *errcode);
            }
            // The rate is the API's own, and only creates use this one.
            WriteVerdict::Parked { .. } if kind == OperationKind::Create => state.close(kind, RATE),
            _ => {}
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// True if the tenant is known to be allowed to write.
    pub(super) fn in_order(&self) -> bool {
        self.state().in_order
    }

    /// Attributes a rejection of this member. `known` means that its record was rejected like this before; `ask` asks
    /// the harmless question.
    pub(super) async fn whose(
        &self,
        member: MemberKey,
        known: bool,
        error: &wecom::WecomError,
        ask: impl AsyncFnOnce() -> Result<(), wecom::WecomError>,
    ) -> Attribution {
        {
            // Of several rejections that come together, one asks, and the others wait for its answer.
            let mut trust = self.trust.lock().await;
            if *trust == 0 {
                match ask().await {
                    Ok(()) => *trust = TRUST,
                    Err(rejection) if rejection.is_rejection() => {
                        let told = if rejection.is_the_tenants() { rejection } else { error.clone() };
                        return Attribution::Tenant(told);
                    }
                    // A question that was not answered says nothing.
                    Err(_) => {}
                }
            }
            *trust = trust.saturating_sub(1);
        }
        let mut state = self.state();
        if state.in_order || known {
            return Attribution::Member;
        }
        state.witnesses.insert(member);
        if state.witnesses.len() < WITNESSES { Attribution::Open } else { Attribution::Tenant(error.clone()) }
    }
}

/// Too many calls of one API.
pub(super) const RATE: i64 = 45009;
