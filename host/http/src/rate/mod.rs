//! When a call may go: the sliding-window limiter and the backoff that both services' clients use.
//!
//! A service counts a call when it arrives, which a client cannot see; it lies between sending and the answer. So a
//! slot of a window is taken before a call is sent and becomes free one window after its answer came. However long
//! the calls take, the service then never counts more than the window allows, be its window sliding or fixed, and
//! each slot is idle for no longer than one round trip. Calls are not spread out: as many as the window still has
//! slots for go at once.

mod backoff;
/// For the tests of both clients.
#[cfg(any(test, feature = "testing"))]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "for tests alone")]
pub mod loopback;
mod window;

pub use backoff::{Backoff, Jitter};
pub use window::{Limiter, Permit};
