//! Plans and their operations, as they are made and read.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::records::Entry;
use super::values::{DbRow, Reading, json_text, number, word_of};
use super::{
    Db, DraftPart, PlanState, ROWS, Sqlite, StoreError, StoredPlan, Writing, journal, ledger, once, records,
};
use crate::{AttemptRow, OperationRow};
use ruzhi_model::{FlowId, Operation, OperationState, PlanId, RecordId, RunId, TenantId};
use ruzhi_plan::{Order, Plan, Purpose};

const WHAT: &str = "a plan";
const OPERATIONS: &str = "operations";

fn read(source: sqlx::Error) -> StoreError {
    StoreError::Read { what: OPERATIONS, source }
}

fn write(source: sqlx::Error) -> StoreError {
    StoreError::Write { what: OPERATIONS, source }
}

/// The plan id of a draft's operations while the plan is being made.
fn draft_of(run: &RunId) -> String {
    format!("draft-{run}")
}

/// Removes the leftovers of drafts that never became plans.
pub(super) async fn begin_draft(store: &Sqlite, tenant: &TenantId, flow: &FlowId) -> Result<(), StoreError> {
    let mut writing = store.writing(OPERATIONS).await?;
    sqlx::query(
        "DELETE FROM operation WHERE tenant = $1 AND flow = $2 AND plan >= 'draft-' AND plan < 'draft.'",
    )
    .bind(tenant.as_str())
    .bind(flow.as_str())
    .execute(&mut *writing.transaction)
    .await
    .map_err(write)?;
    writing.commit(OPERATIONS).await
}

pub(super) async fn put_draft(
    store: &Sqlite,
    run: &RunId,
    tenant: &TenantId,
    part: &DraftPart,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let at = at.timestamp_millis();
    let draft = draft_of(run);
    let mut writing = store.writing(OPERATIONS).await?;
    let numbered: Vec<_> = (part.first..).zip(&part.operations).collect();
    for chunk in numbered.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "INSERT INTO operation (tenant, plan, place, flow, record, member_key, kind, operation, state, \
             planned_at) ",
        );
        query.push_values(chunk, |mut row, (place, operation)| {
            row.push_bind(tenant.as_str())
                .push_bind(draft.as_str())
                .push_bind(number(*place))
                .push_bind(operation.flow.as_str())
                .push_bind(operation.record.as_str())
                .push_bind(operation.userid.key().as_str().to_owned())
                .push_bind(operation.kind.as_str())
                .push_bind(json_text(operation))
                .push_bind(OperationState::Planned.as_str())
                .push_bind(at);
        });
        query.push(" ON CONFLICT (tenant, plan, place) DO UPDATE SET operation = excluded.operation");
        once(&mut query).execute(&mut *writing.transaction).await.map_err(write)?;
    }
    let entries: Vec<Entry<'_>> = part
        .refused
        .iter()
        .map(|(origin, refusal, decision, rules)| Entry {
            flow: &origin.flow,
            record: &origin.record,
            refusal,
            decision,
            rules,
        })
        .collect();
    records::put_refusals(&mut writing, tenant, &entries, at).await?;
    let confirmed: Vec<_> = part.confirmed.iter().map(|(origin, d, rules)| (origin, d, rules)).collect();
    ledger::confirm(&mut writing, &confirmed).await?;
    writing.commit(OPERATIONS).await
}

/// An operation of a run's draft.
pub(super) async fn drafted(
    store: &Sqlite,
    run: &RunId,
    tenant: &TenantId,
    place: usize,
) -> Result<Option<Operation>, StoreError> {
    let row = sqlx::query("SELECT operation FROM operation WHERE tenant = $1 AND plan = $2 AND place = $3")
        .bind(tenant.as_str())
        .bind(draft_of(run))
        .bind(number(place))
        .fetch_optional(&store.pool)
        .await
        .map_err(read)?;
    row.map(|row| Reading { row: &row, what: OPERATIONS }.json("operation")).transpose()
}

