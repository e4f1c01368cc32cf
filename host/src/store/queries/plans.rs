//! Plans and their operations: the journal of what was done to the directory.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::records::Entry;
use super::values::{DbRow, Reading, json_text, number, word_of};
use super::{
    Db, InDoubt, PlanState, ROWS, Settlement, Sqlite, StoreError, StoredPlan, Writing, ledger, records,
};
use crate::model::{FlowId, OperationState, PlanId, RecordId, RunId, TenantId};
use crate::plan::{Plan, Standing, World};
use crate::store::{AttemptRow, OperationRow};

const WHAT: &str = "a plan";
const OPERATIONS: &str = "operations";

fn read(source: sqlx::Error) -> StoreError {
    StoreError::Read { what: OPERATIONS, source }
}

fn write(source: sqlx::Error) -> StoreError {
    StoreError::Write { what: OPERATIONS, source }
}

pub(super) async fn put(
    store: &Sqlite,
    run: &RunId,
    plan: &Plan,
    world: &World,
    state: PlanState,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let at = at.timestamp_millis();
    let mut writing = store.writing(WHAT).await?;
    sqlx::query(
        "INSERT INTO plan (tenant, id, flow, run, hash, state, guard, counts, owned, retry, made_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (tenant, id) DO UPDATE SET \
         run = excluded.run, state = excluded.state, made_at = excluded.made_at",
    )
    .bind(plan.tenant.as_str())
    .bind(plan.id.as_str())
    .bind(plan.flow.as_str())
    .bind(run.as_str())
    .bind(plan.hash.as_str())
    .bind(word_of(&state))
    .bind(json_text(&plan.guard))
    .bind(json_text(&plan.counts()))
    .bind(number(plan.owned))
    .bind(i64::from(plan.retry))
    .bind(at)
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: WHAT, source })?;
    // The same plan made again begins again; what was called for it before stays on record in `attempt`.
    sqlx::query("DELETE FROM operation WHERE tenant = $1 AND plan = $2")
        .bind(plan.tenant.as_str())
        .bind(plan.id.as_str())
        .execute(&mut *writing.transaction)
        .await
        .map_err(write)?;
    let numbered: Vec<_> = plan.operations.iter().enumerate().collect();
    for chunk in numbered.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "INSERT INTO operation (tenant, plan, place, flow, record, member_key, kind, operation, state, \
             planned_at) ",
        );
        query.push_values(chunk, |mut row, (place, operation)| {
            row.push_bind(plan.tenant.as_str())
                .push_bind(plan.id.as_str())
                .push_bind(number(*place))
                .push_bind(operation.flow.as_str())
                .push_bind(operation.record.as_str())
                .push_bind(operation.userid.key().as_str().to_owned())
                .push_bind(operation.kind.as_str())
                .push_bind(json_text(operation))
                .push_bind(OperationState::Planned.as_str())
                .push_bind(at);
        });
        query.build().execute(&mut *writing.transaction).await.map_err(write)?;
    }
    put_quarantine(&mut writing, plan, world, at).await?;
    // A plan of this flow that still waited was made from an older world.
    sqlx::query(
        "UPDATE plan SET state = 'superseded' WHERE tenant = $1 AND flow = $2 AND id <> $3 \
         AND state IN ('planned', 'held')",
    )
    .bind(plan.tenant.as_str())
    .bind(plan.flow.as_str())
    .bind(plan.id.as_str())
    .execute(&mut *writing.transaction)
    .await
    .map_err(write)?;
    writing.commit(WHAT).await
}

/// The quarantine of a flow is what its last plan refused.
async fn put_quarantine(
    writing: &mut Writing<'_>,
    plan: &Plan,
    world: &World,
    at: i64,
) -> Result<(), StoreError> {
    let mut entries = Vec::new();
    for record in world.records.iter().filter(|record| record.flow == plan.flow) {
        if let Some(Standing::Refused { refusal }) = plan.standings.get(&record.id) {
            entries.push(Entry {
                flow: &plan.flow,
                record: &record.id,
                refusal,
                decision: &record.decision,
                rules: &record.rules,
            });
        }
    }
    records::put_refusals(writing, &plan.tenant, &entries, at).await?;
    sqlx::query("DELETE FROM refusal WHERE tenant = $1 AND flow = $2 AND last_seen < $3")
        .bind(plan.tenant.as_str())
        .bind(plan.flow.as_str())
        .bind(at)
        .execute(&mut *writing.transaction)
        .await
        .map_err(write)?;
    Ok(())
}

