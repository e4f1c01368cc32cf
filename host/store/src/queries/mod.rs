//! The SQL, written for any `Db` its parent names.

mod activations;
mod departures;
mod due;
mod first_use;
mod history;
mod journal;
mod ledger;
mod plans;
mod records;
mod removed;
mod serving;
mod shown;
mod values;
mod world;
mod write_back;
mod writing;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::super::{
    Absence, ActivationRow, AlarmRow, Artifacts, AuditRow, Delivery, DraftPart, DueRecord, DueWriteBack,
    FetchedRecord, FirstUse, InDoubt, KnownRecord, OperationRow, OperationsWanted, PlanState, PresentRecord,
    RecordRow, RecordTrace, RejectRow, RejectsWanted, RemovedRow, RemovedWanted, RunRow, RunState,
    RunsCounted, RunsWanted, Settlement, ShownReject, StandingRow, Store, StoreError, StoredPlan,
    TenantStatus, WakeRow, Watermark, WriteBackScope, WrittenBack,
};
use super::{Db, Sqlite};
use ruzhi_model::{
    Digest, FlowId, LedgerEntry, MemberKey, Operation, Origin, PlanId, RecordId, RemovalAnswer, RunId,
    SourceRecord, TenantId, UserId,
};
use ruzhi_plan::{Candidate, Leaver, Order, Plan, Scope, Survey};
use writing::Writing;

/// Rows of one statement: below every database's limit on parameters.
const ROWS: usize = 500;

/// Runs a generated statement without preparing it. Fixed statements stay prepared on each connection; of generated
/// ones there is one for every number of rows, up to a MB each, and all of them would fill memory.
fn once(query: &mut sqlx::QueryBuilder<Db>) -> sqlx::query::Query<'_, Db, <Db as sqlx::Database>::Arguments> {
    query.build().persistent(false)
}

#[async_trait]
impl Store for Sqlite {
    async fn put_run(&self, run: &RunRow) -> Result<(), StoreError> {
        history::put_run(self, run).await
    }

    async fn abandon_runs(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        current: &RunId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        history::abandon_runs(self, tenant, flow, current, at).await
    }

    async fn run(&self, id: &RunId) -> Result<Option<RunRow>, StoreError> {
        history::find_run(self, id).await
    }

    async fn runs(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
        most: u32,
    ) -> Result<Vec<RunRow>, StoreError> {
        history::runs(self, tenant, flow, most).await
    }

    async fn known_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, KnownRecord>, StoreError> {
        records::known(self, tenant, flow, ids).await
    }

    async fn stale_records(
        &self,
        (tenant, flow): (&TenantId, &FlowId),
        rules: &Digest,
        timezone: &str,
        decided_before: DateTime<Utc>,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<FetchedRecord>, StoreError> {
        records::stale(self, (tenant, flow), rules, timezone, decided_before, after, most).await
    }

    async fn due_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        at: DateTime<Utc>,
        told: bool,
        after: Option<&DueRecord>,
        most: usize,
    ) -> Result<Vec<DueRecord>, StoreError> {
        due::records(self, (tenant, flow), at, told, after, most).await
    }

    async fn next_due(&self, tenant: &TenantId, flow: &FlowId) -> Result<Option<DateTime<Utc>>, StoreError> {
        due::next(self, tenant, flow).await
    }