/// Turns the draft of a run into its plan. A person's rejection of this same plan stands.
pub(super) async fn put(
    store: &Sqlite,
    run: &RunId,
    plan: &Plan,
    order: &Order,
    state: PlanState,
    at: DateTime<Utc>,
) -> Result<PlanState, StoreError> {
    let at = at.timestamp_millis();
    let draft = draft_of(run);
    let mut writing = store.writing(WHAT).await?;
    let row = sqlx::query("SELECT state FROM plan WHERE tenant = $1 AND id = $2")
        .bind(plan.tenant.as_str())
        .bind(plan.id.as_str())
        .fetch_optional(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Read { what: WHAT, source })?;
    let before: Option<PlanState> =
        row.map(|row| Reading { row: &row, what: WHAT }.word("state")).transpose()?;
    let rejected = before == Some(PlanState::Rejected) && state != PlanState::Applying;
    let state = if rejected { PlanState::Rejected } else { state };
    sqlx::query(
        "INSERT INTO plan (tenant, id, flow, run, hash, purpose, state, plan, made_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant, id) DO UPDATE SET \
         run = excluded.run, state = excluded.state, plan = excluded.plan, made_at = excluded.made_at",
    )
    .bind(plan.tenant.as_str())
    .bind(plan.id.as_str())
    .bind(plan.flow.as_str())
    .bind(run.as_str())
    .bind(plan.hash.as_str())
    .bind(plan.purpose.as_str())
    .bind(word_of(&state))
    .bind(json_text(plan))
    .bind(at)
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: WHAT, source })?;
    // A plan that is made again starts from the beginning; earlier calls for it stay on record in `attempt`.
    sqlx::query("DELETE FROM operation WHERE tenant = $1 AND plan = $2")
        .bind(plan.tenant.as_str())
        .bind(plan.id.as_str())
        .execute(&mut *writing.transaction)
        .await
        .map_err(write)?;
    sqlx::query("UPDATE operation SET plan = $3 WHERE tenant = $1 AND plan = $2")
        .bind(plan.tenant.as_str())
        .bind(draft.as_str())
        .bind(plan.id.as_str())
        .execute(&mut *writing.transaction)
        .await
        .map_err(write)?;
    put_waves(&mut writing, plan, &order.waves).await?;
    if plan.purpose == Purpose::Sync {
        // The quarantine of a flow is the rejections of its last plan, and the records the plan retries until that is
        // done.
        sqlx::query(
            "DELETE FROM refusal WHERE tenant = $1 AND flow = $2 AND last_seen < $3 AND NOT EXISTS (SELECT 1 \
             FROM operation o WHERE o.tenant = refusal.tenant AND o.flow = refusal.flow \
             AND o.record = refusal.record AND o.plan = $4)",
        )
        .bind(plan.tenant.as_str())
        .bind(plan.flow.as_str())
        .bind(at)
        .bind(plan.id.as_str())
        .execute(&mut *writing.transaction)
        .await
        .map_err(write)?;
    }
    // A plan of this flow that still waited was made from an older state.
    sqlx::query(
        "UPDATE plan SET state = 'superseded' WHERE tenant = $1 AND flow = $2 AND id <> $3 \
         AND purpose = $4 AND state IN ('planned', 'held', 'applying')",
    )
    .bind(plan.tenant.as_str())
    .bind(plan.flow.as_str())
    .bind(plan.id.as_str())
    .bind(plan.purpose.as_str())
    .execute(&mut *writing.transaction)
    .await
    .map_err(write)?;
    writing.commit(WHAT).await?;
    Ok(state)
}

async fn put_waves(writing: &mut Writing<'_>, plan: &Plan, waves: &[(usize, u32)]) -> Result<(), StoreError> {
    let mut by_wave: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (place, wave) in waves {
        by_wave.entry(*wave).or_default().push(*place);
    }
    for (wave, places) in by_wave {
        for chunk in places.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE operation SET wave = ");
            query.push_bind(i64::from(wave));
            journal::only_places(&mut query, &plan.tenant, &plan.id, chunk);
            once(&mut query).execute(&mut *writing.transaction).await.map_err(write)?;
        }
    }
    Ok(())
}

