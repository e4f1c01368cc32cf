//! One pass of one flow: collect, decide, plan, and, if the guard lets it pass, apply.
//!
//! A run brings no data of its own: a timer, a webhook or a person only wakes it. Everything it learns goes into the
//! store at once, and a plan is made from the store alone, so a run that dies half-way leaves the next one exactly
//! where it was, except for the operations it had marked as `sending`: those are settled first, by asking WeCom.

mod adopt;
mod applier;
mod apply;
mod blame;
mod bulk;
mod collect;
mod decide;
mod drift;
mod error;
mod fields;
mod flow;
mod gate;
mod mobile_check;
mod notice;
mod outcome;
mod pending_call;
mod planning;
mod problem;
mod progress;
mod recovery;
mod report;
mod request;
mod revert;
mod run;
mod run_end;
mod service_time;
mod write_back;

#[cfg(test)]
mod tests;

pub use collect::visible;
pub use decide::context;
pub use error::{FailureKind, MissingField, RunError, check_applicable};
pub use fields::{FormFields, missing as missing_fields};
pub use flow::{FlowRuntime, RunIds};
pub use notice::{ClockSource, Notice};
pub use progress::{NoProgress, Progress, Stage};
pub use request::{RunOptions, RunTask};

pub use run::{PendingRun, RunReport};
pub use run_end::count as count_run;
pub use write_back::{WriteBackFault, write_back_faults};
