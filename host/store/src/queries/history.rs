//! Runs, watermarks, and the numbers of each flow.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::values::{Reading, json_text, word_of};
use super::{Db, RunRow, RunState, Sqlite, StoreError, TenantStatus, Watermark, departures, once, removed};
use ruzhi_model::{Digest, FlowId, OperationKind, PlanId, RunId, TenantId, Text};
use ruzhi_plan::Counts;

const RUNS: &str = "runs";
const LABELS: &str = "labels";
const WATERMARK: &str = "the watermark";

pub(super) async fn put_run(store: &Sqlite, run: &RunRow) -> Result<(), StoreError> {
    let mut writing = store.writing(RUNS).await?;
    sqlx::query(
        "INSERT INTO run (tenant, flow, id, kind, state, started_at, ended_at, plan, rules, counts, calls, problem) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (tenant, id) DO UPDATE SET \
         state = excluded.state, ended_at = excluded.ended_at, plan = excluded.plan, rules = excluded.rules, \
         counts = excluded.counts, calls = excluded.calls, problem = excluded.problem",
    )
    .bind(run.tenant.as_str())
    .bind(run.flow.as_str())
    .bind(run.id.as_str())
    .bind(word_of(&run.kind))
    .bind(word_of(&run.state))
    .bind(run.started_at.timestamp_millis())
    .bind(run.ended_at.map(|at| at.timestamp_millis()))
    .bind(run.plan.as_ref().map(PlanId::as_str))
    .bind(run.rules.as_ref().map(|rules| rules.as_str()))
    .bind(json_text(&run.counts))
    .bind(json_text(&run.calls))
    .bind(run.problem.as_ref().map(json_text))
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: RUNS, source })?;
    writing.commit(RUNS).await
}

pub(super) async fn abandon_runs(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    current: &RunId,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let rows =
        sqlx::query("SELECT * FROM run WHERE tenant = $1 AND flow = $2 AND state = 'running' AND id <> $3")
            .bind(tenant.as_str())
            .bind(flow.as_str())
            .bind(current.as_str())
            .fetch_all(&store.pool)
            .await
            .map_err(|source| StoreError::Read { what: RUNS, source })?;
    for row in &rows {
        let mut run = run(&Reading { row, what: RUNS })?;
        run.counts = done(store, tenant, &run.id).await?;
        run.state = RunState::Failed;
        run.ended_at = Some(at);
        run.problem = Some(Text::new("the process ended before the run did", "进程在运行结束前退出"));
        put_run(store, &run).await?;
    }
    Ok(())
}

/// The work a run has completed, as far as its operations are settled.
async fn done(store: &Sqlite, tenant: &TenantId, run: &RunId) -> Result<Counts, StoreError> {
    let rows = sqlx::query(
        "SELECT o.kind AS kind, COUNT(*) AS operations FROM operation o JOIN plan p ON p.tenant = o.tenant \
         AND p.id = o.plan WHERE p.tenant = $1 AND p.run = $2 AND o.state = 'done' GROUP BY o.kind",
    )
    .bind(tenant.as_str())
    .bind(run.as_str())
    .fetch_all(&store.pool)
    .await
    .map_err(|source| StoreError::Read { what: RUNS, source })?;
    let mut counts = Counts::default();
    for row in &rows {
        let row = Reading { row, what: RUNS };
        let kind: OperationKind = row.word("kind")?;
        for _ in 0..row.count("operations")? {
            counts.count(kind);
        }
    }
    Ok(counts)
}

pub(super) fn run(row: &Reading<'_>) -> Result<RunRow, StoreError> {
    let problem: Option<String> = row.get("problem")?;
    Ok(RunRow {
        tenant: row.id("tenant")?,
        flow: row.id("flow")?,
        id: row.id("id")?,
        kind: row.word("kind")?,
        state: row.word("state")?,
        started_at: row.moment("started_at")?,
        ended_at: row.optional_moment("ended_at")?,
        plan: row.optional_id("plan")?,
        rules: row.optional_id("rules")?,
        counts: row.json("counts")?,
        calls: row.json("calls")?,
        problem: if problem.is_some() { Some(row.json("problem")?) } else { None },
    })
}

pub(super) async fn find_run(store: &Sqlite, id: &RunId) -> Result<Option<RunRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM run WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: RUNS, source })?;
    row.map(|row| run(&Reading { row: &row, what: RUNS })).transpose()
}

pub(super) async fn runs(
    store: &Sqlite,
    tenant: Option<&TenantId>,
    flow: Option<&FlowId>,
    most: u32,
) -> Result<Vec<RunRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM run WHERE ($1 = '' OR tenant = $1) AND ($2 = '' OR flow = $2) \
         ORDER BY started_at DESC, id DESC LIMIT $3",
    )
    .bind(tenant.map_or("", TenantId::as_str))
    .bind(flow.map_or("", FlowId::as_str))
    .bind(i64::from(most))
    .fetch_all(&store.pool)
    .await
    .map_err(|source| StoreError::Read { what: RUNS, source })?;
    rows.iter().map(|row| run(&Reading { row, what: RUNS })).collect()
}

