//! Queries for people, page by page.

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use futures::stream::BoxStream;

use super::values::{DbRow, Reading, number, word_of};
use super::{Db, FlowId, PlanId, RecordId, Sqlite, StoreError, TenantId, history, once, plans, records};
use crate::{
    OperationRow, OperationsWanted, RejectRow, RejectsWanted, RunRow, RunsCounted, RunsWanted, ShownReject,
};

const RUNS: &str = "runs";
const QUARANTINE: &str = "the quarantine";
const OPERATIONS: &str = "operations";

/// Milliseconds of a quarter of an hour: every time zone's day begins with one.
const QUARTER: i64 = 15 * 60 * 1000;

pub(super) async fn runs(store: &Sqlite, wanted: &RunsWanted<'_>) -> Result<Vec<RunRow>, StoreError> {
    let mut query = sqlx::QueryBuilder::<Db>::new("SELECT * FROM run WHERE 1 = 1");
    of_flow(&mut query, wanted.tenant, wanted.flow);
    if let Some(state) = wanted.state {
        query.push(" AND state = ").push_bind(word_of(&state));
    }
    if let Some(kind) = wanted.kind {
        query.push(" AND kind = ").push_bind(word_of(&kind));
    }
    if let Some((at, id)) = wanted.before {
        let at = at.timestamp_millis();
        query.push(" AND (started_at < ").push_bind(at).push(" OR (started_at = ").push_bind(at);
        query.push(" AND id < ").push_bind(id.as_str()).push("))");
    }
    query.push(" ORDER BY started_at DESC, id DESC LIMIT ").push_bind(i64::from(wanted.most));
    let rows = once(&mut query)
        .fetch_all(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: RUNS, source })?;
    rows.iter().map(|row| history::run(&Reading { row, what: RUNS })).collect()
}

fn of_flow(query: &mut sqlx::QueryBuilder<Db>, tenant: Option<&TenantId>, flow: Option<&FlowId>) {
    if let Some(tenant) = tenant {
        query.push(" AND tenant = ").push_bind(tenant.as_str());
    }
    if let Some(flow) = flow {
        query.push(" AND flow = ").push_bind(flow.as_str());
    }
}

pub(super) async fn counted(
    store: &Sqlite,
    tenant: Option<&TenantId>,
    flow: Option<&FlowId>,
    since: DateTime<Utc>,
) -> Result<Vec<RunsCounted>, StoreError> {
    let mut query = sqlx::QueryBuilder::<Db>::new("SELECT started_at / ");
    query.push(QUARTER).push(" AS quarter, state, COUNT(*) AS runs FROM run WHERE started_at >= ");
    query.push_bind(since.timestamp_millis());
    of_flow(&mut query, tenant, flow);
    query.push(" GROUP BY started_at / ").push(QUARTER).push(", state ORDER BY 1");
    let rows = once(&mut query)
        .fetch_all(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: RUNS, source })?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: RUNS };
            let quarter: i64 = row.get("quarter")?;
            Ok(RunsCounted {
                at: DateTime::from_timestamp_millis(quarter.saturating_mul(QUARTER)).unwrap_or_default(),
                state: row.word("state")?,
                runs: row.count("runs")?,
            })
        })
        .collect()
}

/// Runs that completed operations, among those that began since a moment.
pub(super) async fn busy(
    store: &Sqlite,
    tenant: Option<&TenantId>,
    flow: Option<&FlowId>,
    since: DateTime<Utc>,
    each: &mut (dyn FnMut(RunRow) + Send),
) -> Result<(), StoreError> {
    let mut query = sqlx::QueryBuilder::<Db>::new("SELECT * FROM run WHERE started_at >= ");
    query.push_bind(since.timestamp_millis());
    of_flow(&mut query, tenant, flow);
    // Counts are stored in the order of their fields: most runs find nothing to do, and need not be read.
    query.push(
        " AND counts NOT LIKE '{\"created\":0,\"updated\":0,\"disabled\":0,\"enabled\":0,\"deleted\":0,%' \
         ORDER BY started_at, id",
    );
    told_one_by_one(once(&mut query).fetch(&store.pool), each).await
}

/// Runs that ended since a moment.
pub(super) async fn recent(
    store: &Sqlite,
    since: DateTime<Utc>,
    each: &mut (dyn FnMut(RunRow) + Send),
) -> Result<(), StoreError> {
    let query = sqlx::query("SELECT * FROM run WHERE ended_at >= $1 ORDER BY started_at, id")
        .bind(since.timestamp_millis());
    told_one_by_one(query.fetch(&store.pool), each).await
}

/// Passes on runs as they are read. There may be a hundred thousand.
async fn told_one_by_one(
    mut rows: BoxStream<'_, Result<DbRow, sqlx::Error>>,
    each: &mut (dyn FnMut(RunRow) + Send),
) -> Result<(), StoreError> {
    while let Some(row) = rows.try_next().await.map_err(|source| StoreError::Read { what: RUNS, source })? {
        each(history::run(&Reading { row: &row, what: RUNS })?);
    }
    Ok(())
}

