//! The store: records with their decisions, the ledger, plans with their operations, quarantine, runs.
//!
//! One type, [`Database`], with a file for each resource: its rows beside the methods that read and write them. The SQL
//! speaks of `Db`, an alias, and uses `$n` parameters and column types that SQLite and PostgreSQL share. Every write
//! method is one transaction: all of it is stored, or nothing.

mod activations;
mod alerts;
mod artifacts;
mod audit;
mod audit_action;
mod candidates;
mod database;
mod deliveries;
mod departures;
mod drafts;
mod drift_checks;
mod due_records;
mod error;
mod first_uses;
mod flow_status;
mod journal;
mod labels;
mod ledger;
mod operations;
mod place;
mod plans;
mod quarantine;
mod record_trace;
mod records;
mod removals;
mod report;
mod row;
mod runs;
mod schedule_states;
mod settlement;
mod transaction;
mod wakes;
mod watermarks;
mod write_backs;

#[cfg(test)]
mod tests;

pub use activations::{ActivationKind, ActivationRow};
pub use alerts::AlertRow;
pub use artifacts::Artifacts;
pub use audit::{AuditRow, IdleAudit};
pub use audit_action::AuditAction;
pub use database::{Database, StoreLock};
pub use deliveries::Delivery;
pub use drafts::DraftPart;
pub use drift_checks::DriftCheckRow;
pub use due_records::DueRecord;
pub use error::StoreError;
pub use first_uses::{FirstUse, UseAttempt, UseState};
pub use flow_status::FlowStatus;
pub use journal::DoubtfulOperation;
pub use operations::{AttemptRow, OperationFilter, OperationRow};
pub use place::Access;
pub use plans::{PlanRow, PlanState};
pub use quarantine::{QuarantineDetail, QuarantineFilter, QuarantineRow};
pub use record_trace::RecordTrace;
pub use records::{Absence, FetchedRecord, HoldsUntil, KnownRecord, PresentRecord, RecordRow};
pub use removals::{RemovalFilter, RemovalRow};
pub use runs::{RunCause, RunCount, RunFilter, RunKind, RunRow, RunState};
pub use schedule_states::{Blocked, Paused, ScheduleStateRow};
pub use settlement::Settlement;
pub use wakes::{WakeKind, WakeRow};
pub use watermarks::Watermark;
pub use write_backs::{DueWriteBack, WriteBackRow, WriteBackScope};
