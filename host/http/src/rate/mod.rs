//! Pacing of calls: the sliding-window limiter and the backoff used by both services' clients.
//!
//! A service counts a call on arrival, which the client cannot observe; it lies between sending and the answer. So a
//! slot of a window is taken before a call is sent and is released one window after its answer. Then the service
//! never counts more than the window allows, however long the calls take and whether its window is sliding or fixed,
//! and each slot is idle for at most one round trip. Calls are not spread out: as many as have free slots go at once.

mod backoff;
/// Used by the tests of both clients.
#[cfg(any(test, feature = "testing"))]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "for tests alone")]
pub mod loopback;
mod window;

pub use backoff::{Backoff, Jitter};
pub use window::{Limiter, Permit};
