//! The reason a call of a guest failed, from wasmtime's error and the state of the store.

use wasmtime::Trap;

use super::engine::Engine;
use super::error::{BatchError, BatchSpan, GuestLoadError, START};
use super::limits::{Budget, ExcessiveRequest, MOST_TABLE_ELEMENTS};
use super::panic_message;
use ruzhi_message::mask::{self, Numbers};
use ruzhi_message::sanitize;

/// The reason instantiation failed.
pub(super) fn did_not_start(
    engine: &Engine,
    error: wasmtime::Error,
    store: &wasmtime::Store<Budget>,
) -> GuestLoadError {
    GuestLoadError::Start(explain(engine, START, error, store, BatchSpan::default()).into())
}

/// The reason a call failed.
pub(super) fn explain(
    engine: &Engine,
    function: &'static str,
    error: wasmtime::Error,
    store: &wasmtime::Store<Budget>,
    batch: BatchSpan,
) -> BatchError {
    let limits = engine.limits();
    match store.data().denied {
        Some(ExcessiveRequest::Memory(wanted)) => {
            return BatchError::Memory { function, wanted, most: limits.memory, batch };
        }
        Some(ExcessiveRequest::Table(wanted)) => {
            return BatchError::Table { function, wanted, most: MOST_TABLE_ELEMENTS, batch };
        }
        None => {}
    }
    let reason = panic_message::of(&error);
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => {
            let deadline_ms = u64::try_from(limits.deadline.as_millis()).unwrap_or(u64::MAX);
            BatchError::Deadline { function, deadline_ms, batch }
        }
        Some(_) => match panic_message::left(&error, store) {
            Some(message) => BatchError::GuestError {
                function,
                code: "guest.exception".to_owned(),
                message: mask::text(&message, Numbers::Long),
                batch,
            },
            None => BatchError::Trap { function, reason, batch },
        },
        None if reason.contains("too much data is being copied") => BatchError::Answer { function, batch },
        None => BatchError::Trap { function, reason: sanitize::line(&reason, 500), batch },
    }
}
