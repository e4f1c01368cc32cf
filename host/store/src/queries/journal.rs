//! The journal: operations being written, and their outcomes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::records::Entry;
use super::values::{Reading, number};
use super::{Db, InDoubt, ROWS, Settlement, Sqlite, StoreError, Writing, departures, ledger, once, records};
use crate::AttemptRow;
use ruzhi_model::{FlowId, LedgerEntry, Operation, OperationState, PlanId, RecordId, TenantId, UniqueField};
use ruzhi_plan::freed;

const WHAT: &str = "operations";

fn read(source: sqlx::Error) -> StoreError {
    StoreError::Read { what: WHAT, source }
}

fn write(source: sqlx::Error) -> StoreError {
    StoreError::Write { what: WHAT, source }
}

pub(super) async fn mark_sending(
    store: &Sqlite,
    tenant: &TenantId,
    plan: &PlanId,
    places: &[usize],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut writing = store.writing(WHAT).await?;
    for chunk in places.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE operation SET state = 'sending', sent_at = ");
        query.push_bind(at.timestamp_millis());
        only_places(&mut query, tenant, plan, chunk);
        once(&mut query).execute(&mut *writing.transaction).await.map_err(write)?;
    }
    writing.commit(WHAT).await
}

pub(super) async fn set_job(
    store: &Sqlite,
    tenant: &TenantId,
    plan: &PlanId,
    places: &[usize],
    job: &str,
) -> Result<(), StoreError> {
    let mut writing = store.writing(WHAT).await?;
    for chunk in places.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE operation SET job = ");
        query.push_bind(job.to_owned());
        only_places(&mut query, tenant, plan, chunk);
        once(&mut query).execute(&mut *writing.transaction).await.map_err(write)?;
    }
    writing.commit(WHAT).await
}

/// Narrows a statement to some operations of a plan.
pub(super) fn only_places(
    query: &mut sqlx::QueryBuilder<Db>,
    tenant: &TenantId,
    plan: &PlanId,
    places: &[usize],
) {
    query.push(" WHERE tenant = ").push_bind(tenant.as_str().to_owned());
    query.push(" AND plan = ").push_bind(plan.as_str().to_owned()).push(" AND place IN (");
    let mut list = query.separated(", ");
    for place in places {
        list.push_bind(number(*place));
    }
    query.push(")");
}

pub(super) async fn settle(
    store: &Sqlite,
    corp: &[TenantId],
    tenant: &TenantId,
    plan: &PlanId,
    settlements: &[Settlement],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let at = at.timestamp_millis();
    let mut writing = store.writing(WHAT).await?;
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
            only_places(&mut query, tenant, plan, chunk);
            once(&mut query).execute(&mut *writing.transaction).await.map_err(write)?;
        }
    }
    put_attempts(&mut writing, tenant, plan, settlements).await?;
    let lines: Vec<&LedgerEntry> = settlements.iter().filter_map(|s| s.ledger.as_ref()).collect();
    ledger::put(&mut writing, &lines, at).await?;
    for line in settlements.iter().filter_map(|s| {
        let (now, before) = (s.ledger.as_ref()?, s.operation.before.as_ref()?);
        (now.owner.tenant != before.owner.tenant).then_some(before)
    }) {
        ledger::release(&mut writing, &line.owner.tenant, &line.userid.key()).await?;
    }
    let refused: Vec<Entry<'_>> = settlements
        .iter()
        .filter_map(|s| {
            s.refusal.as_ref().map(|refusal| Entry {
                flow: &s.operation.flow,
                record: &s.operation.record,
                refusal,
                decision: &s.operation.decision,
                rules: &s.operation.rules,
            })
        })
        .collect();
    records::put_refusals(&mut writing, tenant, &refused, at).await?;
    // Records that wait for a value a member gave up are tried again.
    let done = || settlements.iter().filter(|s| s.state == OperationState::Done);
    let freed: BTreeSet<UniqueField> =
        done().flat_map(|s| freed(&s.operation)).map(|(field, _)| field).collect();
    for field in freed {
        records::wake_waiting(&mut writing, corp, field).await?;
    }
    departures::put(&mut writing, tenant, plan, settlements, at).await?;
    // A record that was carried out leaves quarantine. An adoption does not count: the plan that asked for it has
    // looked at the record, and the next one sends every field.
    let mut carried_out: BTreeMap<&FlowId, Vec<&RecordId>> = BTreeMap::new();
    for settlement in done().filter(|s| s.refusal.is_none() && !s.operation.partial) {
        let Operation { flow, record, .. } = settlement.operation.as_ref();
        carried_out.entry(flow).or_default().push(record);
    }
    for (flow, records) in carried_out {
        records::drop_refusals(&mut writing, tenant, flow, &records).await?;
    }
    writing.commit(WHAT).await
}

async fn put_attempts(
    writing: &mut Writing<'_>,
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
        once(&mut query).execute(&mut *writing.transaction).await.map_err(write)?;
    }
    Ok(())
}

/// True if an operation of this record failed with this code.
pub(super) async fn was_refused(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    record: &RecordId,
    errcode: i64,
) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT 1 FROM operation WHERE tenant = $1 AND flow = $2 AND record = $3 AND state = 'refused' \
         AND errcode = $4 LIMIT 1",
    )
    .bind(tenant.as_str())
    .bind(flow.as_str())
    .bind(record.as_str())
    .bind(errcode)
    .fetch_optional(&store.pool)
    .await
    .map_err(read)?;
    Ok(row.is_some())
}

/// Operations of some tenants still in `sending`, each with its tenant.
pub(super) async fn in_doubt(store: &Sqlite, tenants: &[TenantId]) -> Result<Vec<InDoubt>, StoreError> {
    let mut query = sqlx::QueryBuilder::<Db>::new(
        "SELECT tenant, plan, place, job, operation FROM operation WHERE tenant IN (",
    );
    let mut list = query.separated(", ");
    for tenant in tenants {
        list.push_bind(tenant.as_str().to_owned());
    }
    query.push(") AND state = 'sending' ORDER BY tenant, plan, place");
    let rows = once(&mut query).fetch_all(&store.pool).await.map_err(read)?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: WHAT };
            let place = usize::try_from(row.count("place")?).unwrap_or(usize::MAX);
            Ok(InDoubt {
                tenant: row.id("tenant")?,
                plan: row.id("plan")?,
                place,
                job: row.get("job")?,
                operation: row.json("operation")?,
            })
        })
        .collect()
}
