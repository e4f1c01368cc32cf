//! The outcome of an operation, as the journal takes it.

use std::sync::Arc;

use crate::operations::AttemptRow;
use ruzhi_model::{LedgerEntry, Operation, OperationState, Rejection};

/// The outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Its place in the plan.
    pub place: usize,
    /// The operation.
    pub operation: Arc<Operation>,
    /// Its state from now on; `planned` removes the mark of an operation that was not called.
    pub state: OperationState,
    /// WeCom's last code.
    pub errcode: Option<i64>,
    /// WeCom's last message, or ours.
    pub errmsg: Option<String>,
    /// Calls made.
    pub attempts: Vec<AttemptRow>,
    /// The member's new line in the ledger, if it changes.
    pub ledger: Option<LedgerEntry>,
    /// The record goes into quarantine, for this reason.
    pub rejection: Option<Rejection>,
}

impl Settlement {
    /// True if a call was made for it, or may have been.
    pub fn called(&self) -> bool {
        let given_up = matches!(self.state, OperationState::Planned | OperationState::Failed);
        !given_up || !self.attempts.is_empty()
    }
}
