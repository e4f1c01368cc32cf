//! What ruzhi remembers: records with their decisions, the ledger, plans with their operations, quarantine, runs.
//!
//! One trait, so that a second database is a second implementation. The SQL is written once: the files in `queries/`
//! speak of `Db`, an alias their parent sets, and use `$n` parameters and column types that SQLite and PostgreSQL
//! share. Every write is one transaction; whoever calls a write method may rely on all of it or nothing.

mod error;
mod row;
mod sqlite;

use std::collections::{BTreeMap, HashMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use error::StoreError;
pub use row::{
    AttemptRow, FetchedRecord, InDoubt, KnownRecord, OperationRow, PlanState, RecordRow, RecordTrace,
    RejectRow, RunKind, RunRow, RunState, Settlement, StoredPlan, TenantStatus, Watermark,
};
pub use sqlite::{Access, Sqlite};

use crate::model::{Digest, FlowId, PlanId, RecordId, RunId, TenantId};
use crate::plan::{Plan, World};

/// The store. Errors say which operation failed; nothing is half written after one.
#[async_trait]
pub trait Store: Send + Sync {
    /// Keeps a run as it stands: at its beginning, and again at its end.
    async fn put_run(&self, run: &RunRow) -> Result<(), StoreError>;
    /// Ends, as failed, runs of a tenant that a crash left unfinished.
    async fn abandon_runs(&self, tenant: &TenantId, at: DateTime<Utc>) -> Result<u64, StoreError>;
    /// The latest runs, newest first.
    async fn runs(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
        most: u32,
    ) -> Result<Vec<RunRow>, StoreError>;

    /// What is known of these records of a flow.
    async fn known_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, KnownRecord>, StoreError>;
    /// Up to `most` stored records after `after`, in order of id, that were decided before a moment, by
    /// other rules than `rules` or without success.
    async fn stale_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        rules: &Digest,
        decided_before: DateTime<Utc>,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<FetchedRecord>, StoreError>;
    /// Keeps records with their decisions.
    async fn put_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        records: &[RecordRow],
    ) -> Result<(), StoreError>;
    /// The records the last complete collect of a flow found.
    async fn present_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
    ) -> Result<HashSet<RecordId>, StoreError>;
    /// Keeps that a complete collect did not find these records: their claims no longer count.
    async fn mark_absent(&self, tenant: &TenantId, flow: &FlowId, ids: &[RecordId])
    -> Result<(), StoreError>;
    /// All that a plan of `flow` is made from.
    async fn world(&self, tenant: &TenantId, flow: &FlowId) -> Result<World, StoreError>;

    /// Keeps a plan, its operations and the quarantine it implies. `world` is what it was made from.
    async fn put_plan(
        &self,
        run: &RunId,
        plan: &Plan,
        world: &World,
        state: PlanState,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// A plan, whole.
    async fn plan(&self, tenant: &TenantId, id: &PlanId) -> Result<Option<StoredPlan>, StoreError>;
    /// Whose plan this is.
    async fn find_plan(&self, id: &PlanId) -> Result<Vec<(TenantId, FlowId)>, StoreError>;
    /// Moves a plan to another state.
    async fn set_plan_state(
        &self,
        tenant: &TenantId,
        id: &PlanId,
        state: PlanState,
    ) -> Result<(), StoreError>;
    /// Stores that these operations are about to be called.
    async fn mark_sending(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        places: &[usize],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// Stores what became of operations, in plan, ledger and quarantine together.
    async fn settle(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        settlements: &[Settlement<'_>],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// Operations of a tenant found in `sending`.
    async fn in_doubt(&self, tenant: &TenantId) -> Result<Vec<InDoubt>, StoreError>;

    /// How far a flow's incremental collect has come.
    async fn watermark(&self, tenant: &TenantId, flow: &FlowId) -> Result<Option<Watermark>, StoreError>;
    /// Moves it.
    async fn set_watermark(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        watermark: &Watermark,
    ) -> Result<(), StoreError>;
    /// Keeps the labels of a flow's fields.
    async fn put_labels(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), StoreError>;
    /// The labels of a flow's fields, as its guest last gave them.
    async fn labels(&self, tenant: &TenantId, flow: &FlowId) -> Result<BTreeMap<String, String>, StoreError>;

    /// The quarantine.
    async fn rejects(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
    ) -> Result<Vec<RejectRow>, StoreError>;
    /// All that is known of a record.
    async fn trace(
        &self,
        tenant: &TenantId,
        flow: Option<&FlowId>,
        id: &RecordId,
    ) -> Result<Vec<RecordTrace>, StoreError>;
    /// Numbers of each flow that has ever run.
    async fn status(&self) -> Result<Vec<TenantStatus>, StoreError>;
    /// Ends every connection and writes the log back into the file.
    async fn close(&self);
}