pub(super) async fn get(
    store: &Sqlite,
    tenant: &TenantId,
    id: &PlanId,
) -> Result<Option<StoredPlan>, StoreError> {
    let row = sqlx::query(
        "SELECT flow, run, hash, state, guard, counts, owned, retry, made_at FROM plan WHERE tenant = $1 AND id = $2",
    )
    .bind(tenant.as_str())
    .bind(id.as_str())
    .fetch_optional(&store.pool)
    .await
    .map_err(|source| StoreError::Read { what: WHAT, source })?;
    let Some(row) = row else { return Ok(None) };
    let row = Reading { row: &row, what: WHAT };
    let owned = usize::try_from(row.count("owned")?).unwrap_or(usize::MAX);
    let rows = sqlx::query("SELECT * FROM operation WHERE tenant = $1 AND plan = $2 ORDER BY place")
        .bind(tenant.as_str())
        .bind(id.as_str())
        .fetch_all(&store.pool)
        .await
        .map_err(read)?;
    let attempts =
        sqlx::query("SELECT * FROM attempt WHERE tenant = $1 AND plan = $2 ORDER BY called_at, number")
            .bind(tenant.as_str())
            .bind(id.as_str())
            .fetch_all(&store.pool)
            .await
            .map_err(read)?;
    Ok(Some(StoredPlan {
        id: id.clone(),
        flow: row.id("flow")?,
        run: row.id("run")?,
        hash: row.id("hash")?,
        state: row.word("state")?,
        guard: row.json("guard")?,
        counts: row.json("counts")?,
        owned,
        retry: row.get::<i64>("retry")? != 0,
        made_at: row.moment("made_at")?,
        operations: operations(&rows, &attempts)?,
    }))
}

pub(super) async fn find(store: &Sqlite, id: &PlanId) -> Result<Vec<(TenantId, FlowId)>, StoreError> {
    let rows = sqlx::query("SELECT tenant, flow FROM plan WHERE id = $1 ORDER BY tenant, flow")
        .bind(id.as_str())
        .fetch_all(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: WHAT, source })?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: WHAT };
            Ok((row.id("tenant")?, row.id("flow")?))
        })
        .collect()
}

pub(super) async fn operations_of(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    record: &RecordId,
) -> Result<Vec<OperationRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM operation WHERE tenant = $1 AND flow = $2 AND record = $3 ORDER BY planned_at, plan, place",
    )
    .bind(tenant.as_str())
    .bind(flow.as_str())
    .bind(record.as_str())
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    let attempts = sqlx::query(
        "SELECT a.* FROM attempt a JOIN operation o ON o.tenant = a.tenant AND o.plan = a.plan \
         AND o.place = a.place WHERE o.tenant = $1 AND o.flow = $2 AND o.record = $3 \
         ORDER BY a.called_at, a.number",
    )
    .bind(tenant.as_str())
    .bind(flow.as_str())
    .bind(record.as_str())
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    operations(&rows, &attempts)
}

