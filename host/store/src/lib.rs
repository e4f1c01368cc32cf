//! The store: records with their decisions, the ledger, plans with their operations, quarantine, runs.
//!
//! One trait, so that a second database is a second implementation. The SQL is written once: the files in `queries/`
//! speak of `Db`, an alias their parent sets, and use `$n` parameters and column types that SQLite and PostgreSQL
//! share. Every write method is one transaction: all of it is stored, or nothing.

mod error;
mod failure;
mod place;
mod row;
mod serving;
mod shown;
mod sqlite;
mod write_back;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use error::StoreError;
pub use row::{
    Absence, ActivationKind, ActivationRow, Artifacts, AttemptRow, DraftPart, DueRecord, FetchedRecord,
    FirstUse, HoldsUntil, InDoubt, KnownRecord, OperationRow, PlanState, PresentRecord, RecordRow,
    RecordTrace, RejectRow, RunKind, RunRow, RunState, Settlement, StoredPlan, TenantStatus, UseState,
    Watermark,
};
pub use serving::{AlarmRow, AuditRow, Blocked, Delivery, Paused, StandingRow, WakeKind, WakeRow};
pub use shown::{
    OperationsWanted, RejectsWanted, RemovedRow, RemovedWanted, RunsCounted, RunsWanted, ShownReject,
};
pub use sqlite::{Access, Sqlite};
pub use write_back::{DueWriteBack, WriteBackScope, WrittenBack};

use ruzhi_model::{
    Digest, FlowId, LedgerEntry, MemberKey, Operation, Origin, PlanId, RecordId, RemovalAnswer, RunId,
    SourceRecord, TenantId, UserId,
};
use ruzhi_plan::{Candidate, Leaver, Order, Plan, Scope, Survey};

/// A first use of rules under way. Dropping it, however the use ended, notes that the process survived.
pub struct Surviving<'a> {
    store: &'a dyn Store,
    rules: Digest,
}

impl<'a> Surviving<'a> {
    /// Notes that this process is about to try rules.
    pub async fn begin(store: &'a dyn Store, first_use: &FirstUse) -> Result<Self, StoreError> {
        let surviving = Self { store, rules: first_use.rules.clone() };
        store.put_first_use(first_use).await?;
        Ok(surviving)
    }
}

impl Drop for Surviving<'_> {
    fn drop(&mut self) {
        self.store.survived(&self.rules);
    }
}

