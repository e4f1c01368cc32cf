//! An operation to be called, and its settlement if it is not called any more.

use std::sync::Arc;

use super::gate::RATE;
use ruzhi_model::{Operation, OperationKind, OperationState};
use ruzhi_store::{AttemptRow, Settlement};

/// An operation to be called: its place, its earlier calls, and the doubt if one of them may have succeeded.
pub(super) struct PendingCall {
    pub(super) place: usize,
    /// It depends on others and comes after them.
    pub(super) later: bool,
    pub(super) operation: Arc<Operation>,
    pub(super) doubt: bool,
    pub(super) attempts: Vec<AttemptRow>,
}

/// Not called, because an earlier one of its kind found no place, or because its API rests.
pub(super) fn waits(due: PendingCall, code: i64) -> Settlement {
    let waits = if due.attempts.is_empty() { untried(due.place, due.operation) } else { not_done(due) };
    if code == RATE {
        return waits;
    }
    let errmsg = "an earlier one found no place; the next run tries again";
    Settlement { errcode: Some(code), errmsg: Some(errmsg.to_owned()), ..waits }
}

/// Not called, because the run was stopped: as if it had never been marked.
pub(super) fn untried(place: usize, operation: Arc<Operation>) -> Settlement {
    Settlement {
        place,
        operation,
        state: OperationState::Planned,
        errcode: None,
        errmsg: None,
        attempts: Vec::new(),
        ledger: None,
        rejection: None,
    }
}

/// A create without a lost answer has not happened; for a change that was called at all this is unknown, so the
/// ledger's line becomes doubtful.
pub(super) fn not_done(due: PendingCall) -> Settlement {
    let PendingCall { place, operation, attempts, .. } = due;
    let called = !attempts.is_empty() && operation.kind != OperationKind::Create;
    let doubtful = operation.before.as_ref().filter(|_| called);
    Settlement {
        place,
        state: OperationState::Failed,
        errcode: attempts.last().and_then(|attempt| attempt.errcode),
        errmsg: Some("not done; the next run plans it again".to_owned()),
        ledger: doubtful.map(|entry| entry.in_doubt(&operation)),
        operation,
        attempts,
        rejection: None,
    }
}