    async fn put_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        records: &[RecordRow],
    ) -> Result<(), StoreError> {
        records::put(self, tenant, flow, records).await
    }

    async fn present_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        after: Option<&RecordId>,
        until: Option<&RecordId>,
    ) -> Result<Vec<PresentRecord>, StoreError> {
        records::present(self, tenant, flow, after, until).await
    }

    async fn mark_absent(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        absence: Absence,
        ids: &[RecordId],
    ) -> Result<(), StoreError> {
        records::mark_absent(self, tenant, flow, absence, ids).await
    }

    async fn stored_records(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<SourceRecord>, StoreError> {
        records::page(self, tenant, flow, after, most).await
    }

    async fn count_records(&self, tenant: &TenantId, flow: &FlowId) -> Result<u64, StoreError> {
        records::count(self, tenant, flow).await
    }

    async fn put_activation(
        &self,
        activation: &ActivationRow,
        artifacts: &Artifacts,
    ) -> Result<bool, StoreError> {
        activations::put(self, activation, artifacts).await
    }

    async fn activations(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        most: usize,
    ) -> Result<Vec<ActivationRow>, StoreError> {
        activations::page(self, tenant, flow, most).await
    }

    async fn activation_of(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        rules: &Digest,
    ) -> Result<Option<ActivationRow>, StoreError> {
        activations::of_rules(self, tenant, flow, rules).await
    }

    async fn live_components(&self, since: DateTime<Utc>) -> Result<BTreeSet<Digest>, StoreError> {
        activations::live_components(self, since).await
    }

    async fn first_use(&self, rules: &Digest) -> Result<Option<FirstUse>, StoreError> {
        first_use::of(self, rules).await
    }

    async fn rules_set_aside(&self, tenant: &TenantId, flow: &FlowId) -> Result<Vec<FirstUse>, StoreError> {
        first_use::set_aside(self, tenant, flow).await
    }

    async fn put_first_use(&self, first_use: &FirstUse) -> Result<(), StoreError> {
        first_use::put(self, first_use).await
    }

    fn survived(&self, rules: &Digest) {
        self.place.unmark(rules);
    }

    async fn forget_first_use(&self, rules: &Digest) -> Result<bool, StoreError> {
        first_use::forget(self, rules).await
    }

    async fn artifacts(&self, component: &Digest, config: &Digest) -> Result<Artifacts, StoreError> {
        activations::artifacts(self, component, config).await
    }

    async fn survey(&self, scope: &Scope) -> Result<Survey, StoreError> {
        world::survey(self, scope).await
    }

    async fn candidates(
        &self,
        scope: &Scope,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<Candidate>, StoreError> {
        world::candidates(self, scope, after, most).await
    }

    async fn leavers(
        &self,
        scope: &Scope,
        after: Option<&MemberKey>,
        most: usize,
    ) -> Result<Vec<Leaver>, StoreError> {
        world::leavers(self, scope, after, most).await
    }

    async fn chosen_records(&self, scope: &Scope, ids: &[RecordId]) -> Result<Vec<Candidate>, StoreError> {
        world::chosen(self, scope, ids).await
    }

    async fn members(
        &self,
        tenants: &[TenantId],
        keys: &[MemberKey],
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        ledger::written(self, tenants, keys).await
    }

    async fn ledger(
        &self,
        tenants: &[TenantId],
        after: Option<&MemberKey>,
        most: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        ledger::page(self, tenants, after, most).await
    }

    async fn begin_draft(&self, tenant: &TenantId, flow: &FlowId) -> Result<(), StoreError> {
        plans::begin_draft(self, tenant, flow).await
    }

    async fn put_draft(
        &self,
        run: &RunId,
        tenant: &TenantId,
        part: &DraftPart,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        plans::put_draft(self, run, tenant, part, at).await
    }

    async fn drafted(
        &self,
        run: &RunId,
        tenant: &TenantId,
        place: usize,
    ) -> Result<Option<Operation>, StoreError> {
        plans::drafted(self, run, tenant, place).await
    }

    async fn put_plan(
        &self,
        run: &RunId,
        plan: &Plan,
        order: &Order,
        state: PlanState,
        at: DateTime<Utc>,
    ) -> Result<PlanState, StoreError> {
        plans::put(self, run, plan, order, state, at).await
    }

    async fn plan(&self, tenant: &TenantId, id: &PlanId) -> Result<Option<StoredPlan>, StoreError> {
        plans::get(self, tenant, id).await
    }

    async fn find_plan(&self, name: &str) -> Result<Vec<(TenantId, FlowId, PlanId)>, StoreError> {
        plans::find(self, name).await
    }

    async fn operations(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        after: Option<usize>,
        most: usize,
    ) -> Result<Vec<OperationRow>, StoreError> {
        plans::page(self, &plans::Wanted { tenant, plan, planned_in: None, after, most }).await
    }

    async fn planned(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        wave: u32,
        after: Option<usize>,
        most: usize,
    ) -> Result<Vec<OperationRow>, StoreError> {
        plans::page(self, &plans::Wanted { tenant, plan, planned_in: Some(wave), after, most }).await
    }

    async fn done_by(
        &self,
        tenant: &TenantId,
        run: &RunId,
        after: Option<(&PlanId, usize)>,
        most: usize,
    ) -> Result<Vec<OperationRow>, StoreError> {
        plans::done_by(self, tenant, run, after, most).await
    }

    async fn set_plan_state(
        &self,
        tenant: &TenantId,
        id: &PlanId,
        state: PlanState,
    ) -> Result<(), StoreError> {
        plans::set_state(self, tenant, id, state).await
    }

    async fn mark_sending(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        places: &[usize],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        journal::mark_sending(self, tenant, plan, places, at).await
    }

    async fn set_job(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        places: &[usize],
        job: &str,
    ) -> Result<(), StoreError> {
        journal::set_job(self, tenant, plan, places, job).await
    }

    async fn settle(
        &self,
        corp: &[TenantId],
        tenant: &TenantId,
        plan: &PlanId,
        settlements: &[Settlement],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        journal::settle(self, corp, tenant, plan, settlements, at).await
    }

    async fn was_refused(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        record: &RecordId,
        errcode: i64,
    ) -> Result<bool, StoreError> {
        journal::was_refused(self, tenant, flow, record, errcode).await
    }

    async fn in_doubt(&self, tenants: &[TenantId]) -> Result<Vec<InDoubt>, StoreError> {
        journal::in_doubt(self, tenants).await
    }

    async fn watermark(&self, tenant: &TenantId, flow: &FlowId) -> Result<Option<Watermark>, StoreError> {
        history::watermark(self, tenant, flow).await
    }

    async fn set_asked(&self, tenant: &TenantId, flow: &FlowId, query: &Digest) -> Result<(), StoreError> {
        history::set_asked(self, tenant, flow, query).await
    }

    async fn set_watermark(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        watermark: &Watermark,
    ) -> Result<(), StoreError> {
        history::set_watermark(self, tenant, flow, watermark).await
    }

    async fn put_labels(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), StoreError> {
        history::put_labels(self, tenant, flow, labels).await
    }

    async fn labels(&self, tenant: &TenantId, flow: &FlowId) -> Result<BTreeMap<String, String>, StoreError> {
        history::labels(self, tenant, flow).await
    }

    async fn leavers_refused(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
    ) -> Result<Option<(u64, UserId, Option<i64>)>, StoreError> {
        departures::leavers_refused(self, tenant, flow).await
    }

    async fn rejects(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
    ) -> Result<Vec<RejectRow>, StoreError> {
        records::rejects(self, tenant, flow, None).await
    }

    async fn trace(
        &self,
        tenant: &TenantId,
        flow: Option<&FlowId>,
        id: &RecordId,
    ) -> Result<Vec<RecordTrace>, StoreError> {
        records::trace(self, tenant, flow, id).await
    }

    async fn status(&self) -> Result<Vec<TenantStatus>, StoreError> {
        history::status(self).await
    }

    async fn standings(&self) -> Result<Vec<StandingRow>, StoreError> {
        serving::standings(self).await
    }

    async fn put_standing(&self, standing: &StandingRow) -> Result<(), StoreError> {
        serving::put_standing(self, standing).await
    }

    async fn put_audit(&self, row: &AuditRow) -> Result<(), StoreError> {
        serving::put_audit(self, row).await
    }

    async fn forget_idle_audit(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        serving::forget_idle_audit(self, before).await
    }

    async fn audit(
        &self,
        tenant: Option<&TenantId>,
        before: Option<&str>,
        most: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        serving::audit(self, tenant, before, most).await
    }

    async fn take_delivery(&self, delivery: &Delivery<'_>) -> Result<bool, StoreError> {
        serving::take_delivery(self, delivery).await
    }

    async fn wakes(&self) -> Result<Vec<WakeRow>, StoreError> {
        serving::wakes(self).await
    }

    async fn forget_wake(&self, wake: &WakeRow) -> Result<(), StoreError> {
        serving::forget_wake(self, wake).await
    }

    async fn alarms(&self) -> Result<Vec<AlarmRow>, StoreError> {
        serving::alarms(self).await
    }

    async fn put_alarm(&self, alarm: &AlarmRow) -> Result<(), StoreError> {
        serving::put_alarm(self, alarm).await
    }

    async fn write_backs_due(
        &self,
        scope: &WriteBackScope<'_>,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<DueWriteBack>, StoreError> {
        write_back::due(self, scope, after, most).await
    }

    async fn put_write_backs(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        written: &[WrittenBack],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        write_back::put(self, tenant, flow, written, at).await
    }

    async fn rival(
        &self,
        tenants: &[TenantId],
        origin: &Origin,
        of_mobile: bool,
    ) -> Result<Option<String>, StoreError> {
        write_back::rival(self, tenants, origin, of_mobile).await
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        serving::check_writable(self).await
    }

    async fn runs_wanted(&self, wanted: &RunsWanted<'_>) -> Result<Vec<RunRow>, StoreError> {
        shown::runs(self, wanted).await
    }

    async fn runs_counted(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
        since: DateTime<Utc>,
    ) -> Result<Vec<RunsCounted>, StoreError> {
        shown::counted(self, tenant, flow, since).await
    }

    async fn busy_runs(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
        since: DateTime<Utc>,
        each: &mut (dyn FnMut(RunRow) + Send),
    ) -> Result<(), StoreError> {
        shown::busy(self, tenant, flow, since, each).await
    }

    async fn recent_runs(
        &self,
        since: DateTime<Utc>,
        each: &mut (dyn FnMut(RunRow) + Send),
    ) -> Result<(), StoreError> {
        shown::recent(self, since, each).await
    }

    async fn operations_wanted(
        &self,
        wanted: &OperationsWanted<'_>,
    ) -> Result<Vec<OperationRow>, StoreError> {
        shown::operations(self, wanted).await
    }

    async fn rejects_wanted(&self, wanted: &RejectsWanted<'_>) -> Result<Vec<ShownReject>, StoreError> {
        shown::rejects(self, wanted).await
    }

    async fn removed_members(&self, wanted: &RemovedWanted<'_>) -> Result<Vec<RemovedRow>, StoreError> {
        removed::wanted(self, wanted).await
    }

    async fn answer_removal(
        &self,
        tenant: &TenantId,
        member: &MemberKey,
        answer: RemovalAnswer,
    ) -> Result<bool, StoreError> {
        removed::answer(self, tenant, member, answer).await
    }

    async fn reject_plan(
        &self,
        tenant: &TenantId,
        id: &PlanId,
        reason: Option<&str>,
    ) -> Result<bool, StoreError> {
        shown::reject_plan(self, tenant, id, reason).await
    }

    fn check_place(&self) -> Result<(), StoreError> {
        self.look()
    }

    async fn close(&self) {
        self.end().await;
    }
}