pub(super) async fn watermark(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
) -> Result<Option<Watermark>, StoreError> {
    let row =
        sqlx::query("SELECT reached, query, form, asked FROM watermark WHERE tenant = $1 AND flow = $2")
            .bind(tenant.as_str())
            .bind(flow.as_str())
            .fetch_optional(&store.pool)
            .await
            .map_err(|source| StoreError::Read { what: WATERMARK, source })?;
    let Some(row) = row else { return Ok(None) };
    let row = Reading { row: &row, what: WATERMARK };
    let asked: String = row.get("asked")?;
    Ok(Some(Watermark {
        reached: row.moment("reached")?,
        query: row.id("query")?,
        form: row.get("form")?,
        asked: if asked.is_empty() { None } else { Some(row.id("asked")?) },
    }))
}

/// Notes the query of a collect that is about to start.
pub(super) async fn set_asked(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    query: &Digest,
) -> Result<(), StoreError> {
    let mut writing = store.writing(WATERMARK).await?;
    sqlx::query("UPDATE watermark SET asked = $3 WHERE tenant = $1 AND flow = $2")
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(query.as_str())
        .execute(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Write { what: WATERMARK, source })?;
    writing.commit(WATERMARK).await
}

pub(super) async fn set_watermark(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    watermark: &Watermark,
) -> Result<(), StoreError> {
    let mut writing = store.writing(WATERMARK).await?;
    sqlx::query(
        "INSERT INTO watermark (tenant, flow, reached, query, form, asked) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (tenant, flow) DO UPDATE SET reached = excluded.reached, query = excluded.query, \
         form = excluded.form, asked = excluded.asked",
    )
    .bind(tenant.as_str())
    .bind(flow.as_str())
    .bind(watermark.reached.timestamp_millis())
    .bind(watermark.query.as_str())
    .bind(watermark.form.as_str())
    .bind(watermark.asked.as_ref().map_or("", Digest::as_str))
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: WATERMARK, source })?;
    sqlx::query("UPDATE record SET confirmed = 1 WHERE tenant = $1 AND flow = $2 AND confirmed = 0")
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .execute(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Write { what: WATERMARK, source })?;
    writing.commit(WATERMARK).await
}

pub(super) async fn put_labels(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    labels: &BTreeMap<String, String>,
) -> Result<(), StoreError> {
    let mut writing = store.writing(LABELS).await?;
    sqlx::query(
        "INSERT INTO label (tenant, flow, labels) VALUES ($1, $2, $3) \
         ON CONFLICT (tenant, flow) DO UPDATE SET labels = excluded.labels",
    )
    .bind(tenant.as_str())
    .bind(flow.as_str())
    .bind(json_text(labels))
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: LABELS, source })?;
    writing.commit(LABELS).await
}

pub(super) async fn labels(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
) -> Result<BTreeMap<String, String>, StoreError> {
    let row = sqlx::query("SELECT labels FROM label WHERE tenant = $1 AND flow = $2")
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .fetch_optional(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: LABELS, source })?;
    row.map_or_else(|| Ok(BTreeMap::new()), |row| Reading { row: &row, what: LABELS }.json("labels"))
}

/// The status of every flow that ever ran, in one statement: alerts, metrics and the overview read a thousand flows.
pub(super) async fn status(store: &Sqlite) -> Result<Vec<TenantStatus>, StoreError> {
    let mut query = sqlx::QueryBuilder::<Db>::new(
        "SELECT r.*, w.reached AS reached, \
         (SELECT COUNT(*) FROM record r WHERE r.tenant = f.tenant AND r.flow = f.flow AND r.absent = 0) AS records, \
         (SELECT COUNT(*) FROM member m WHERE m.tenant = f.tenant AND m.flow = f.flow \
            AND m.state IN ('active', 'left')) AS members, \
         (SELECT COUNT(*) FROM refusal q WHERE q.tenant = f.tenant AND q.flow = f.flow) AS rejects, \
         (SELECT string_agg(p.id, ' ' ORDER BY p.made_at) FROM plan p \
            WHERE p.tenant = f.tenant AND p.flow = f.flow AND p.state = 'held') AS held, \
         (SELECT COUNT(DISTINCT m.userid) FROM ",
    );
    query.push(departures::LEAVERS_REFUSED);
    query.push(
        " AND q.tenant = f.tenant AND q.flow = f.flow) AS leavers_refused, \
         (SELECT COUNT(*) FROM member m WHERE m.tenant = f.tenant AND m.flow = f.flow AND ",
    );
    query.push(removed::WAITS);
    query.push(
        ") AS removed FROM (SELECT DISTINCT tenant, flow FROM run) f \
         JOIN run r ON r.tenant = f.tenant AND r.id = (SELECT l.id FROM run l \
            WHERE l.tenant = f.tenant AND l.flow = f.flow ORDER BY l.started_at DESC, l.id DESC LIMIT 1) \
         LEFT JOIN watermark w ON w.tenant = f.tenant AND w.flow = f.flow ORDER BY f.tenant, f.flow",
    );
    let rows = once(&mut query)
        .fetch_all(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: RUNS, source })?;
    let status = |row| {
        let row = Reading { row, what: RUNS };
        let last_run = run(&row)?;
        Ok(TenantStatus {
            tenant: last_run.tenant.clone(),
            flow: last_run.flow.clone(),
            leavers_refused: row.count("leavers_refused")?,
            records: row.count("records")?,
            members: row.count("members")?,
            rejects: row.count("rejects")?,
            removed: row.count("removed")?,
            watermark: row.optional_moment("reached")?,
            held: row.ids("held")?,
            last_run: Some(last_run),
        })
    };
    rows.iter().map(status).collect()
}
