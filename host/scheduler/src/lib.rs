//! The scheduler: starts runs when they are due, when a push wakes them, and when a person asks.
//!
//! The [`SchedulerState`] decides, and is pure; the [`actor`](run) owns it, takes the messages of the handle in
//! `ruzhi_app::scheduler`, and stores what has to outlive the process; the `executor` makes the runs of one corp.

mod actor;
mod executor;
mod heartbeat;
mod state;

pub use actor::{SchedulerContext, SchedulerObserver, restore, run};
pub use heartbeat::Heartbeat;
pub use state::{DueRun, RequestKind, RunBatch, RunOutcome, ScheduledFlow, SchedulerState, Trigger};
