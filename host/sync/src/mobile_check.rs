//! The check that WeCom has taken a new mobile number.

use std::sync::atomic::{AtomicU32, Ordering};

use super::flow::FlowRuntime;
use super::outcome::mobile_not_taken;
use ruzhi_model::{OperationKind, OperationState};
use ruzhi_plan::comparable_mobile;
use ruzhi_store::Settlement;

/// Looks up the holders of new mobile numbers.
pub(super) struct MobileCheck<'a> {
    flow: &'a FlowRuntime,
    /// Mobile numbers looked up in vain: WeCom counts such questions.
    missed: AtomicU32,
    /// Numbers that may be looked up in vain.
    patience: u32,
}

impl<'a> MobileCheck<'a> {
    /// A check for a plan of a tenant that owns this many members.
    pub(super) fn new(flow: &'a FlowRuntime, owned: u64) -> Self {
        // WeCom blocks this question for a day once a fifth of the corp's size was asked in vain.
        let patience = u32::try_from(owned / 20).unwrap_or(u32::MAX).max(10);
        Self { flow, missed: AtomicU32::new(0), patience }
    }

    /// WeCom answers 0 to a new mobile number of a member who has logged in, and changes nothing. So the number is
    /// looked up afterwards: if it is not this member's, the ledger keeps the old one and the record waits.
    pub(super) async fn check(&self, mut settlement: Settlement) -> Settlement {
        let operation = &settlement.operation;
        let new = operation.body.get("mobile").and_then(|mobile| mobile.as_str());
        let (Some(new), OperationState::Done) = (new, settlement.state) else {
            return settlement;
        };
        let before = operation.before.as_ref();
        let old = before.and_then(|before| before.written.mobile.as_deref()).filter(|old| !old.is_empty());
        let held = old.map(comparable_mobile);
        let same = held == Some(comparable_mobile(new));
        // A number that was given up must no longer be this member's, one that was taken must be.
        let (asked, expected) = match new {
            "" => (held.unwrap_or_default(), false),
            _ => (new.to_owned(), true),
        };
        if operation.kind == OperationKind::Create
            || asked.is_empty()
            || (same && before.is_some_and(|before| !before.doubtful))
        {
            return settlement;
        }
        let taken = if self.missed.load(Ordering::Relaxed) >= self.patience {
            tracing::warn!(
                member.userid = operation.userid.as_str(),
                "too many mobile numbers had no owner; a later run checks if WeCom took this one"
            );
            if let Some(line) = &mut settlement.ledger {
                line.doubtful = true;
            }
            None
        } else {
            match self.flow.directory.userid_by_mobile(&asked).await {
                Ok(holder) => {
                    if holder.is_none() {
                        self.missed.fetch_add(1, Ordering::Relaxed);
                    }
                    Some(holder.is_some_and(|holder| holder.key() == operation.userid.key()) == expected)
                }
                Err(error) => {
                    tracing::warn!(
                        member.userid = operation.userid.as_str(),
                        error.code = error.code(),
                        "whether WeCom took the new mobile number could not be asked"
                    );
                    if self.flow.quit.is_cancelled()
                        && let Some(line) = &mut settlement.ledger
                    {
                        line.doubtful = true;
                    }
                    None
                }
            }
        };
        if taken == Some(false) {
            mobile_not_taken(&mut settlement, self.flow.clock.now());
        }
        settlement
    }
}