fn operations(rows: &[DbRow], attempts: &[DbRow]) -> Result<Vec<OperationRow>, StoreError> {
    let mut by_operation: HashMap<(PlanId, u64), Vec<AttemptRow>> = HashMap::new();
    for row in attempts {
        let row = Reading { row, what: "calls" };
        by_operation.entry((row.id("plan")?, row.count("place")?)).or_default().push(AttemptRow {
            api: row.get("api")?,
            at: row.moment("called_at")?,
            took_ms: row.get("took_ms")?,
            errcode: row.get("errcode")?,
            errmsg: row.get("errmsg")?,
        });
    }
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: OPERATIONS };
            let (plan, place): (PlanId, u64) = (row.id("plan")?, row.count("place")?);
            let attempts = by_operation.remove(&(plan.clone(), place)).unwrap_or_default();
            Ok(OperationRow {
                plan,
                place: usize::try_from(place).unwrap_or(usize::MAX),
                operation: row.json("operation")?,
                state: row.word("state")?,
                planned_at: row.moment("planned_at")?,
                sent_at: row.optional_moment("sent_at")?,
                settled_at: row.optional_moment("settled_at")?,
                errcode: row.get("errcode")?,
                errmsg: row.get("errmsg")?,
                attempts,
            })
        })
        .collect()
}

pub(super) async fn set_state(
    store: &Sqlite,
    tenant: &TenantId,
    id: &PlanId,
    state: PlanState,
) -> Result<(), StoreError> {
    let mut writing = store.writing(WHAT).await?;
    sqlx::query("UPDATE plan SET state = $3 WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(id.as_str())
        .bind(word_of(&state))
        .execute(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Write { what: WHAT, source })?;
    writing.commit(WHAT).await
}

pub(super) async fn mark_sending(
    store: &Sqlite,
    tenant: &TenantId,
    plan: &PlanId,
    places: &[usize],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut writing = store.writing(OPERATIONS).await?;
    for chunk in places.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE operation SET state = 'sending', sent_at = ");
        query.push_bind(at.timestamp_millis());
        only_places(&mut query, tenant, plan, chunk);
        query.build().execute(&mut *writing.transaction).await.map_err(write)?;
    }
    writing.commit(OPERATIONS).await
}

fn only_places(query: &mut sqlx::QueryBuilder<Db>, tenant: &TenantId, plan: &PlanId, places: &[usize]) {
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
    tenant: &TenantId,
    plan: &PlanId,
    settlements: &[Settlement<'_>],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let at = at.timestamp_millis();
    let mut writing = store.writing(OPERATIONS).await?;
    // Most of a batch ended alike, so a few statements write it.
    let mut alike: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for settlement in settlements {
        let ending = (settlement.state, settlement.errcode, settlement.errmsg.as_deref());
        alike.entry(ending).or_default().push(settlement.place);
    }
    for ((state, errcode, errmsg), places) in alike {
        for chunk in places.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE operation SET state = ");
            query.push_bind(state.as_str()).push(", settled_at = ").push_bind(at);
            query.push(", errcode = ").push_bind(errcode);
            query.push(", errmsg = ").push_bind(errmsg.map(str::to_owned));
            only_places(&mut query, tenant, plan, chunk);
            query.build().execute(&mut *writing.transaction).await.map_err(write)?;
        }
    }
    put_attempts(&mut writing, tenant, plan, settlements).await?;
    let lines: Vec<ledger::Line<'_>> = settlements
        .iter()
        .filter_map(|s| s.ledger.as_ref().map(|entry| (entry, &s.operation.decision, &s.operation.rules)))
        .collect();
    ledger::put(&mut writing, tenant, &lines, at).await?;
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
    writing.commit(OPERATIONS).await
}

async fn put_attempts(
    writing: &mut Writing<'_>,
    tenant: &TenantId,
    plan: &PlanId,
    settlements: &[Settlement<'_>],
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
        query.build().execute(&mut *writing.transaction).await.map_err(write)?;
    }
    Ok(())
}

pub(super) async fn in_doubt(store: &Sqlite, tenant: &TenantId) -> Result<Vec<InDoubt>, StoreError> {
    let rows = sqlx::query(
        "SELECT plan, place, operation FROM operation WHERE tenant = $1 AND state = 'sending' \
         ORDER BY plan, place",
    )
    .bind(tenant.as_str())
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: OPERATIONS };
            let place = usize::try_from(row.count("place")?).unwrap_or(usize::MAX);
            Ok(InDoubt { plan: row.id("plan")?, place, operation: row.json("operation")? })
        })
        .collect()
}