/// Operations of a plan with the calls made for them.
pub(super) async fn operations(
    store: &Sqlite,
    wanted: &OperationsWanted<'_>,
) -> Result<Vec<OperationRow>, StoreError> {
    let read = |source| StoreError::Read { what: OPERATIONS, source };
    let mut query = sqlx::QueryBuilder::<Db>::new("SELECT * FROM operation WHERE tenant = ");
    query.push_bind(wanted.tenant.as_str()).push(" AND plan = ").push_bind(wanted.plan.as_str());
    query.push(" AND place > ").push_bind(wanted.after.map_or(-1, number));
    if let Some(kind) = wanted.kind {
        query.push(" AND kind = ").push_bind(kind.as_str());
    }
    query.push(" ORDER BY place LIMIT ").push_bind(number(wanted.most));
    let rows = once(&mut query).fetch_all(&store.pool).await.map_err(read)?;
    let place = |row: Option<&DbRow>| {
        row.map(|row| Reading { row, what: OPERATIONS }.get::<i64>("place")).transpose()
    };
    let (Some(first), Some(last)) = (place(rows.first())?, place(rows.last())?) else {
        return Ok(Vec::new());
    };
    let attempts = sqlx::query(
        "SELECT * FROM attempt WHERE tenant = $1 AND plan = $2 AND place >= $3 AND place <= $4 \
         ORDER BY called_at, number",
    )
    .bind(wanted.tenant.as_str())
    .bind(wanted.plan.as_str())
    .bind(first)
    .bind(last)
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    plans::operations(&rows, &attempts)
}

/// Rejects a plan that still waits. Returns whether it did wait.
pub(super) async fn reject_plan(
    store: &Sqlite,
    tenant: &TenantId,
    plan: &PlanId,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    let mut writing = store.writing("plans").await?;
    let done = sqlx::query(
        "UPDATE plan SET state = 'rejected', reason = $3 WHERE tenant = $1 AND id = $2 \
         AND state IN ('planned', 'held')",
    )
    .bind(tenant.as_str())
    .bind(plan.as_str())
    .bind(reason)
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: "plans", source })?;
    writing.commit("plans").await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn rejects(
    store: &Sqlite,
    wanted: &RejectsWanted<'_>,
) -> Result<Vec<ShownReject>, StoreError> {
    let rows = wanted.rows || !wanted.words.is_empty();
    let mut query = sqlx::QueryBuilder::<Db>::new(
        "SELECT r.tenant AS tenant, r.flow AS flow, r.record AS record, r.refused_by AS refused_by, \
         r.violations AS violations, r.errcode AS errcode, r.held_by AS held_by, r.waits_for AS waits_for, \
         r.tries AS tries, r.retry_at AS retry_at, r.first_seen AS first_seen, \
         r.last_seen AS last_seen, ",
    );
    query.push(if rows {
        "s.content AS content, s.decision AS decision FROM refusal r LEFT JOIN record s ON s.tenant = r.tenant \
         AND s.flow = r.flow AND s.id = r.record WHERE 1 = 1"
    } else {
        "NULL AS content, NULL AS decision FROM refusal r WHERE 1 = 1"
    });
    if let Some(tenant) = wanted.tenant {
        query.push(" AND r.tenant = ").push_bind(tenant.as_str());
    }
    if let Some(flow) = wanted.flow {
        query.push(" AND r.flow = ").push_bind(flow.as_str());
    }
    if let Some(record) = wanted.record {
        query.push(" AND r.record = ").push_bind(record.as_str());
    }
    if let Some((tenant, flow, record)) = wanted.after {
        query.push(" AND (r.tenant, r.flow, r.record) > (").push_bind(tenant.as_str());
        query.push(", ").push_bind(flow.as_str()).push(", ").push_bind(record.as_str()).push(")");
    }
    for word in wanted.words {
        let like = format!("%{}%", escaped(&word.to_ascii_lowercase()));
        query.push(" AND (");
        for (place, column) in ["r.record", "r.violations", "s.content", "s.decision"].iter().enumerate() {
            query.push(if place > 0 { " OR LOWER(" } else { "LOWER(" }).push(column).push(") LIKE ");
            query.push_bind(like.clone()).push(" ESCAPE '\\'");
        }
        query.push(")");
    }
    query.push(" ORDER BY r.tenant, r.flow, r.record");
    if let Some(most) = wanted.most {
        query.push(" LIMIT ").push_bind(i64::from(most));
    }
    let found = once(&mut query).fetch_all(&store.pool).await;
    found
        .map_err(|source| StoreError::Read { what: QUARANTINE, source })?
        .iter()
        .map(|row| {
            let row = Reading { row, what: QUARANTINE };
            let record: RecordId = row.id("record")?;
            Ok(ShownReject {
                reject: RejectRow {
                    tenant: row.id("tenant")?,
                    flow: row.id("flow")?,
                    record,
                    refusal: records::refusal(&row)?,
                    content: row.get("content")?,
                    first_seen: row.moment("first_seen")?,
                    last_seen: row.moment("last_seen")?,
                },
                decision: row.optional_json("decision")?,
            })
        })
        .collect()
}

/// Escapes a text for `LIKE`, so that no character is a wildcard.
fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