/// The store. Errors name the operation that failed; it left nothing half written.
#[async_trait]
pub trait Store: Send + Sync {
    /// Stores a run as it stands: when it begins, and again when it ends.
    async fn put_run(&self, run: &RunRow) -> Result<(), StoreError>;
    /// Marks as failed all runs of a flow, except `current`, that a crash left unfinished, and counts the operations
    /// they completed.
    async fn abandon_runs(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        current: &RunId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// A run, by its id.
    async fn run(&self, id: &RunId) -> Result<Option<RunRow>, StoreError>;
    /// The latest runs, newest first.
    async fn runs(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
        most: u32,
    ) -> Result<Vec<RunRow>, StoreError>;

    /// Earlier knowledge of these records of a flow.
    async fn known_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, KnownRecord>, StoreError>;
    /// Up to `most` stored records after `after`, in order of id, that were decided before a moment, by other rules
    /// than `rules`, in another zone than `timezone` or without success.
    async fn stale_records(
        &self,
        of: (&TenantId, &FlowId),
        rules: &Digest,
        timezone: &str,
        decided_before: DateTime<Utc>,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<FetchedRecord>, StoreError>;
    /// Up to `most` stored records whose decision has expired at a moment, longest overdue first, after a record that
    /// was returned before. `told` selects those whose rules gave the moment, or the others.
    async fn due_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        at: DateTime<Utc>,
        told: bool,
        after: Option<&DueRecord>,
        most: usize,
    ) -> Result<Vec<DueRecord>, StoreError>;
    /// The first moment at which a decision of a flow expires, as given by its rules.
    async fn next_due(&self, tenant: &TenantId, flow: &FlowId) -> Result<Option<DateTime<Utc>>, StoreError>;
    /// Stores records with their decisions.
    async fn put_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        records: &[RecordRow],
    ) -> Result<(), StoreError>;
    /// The records after one id and up to another that the last complete collect of a flow found, in order.
    async fn present_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        after: Option<&RecordId>,
        until: Option<&RecordId>,
    ) -> Result<Vec<PresentRecord>, StoreError>;
    /// Notes that a complete collect did not find these records: their claims no longer count.
    async fn mark_absent(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        absence: Absence,
        ids: &[RecordId],
    ) -> Result<(), StoreError>;
    /// A page of the rows that the last complete collect found, in the order of their ids.
    async fn stored_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<SourceRecord>, StoreError>;
    /// The number of these rows.
    async fn count_records(&self, tenant: &TenantId, flow: &FlowId) -> Result<u64, StoreError>;

    /// Makes rules live: stores the activation and its bytes if its number is the flow's next. Returns whether it was.
    async fn put_activation(
        &self,
        activation: &ActivationRow,
        artifacts: &Artifacts,
    ) -> Result<bool, StoreError>;
    /// The latest activations of a flow, newest first: the first is live.
    async fn activations(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        most: usize,
    ) -> Result<Vec<ActivationRow>, StoreError>;
    /// The newest activation of these very rules in a flow.
    async fn activation_of(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        rules: &Digest,
    ) -> Result<Option<ActivationRow>, StoreError>;
    /// The components that are live in any flow, or have been since a moment.
    async fn live_components(&self, since: DateTime<Utc>) -> Result<BTreeSet<Digest>, StoreError>;
    /// The first use of rules; none for rules that were never used.
    async fn first_use(&self, rules: &Digest) -> Result<Option<FirstUse>, StoreError>;
    /// Stores how far the first use of rules has come.
    async fn put_first_use(&self, first_use: &FirstUse) -> Result<(), StoreError>;
    /// Notes that this process survived trying rules, even where nothing can be stored any more.
    fn survived(&self, rules: &Digest);
    /// The rules of a flow that a process died under. They are not tried again.
    async fn rules_set_aside(&self, tenant: &TenantId, flow: &FlowId) -> Result<Vec<FirstUse>, StoreError>;
    /// Forgets rules whose first use failed. Returns false if there was nothing to forget.
    async fn forget_first_use(&self, rules: &Digest) -> Result<bool, StoreError>;
    /// The bytes of a component and a rules file that were live once.
    async fn artifacts(&self, component: &Digest, config: &Digest) -> Result<Artifacts, StoreError>;

    /// Totals over all records and members, as a plan needs them.
    async fn survey(&self, scope: &Scope) -> Result<Survey, StoreError>;
    /// A page of the flow's records that may ask for something, in the order of their ids.
    async fn candidates(
        &self,
        scope: &Scope,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<Candidate>, StoreError>;
    /// A page of the tenant's leavers who have something left to do according to the ledger, in the order of their
    /// accounts.
    async fn leavers(
        &self,
        scope: &Scope,
        after: Option<&MemberKey>,
        most: usize,
    ) -> Result<Vec<Leaver>, StoreError>;
    /// These records of the flow.
    async fn chosen_records(&self, scope: &Scope, ids: &[RecordId]) -> Result<Vec<Candidate>, StoreError>;
    /// The ledger's lines of these members, across some tenants.
    async fn members(&self, tenants: &[TenantId], keys: &[MemberKey])
    -> Result<Vec<LedgerEntry>, StoreError>;
    /// A page of the ledger of some tenants, in the order of the accounts.
    async fn ledger(
        &self,
        tenants: &[TenantId],
        after: Option<&MemberKey>,
        most: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError>;

    /// Makes room for a plan's draft.
    async fn begin_draft(&self, tenant: &TenantId, flow: &FlowId) -> Result<(), StoreError>;
    /// Stores the next part of a run's draft.
    async fn put_draft(
        &self,
        run: &RunId,
        tenant: &TenantId,
        part: &DraftPart,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// An operation of a run's draft.
    async fn drafted(
        &self,
        run: &RunId,
        tenant: &TenantId,
        place: usize,
    ) -> Result<Option<Operation>, StoreError>;
    /// Turns the draft of a run into its plan; `at` is the moment its parts were stored with. Returns the plan's state:
    /// a person's rejection of this same plan stands.
    async fn put_plan(
        &self,
        run: &RunId,
        plan: &Plan,
        order: &Order,
        state: PlanState,
        at: DateTime<Utc>,
    ) -> Result<PlanState, StoreError>;
    /// A plan.
    async fn plan(&self, tenant: &TenantId, id: &PlanId) -> Result<Option<StoredPlan>, StoreError>;
    /// The owner of a plan, by the plan's id or its whole hash.
    async fn find_plan(&self, name: &str) -> Result<Vec<(TenantId, FlowId, PlanId)>, StoreError>;
    /// A page of a plan's operations, in order.
    async fn operations(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        after: Option<usize>,
        most: usize,
    ) -> Result<Vec<OperationRow>, StoreError>;
    /// A page of a plan's operations of one wave that have not begun, in order.
    async fn planned(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        wave: u32,
        after: Option<usize>,
        most: usize,
    ) -> Result<Vec<OperationRow>, StoreError>;
    /// A page of the operations a run completed, in order.
    async fn done_by(
        &self,
        tenant: &TenantId,
        run: &RunId,
        after: Option<(&PlanId, usize)>,
        most: usize,
    ) -> Result<Vec<OperationRow>, StoreError>;
    /// Moves a plan to a state other than rejected, and clears the reason of an earlier rejection.
    async fn set_plan_state(
        &self,
        tenant: &TenantId,
        id: &PlanId,
        state: PlanState,
    ) -> Result<(), StoreError>;
    /// Marks operations as about to be called.
    async fn mark_sending(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        places: &[usize],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// Stores the WeCom job that writes these operations.
    async fn set_job(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        places: &[usize],
        job: &str,
    ) -> Result<(), StoreError>;
    /// Stores the outcomes of operations in plan, ledger and quarantine together, and removes the mark of those that
    /// were never called. Records of the tenants of `corp` that wait for a value a member gave up are released.
    async fn settle(
        &self,
        corp: &[TenantId],
        tenant: &TenantId,
        plan: &PlanId,
        settlements: &[Settlement],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// True if an operation of this record failed with this code before.
    async fn was_refused(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        record: &RecordId,
        errcode: i64,
    ) -> Result<bool, StoreError>;
    /// Operations of some tenants that are still in `sending`.
    async fn in_doubt(&self, tenants: &[TenantId]) -> Result<Vec<InDoubt>, StoreError>;

    /// How far a flow's incremental collect has come.
    async fn watermark(&self, tenant: &TenantId, flow: &FlowId) -> Result<Option<Watermark>, StoreError>;
    /// Notes the query of a collect that is about to start: until the watermark moves, another query needs a complete
    /// collect.
    async fn set_asked(&self, tenant: &TenantId, flow: &FlowId, query: &Digest) -> Result<(), StoreError>;
    /// Moves the watermark and confirms the flow's records.
    async fn set_watermark(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        watermark: &Watermark,
    ) -> Result<(), StoreError>;
    /// Stores the labels of a flow's fields.
    async fn put_labels(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), StoreError>;
    /// The labels of a flow's fields, as its guest last gave them.
    async fn labels(&self, tenant: &TenantId, flow: &FlowId) -> Result<BTreeMap<String, String>, StoreError>;

    /// The leavers of a flow who can still log in because WeCom refuses to disable them: their number, and the first of
    /// them with the code.
    async fn leavers_refused(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
    ) -> Result<Option<(u64, UserId, Option<i64>)>, StoreError>;
    /// The quarantine.
    async fn rejects(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
    ) -> Result<Vec<RejectRow>, StoreError>;
    /// Everything known of a record.
    async fn trace(
        &self,
        tenant: &TenantId,
        flow: Option<&FlowId>,
        id: &RecordId,
    ) -> Result<Vec<RecordTrace>, StoreError>;
    /// The numbers of each flow that has ever run.
    async fn status(&self) -> Result<Vec<TenantStatus>, StoreError>;
    /// The standing of every flow that was ever scheduled.
    async fn standings(&self) -> Result<Vec<StandingRow>, StoreError>;
    /// Stores a flow's standing.
    async fn put_standing(&self, standing: &StandingRow) -> Result<(), StoreError>;
    /// Stores an audit row; of one that is there already, only the outcome changes.
    async fn put_audit(&self, row: &AuditRow) -> Result<(), StoreError>;
    /// Forgets audit rows from before this moment that changed nothing: access denied to a viewer, and viewers' logins.
    async fn forget_idle_audit(&self, before: DateTime<Utc>) -> Result<(), StoreError>;
    /// The latest audit rows, newest first, those before `before` if it is given.
    async fn audit(
        &self,
        tenant: Option<&TenantId>,
        before: Option<&str>,
        most: u32,
    ) -> Result<Vec<AuditRow>, StoreError>;
    /// Takes a delivery under all of its names, and forgets old ones. Returns true if it is new: none of its names was
    /// known. A new delivery is stored in one transaction with the wake it causes.
    async fn take_delivery(&self, delivery: &Delivery<'_>) -> Result<bool, StoreError>;
    /// The wakes of flows that no run has handled.
    async fn wakes(&self) -> Result<Vec<WakeRow>, StoreError>;
    /// Forgets a flow's wake, unless it was woken again since the row was read.
    async fn forget_wake(&self, wake: &WakeRow) -> Result<(), StoreError>;
    /// Every alarm, active or over.
    async fn alarms(&self) -> Result<Vec<AlarmRow>, StoreError>;
    /// Stores an alarm, in place of an earlier one with its key.
    async fn put_alarm(&self, alarm: &AlarmRow) -> Result<(), StoreError>;
    /// A page of a flow's records whose outcome differs from the one last written to the form, in the order of their
    /// ids.
    async fn write_backs_due(
        &self,
        scope: &WriteBackScope<'_>,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<DueWriteBack>, StoreError>;
    /// Stores the outcomes written to a flow's form.
    async fn put_write_backs(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        written: &[WrittenBack],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    /// The name on another record of these tenants that claims the same mobile number or account as this one.
    async fn rival(
        &self,
        tenants: &[TenantId],
        origin: &Origin,
        of_mobile: bool,
    ) -> Result<Option<String>, StoreError>;
    /// Checks that the store's files are still those that were opened. [`StoreError::Exchanged`] is permanent: a
    /// process that gets it ends. Reads the file system.
    fn check_place(&self) -> Result<(), StoreError>;
    /// Checks that the store can be written now.
    async fn check_writable(&self) -> Result<(), StoreError>;
    /// The runs a person wants to see, newest first.
    async fn runs_wanted(&self, wanted: &RunsWanted<'_>) -> Result<Vec<RunRow>, StoreError>;
    /// The number of runs that began since a moment, by state and quarter of an hour.
    async fn runs_counted(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
        since: DateTime<Utc>,
    ) -> Result<Vec<RunsCounted>, StoreError>;
    /// Passes on the runs that began since a moment and changed a member, oldest first; some that changed none may be
    /// among them. Never holds all of them in memory.
    async fn busy_runs(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
        since: DateTime<Utc>,
        each: &mut (dyn FnMut(RunRow) + Send),
    ) -> Result<(), StoreError>;
    /// Passes on the runs that ended since a moment, in the order they began. Never holds all of them in memory.
    async fn recent_runs(
        &self,
        since: DateTime<Utc>,
        each: &mut (dyn FnMut(RunRow) + Send),
    ) -> Result<(), StoreError>;
    /// The operations of a plan that a person wants to see, with every call made for them.
    async fn operations_wanted(&self, wanted: &OperationsWanted<'_>)
    -> Result<Vec<OperationRow>, StoreError>;
    /// The entries of the quarantine that a person wants to see.
    async fn rejects_wanted(&self, wanted: &RejectsWanted<'_>) -> Result<Vec<ShownReject>, StoreError>;
    /// Members who were removed by hand, by tenant and account.
    async fn removed_members(&self, wanted: &RemovedWanted<'_>) -> Result<Vec<RemovedRow>, StoreError>;
    /// Stores a person's decision about a member who was removed by hand; a later one replaces an earlier one. Returns
    /// false, and stores nothing, if the member's line is not one of a removed member.
    async fn answer_removal(
        &self,
        tenant: &TenantId,
        member: &MemberKey,
        answer: RemovalAnswer,
    ) -> Result<bool, StoreError>;
    /// Rejects a plan for a person. Returns false, and changes nothing, if the plan no longer waited for a decision.
    async fn reject_plan(
        &self,
        tenant: &TenantId,
        id: &PlanId,
        reason: Option<&str>,
    ) -> Result<bool, StoreError>;
    /// Closes every connection and writes the log back into the file.
    async fn close(&self);
}
