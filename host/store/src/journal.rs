//! The journal: operations being written, and their outcomes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::database::{Database, Db, ROWS, once};
use crate::operations::AttemptRow;
use crate::quarantine::QuarantineEntry;
use crate::row::{RowReader, number};
use crate::settlement::Settlement;
use crate::transaction::Transaction;
use crate::{StoreError, departures, drift_checks, ledger, operations, quarantine};
use ruzhi_model::{FlowId, LedgerEntry, Operation, OperationState, PlanId, RecordId, TenantId, UniqueField};
use ruzhi_plan::freed;

const OPERATIONS: &str = "operations";

/// An operation whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubtfulOperation {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its plan.
    pub plan: PlanId,
    /// Its place in the plan.
    pub place: usize,
    /// WeCom's job that writes it, if it is a row of one.
    pub job: Option<String>,
    /// The operation.
    pub operation: Operation,
}

impl Database {
    /// Marks operations as about to be called.
    pub async fn operations_mark_sending(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        places: &[usize],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin(OPERATIONS).await?;
        for chunk in places.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE operation SET state = ");
            query.push_bind(OperationState::Sending.as_str());
            query.push(", sent_at = ").push_bind(at.timestamp_millis());
            operations::only_places(&mut query, tenant, plan, chunk);
            once(&mut query)
                .execute(&mut *transaction.connection)
                .await
                .map_err(StoreError::write(OPERATIONS))?;
        }
        transaction.commit(OPERATIONS).await
    }

    /// Stores the WeCom job that writes these operations.
    pub async fn operations_set_job(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        places: &[usize],
        job: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin(OPERATIONS).await?;
        for chunk in places.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE operation SET job = ");
            query.push_bind(job.to_owned());
            operations::only_places(&mut query, tenant, plan, chunk);
            once(&mut query)
                .execute(&mut *transaction.connection)
                .await
                .map_err(StoreError::write(OPERATIONS))?;
        }
        transaction.commit(OPERATIONS).await
    }

    /// Stores the outcomes of operations in plan, ledger and quarantine together, and removes the mark of those that
    /// were never called. Records of the tenants of `corp` that wait for a value a member gave up are released, and the
    /// differences of their drift checks that are settled are removed.
    pub async fn operations_settle(
        &self,
        corp: &[TenantId],
        tenant: &TenantId,
        plan: &PlanId,
        settlements: &[Settlement],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let at = at.timestamp_millis();
        let mut transaction = self.begin(OPERATIONS).await?;
        // Most of a batch ended alike, so a few statements write it.
        let mut alike: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for settlement in settlements {
            let ending =
                (settlement.state, settlement.called(), settlement.errcode, settlement.errmsg.as_deref());
            alike.entry(ending).or_default().push(settlement.place);
        }
        for ((state, called, errcode, errmsg), places) in alike {
            let settled_at = Some(at).filter(|_| state != OperationState::Planned);
            for chunk in places.chunks(ROWS) {
                let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE operation SET state = ");
                query.push_bind(state.as_str()).push(", settled_at = ").push_bind(settled_at);
                if !called {
                    query.push(", sent_at = NULL");
                }
                query.push(", errcode = ").push_bind(errcode);
                query.push(", errmsg = ").push_bind(errmsg.map(str::to_owned));
                operations::only_places(&mut query, tenant, plan, chunk);
                once(&mut query)
                    .execute(&mut *transaction.connection)
                    .await
                    .map_err(StoreError::write(OPERATIONS))?;
            }
        }
        put_attempts(&mut transaction, tenant, plan, settlements).await?;
        let lines: Vec<&LedgerEntry> = settlements.iter().filter_map(|s| s.ledger.as_ref()).collect();
        ledger::put(&mut transaction, &lines, at).await?;
        for line in settlements.iter().filter_map(|s| {
            let (now, before) = (s.ledger.as_ref()?, s.operation.before.as_ref()?);
            (now.owner.tenant != before.owner.tenant).then_some(before)
        }) {
            ledger::release(&mut transaction, &line.owner.tenant, &line.userid.key()).await?;
        }
        let rejected: Vec<QuarantineEntry<'_>> = settlements
            .iter()
            .filter_map(|s| {
                s.rejection.as_ref().map(|rejection| QuarantineEntry {
                    flow: &s.operation.flow,
                    record: &s.operation.record,
                    rejection,
                    decision: &s.operation.decision,
                    rules: &s.operation.rules,
                })
            })
            .collect();
        quarantine::put_entries(&mut transaction, tenant, &rejected, at).await?;
        // Records that wait for a value a member gave up are tried again.
        let done = || settlements.iter().filter(|s| s.state == OperationState::Done);
        let freed: BTreeSet<UniqueField> =
            done().flat_map(|s| freed(&s.operation)).map(|(field, _)| field).collect();
        for field in freed {
            quarantine::release_waiting(&mut transaction, corp, field).await?;
        }
        departures::put(&mut transaction, tenant, plan, settlements, at).await?;
        drift_checks::settle(&mut transaction, corp, tenant, settlements).await?;
        // A record that was carried out leaves quarantine. An adoption does not count: the plan that asked for it has
        // looked at the record, and the next one sends every field.
        let mut carried_out: BTreeMap<&FlowId, Vec<&RecordId>> = BTreeMap::new();
        for settlement in done().filter(|s| s.rejection.is_none() && !s.operation.partial) {
            let Operation { flow, record, .. } = settlement.operation.as_ref();
            carried_out.entry(flow).or_default().push(record);
        }
        for (flow, records) in carried_out {
            quarantine::delete_entries(&mut transaction, tenant, flow, &records).await?;
        }
        transaction.commit(OPERATIONS).await
    }

    /// Operations of some tenants that are still in `sending`.
    pub async fn operations_list_in_doubt(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<DoubtfulOperation>, StoreError> {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "SELECT tenant, plan, place, job, operation FROM operation WHERE tenant IN (",
        );
        let mut list = query.separated(", ");
        for tenant in tenants {
            list.push_bind(tenant.as_str().to_owned());
        }
        query.push(") AND state = ").push_bind(OperationState::Sending.as_str());
        query.push(" ORDER BY tenant, plan, place");
        let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(OPERATIONS))?;
        rows.iter()
            .map(|row| {
                let row = RowReader { row, what: OPERATIONS };
                let place = usize::try_from(row.count("place")?).unwrap_or(usize::MAX);
                Ok(DoubtfulOperation {
                    tenant: row.id("tenant")?,
                    plan: row.id("plan")?,
                    place,
                    job: row.get("job")?,
                    operation: row.json("operation")?,
                })
            })
            .collect()
    }
}

async fn put_attempts(
    transaction: &mut Transaction<'_>,
    tenant: &TenantId,
    plan: &PlanId,
    settlements: &[Settlement],
) -> Result<(), StoreError> {
    let attempts: Vec<(usize, usize, &AttemptRow)> = settlements
        .iter()
        .flat_map(|s| s.attempts.iter().enumerate().map(move |(n, attempt)| (s.place, n, attempt)))
        .collect();
    for chunk in attempts.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "INSERT INTO attempt (tenant, plan, place, number, api, called_at, took_ms, errcode, errmsg) ",
        );
        query.push_values(chunk, |mut row, (place, n, attempt)| {
            row.push_bind(tenant.as_str())
                .push_bind(plan.as_str())
                .push_bind(number(*place))
                .push_bind(number(*n))
                .push_bind(attempt.api.as_str())
                .push_bind(attempt.at.timestamp_millis())
                .push_bind(attempt.took_ms)
                .push_bind(attempt.errcode)
                .push_bind(attempt.errmsg.as_str());
        });
        query.push(" ON CONFLICT (tenant, plan, place, called_at, number) DO NOTHING");
        once(&mut query)
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(OPERATIONS))?;
    }
    Ok(())
}