pub(super) async fn get(
    store: &Sqlite,
    tenant: &TenantId,
    id: &PlanId,
) -> Result<Option<StoredPlan>, StoreError> {
    let row = sqlx::query("SELECT run, state, plan, reason, made_at FROM plan WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(id.as_str())
        .fetch_optional(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: WHAT, source })?;
    let Some(row) = row else { return Ok(None) };
    let row = Reading { row: &row, what: WHAT };
    Ok(Some(StoredPlan {
        plan: row.json("plan")?,
        run: row.id("run")?,
        state: row.word("state")?,
        reason: row.get("reason")?,
        made_at: row.moment("made_at")?,
    }))
}

/// A selection of a plan's operations.
pub(super) struct Wanted<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) plan: &'a PlanId,
    /// Only those of this wave that have not begun.
    pub(super) planned_in: Option<u32>,
    pub(super) after: Option<usize>,
    pub(super) most: usize,
}

/// A page of a plan's operations, in the order they are applied.
pub(super) async fn page(store: &Sqlite, wanted: &Wanted<'_>) -> Result<Vec<OperationRow>, StoreError> {
    let mut query = sqlx::QueryBuilder::<Db>::new("SELECT * FROM operation WHERE tenant = ");
    query.push_bind(wanted.tenant.as_str()).push(" AND plan = ").push_bind(wanted.plan.as_str());
    query.push(" AND place > ").push_bind(wanted.after.map_or(-1, number));
    if let Some(wave) = wanted.planned_in {
        query.push(" AND state = 'planned' AND wave = ").push_bind(i64::from(wave));
    }
    query.push(" ORDER BY place LIMIT ").push_bind(number(wanted.most));
    let rows = once(&mut query).fetch_all(&store.pool).await.map_err(read)?;
    operations(&rows, &[])
}

/// The operations a run completed, in the order it did them: a run plans again when it has to.
pub(super) async fn done_by(
    store: &Sqlite,
    tenant: &TenantId,
    run: &RunId,
    after: Option<(&PlanId, usize)>,
    most: usize,
) -> Result<Vec<OperationRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT o.* FROM operation o JOIN plan p ON p.tenant = o.tenant AND p.id = o.plan \
         LEFT JOIN plan a ON a.tenant = p.tenant AND a.id = $3 \
         WHERE p.tenant = $1 AND p.run = $2 AND o.state = 'done' AND (a.id IS NULL OR p.made_at > a.made_at \
         OR (p.made_at = a.made_at AND (p.id > a.id OR (p.id = a.id AND o.place > $4)))) \
         ORDER BY p.made_at, p.id, o.place LIMIT $5",
    )
    .bind(tenant.as_str())
    .bind(run.as_str())
    .bind(after.map_or("", |(plan, _)| plan.as_str()))
    .bind(after.map_or(-1, |(_, place)| number(place)))
    .bind(number(most))
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    operations(&rows, &[])
}

/// The owner of a plan, by the plan's id or its whole hash.
pub(super) async fn find(store: &Sqlite, name: &str) -> Result<Vec<(TenantId, FlowId, PlanId)>, StoreError> {
    let rows =
        sqlx::query("SELECT tenant, flow, id FROM plan WHERE id = $1 OR hash = $1 ORDER BY tenant, flow")
            .bind(name)
            .fetch_all(&store.pool)
            .await
            .map_err(|source| StoreError::Read { what: WHAT, source })?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: WHAT };
            Ok((row.id("tenant")?, row.id("flow")?, row.id("id")?))
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

pub(super) fn operations(rows: &[DbRow], attempts: &[DbRow]) -> Result<Vec<OperationRow>, StoreError> {
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
                wave: u32::try_from(row.count("wave")?).unwrap_or(u32::MAX),
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
    sqlx::query("UPDATE plan SET state = $3, reason = NULL WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(id.as_str())
        .bind(word_of(&state))
        .execute(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Write { what: WHAT, source })?;
    writing.commit(WHAT).await
}
