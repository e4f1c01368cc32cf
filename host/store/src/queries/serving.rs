//! The memory of a long-running process: standings, the audit log, deliveries, alarms.

use chrono::Utc;

use super::values::{Reading, json_text, word_of};
use super::{AlarmRow, AuditRow, Delivery, Sqlite, StandingRow, StoreError, WakeRow};
use ruzhi_model::TenantId;

const STANDINGS: &str = "how the flows stand";
const AUDIT: &str = "the audit log";
const DELIVERIES: &str = "deliveries";
const WAKES: &str = "what flows were woken for";
const ALARMS: &str = "alarms";
const PROBE: &str = "anything";

pub(super) async fn standings(store: &Sqlite) -> Result<Vec<StandingRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM standing ORDER BY tenant, flow")
        .fetch_all(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: STANDINGS, source })?;
    rows.iter()
        .map(|row| {
            let reading = Reading { row, what: STANDINGS };
            Ok(StandingRow {
                tenant: reading.id("tenant")?,
                flow: reading.id("flow")?,
                reached: reading.optional_moment("reached")?,
                failures: u32::try_from(reading.count("failures")?).unwrap_or(u32::MAX),
                failed_at: reading.optional_moment("failed_at")?,
                paused: reading.optional_json("paused")?,
                blocked: reading.optional_json("blocked")?,
            })
        })
        .collect()
}

pub(super) async fn put_standing(store: &Sqlite, standing: &StandingRow) -> Result<(), StoreError> {
    let mut writing = store.writing(STANDINGS).await?;
    sqlx::query(
        "INSERT INTO standing (tenant, flow, reached, failures, failed_at, paused, blocked) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (tenant, flow) DO UPDATE SET reached = excluded.reached, failures = excluded.failures, \
         failed_at = excluded.failed_at, paused = excluded.paused, blocked = excluded.blocked",
    )
    .bind(standing.tenant.as_str())
    .bind(standing.flow.as_str())
    .bind(standing.reached.map(|at| at.timestamp_millis()))
    .bind(i64::from(standing.failures))
    .bind(standing.failed_at.map(|at| at.timestamp_millis()))
    .bind(standing.paused.as_ref().map(json_text))
    .bind(standing.blocked.as_ref().map(json_text))
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: STANDINGS, source })?;
    writing.commit(STANDINGS).await
}

pub(super) async fn put_audit(store: &Sqlite, row: &AuditRow) -> Result<(), StoreError> {
    let mut writing = store.writing(AUDIT).await?;
    sqlx::query(
        "INSERT INTO audit (id, at, who, role, origin, action, tenant, flow, subject, detail, outcome) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome",
    )
    .bind(row.id.as_str())
    .bind(row.at.timestamp_millis())
    .bind(row.who.as_str())
    .bind(row.role.as_str())
    .bind(row.origin.as_str())
    .bind(row.action.as_str())
    .bind(row.tenant.as_ref().map(|tenant| tenant.as_str()))
    .bind(row.flow.as_ref().map(|flow| flow.as_str()))
    .bind(row.subject.as_deref())
    .bind(row.detail.as_deref())
    .bind(row.outcome.as_str())
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: AUDIT, source })?;
    writing.commit(AUDIT).await
}

pub(super) async fn forget_idle_audit(
    store: &Sqlite,
    before: chrono::DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut writing = store.writing(AUDIT).await?;
    sqlx::query(
        "DELETE FROM audit WHERE at < $1 AND (outcome = 'access.forbidden' \
         OR (role = 'viewer' AND action = 'session.begin'))",
    )
    .bind(before.timestamp_millis())
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: AUDIT, source })?;
    writing.commit(AUDIT).await
}

pub(super) async fn audit(
    store: &Sqlite,
    tenant: Option<&TenantId>,
    before: Option<&str>,
    most: u32,
) -> Result<Vec<AuditRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM audit WHERE ($1 IS NULL OR tenant = $1) AND ($2 IS NULL OR id < $2) \
         ORDER BY id DESC LIMIT $3",
    )
    .bind(tenant.map(TenantId::as_str))
    .bind(before)
    .bind(i64::from(most))
    .fetch_all(&store.pool)
    .await
    .map_err(|source| StoreError::Read { what: AUDIT, source })?;
    rows.iter()
        .map(|row| {
            let reading = Reading { row, what: AUDIT };
            Ok(AuditRow {
                id: reading.get("id")?,
                at: reading.moment("at")?,
                who: reading.get("who")?,
                role: reading.get("role")?,
                origin: reading.get("origin")?,
                action: reading.get("action")?,
                tenant: reading.optional_id("tenant")?,
                flow: reading.optional_id("flow")?,
                subject: reading.get("subject")?,
                detail: reading.get("detail")?,
                outcome: reading.get("outcome")?,
            })
        })
        .collect()
}

pub(super) async fn take_delivery(store: &Sqlite, delivery: &Delivery<'_>) -> Result<bool, StoreError> {
    let Delivery { source, names, at, forget_before, wakes } = *delivery;
    let failed = |source| StoreError::Write { what: DELIVERIES, source };
    let mut writing = store.writing(DELIVERIES).await?;
    sqlx::query("DELETE FROM delivery WHERE at < $1")
        .bind(forget_before.timestamp_millis())
        .execute(&mut *writing.transaction)
        .await
        .map_err(failed)?;
    let mut new = true;
    for name in names {
        let taken = sqlx::query(
            "INSERT INTO delivery (source, id, at) VALUES ($1, $2, $3) ON CONFLICT (source, id) DO NOTHING",
        )
        .bind(source)
        .bind(name.as_str())
        .bind(at.timestamp_millis())
        .execute(&mut *writing.transaction)
        .await
        .map_err(failed)?;
        new &= taken.rows_affected() > 0;
    }
    if let Some((tenant, flow, kind)) = wakes.filter(|_| new) {
        sqlx::query(
            "INSERT INTO wake (tenant, flow, kind, at, times) VALUES ($1, $2, $3, $4, 1) \
             ON CONFLICT (tenant, flow, kind) DO UPDATE SET times = wake.times + 1",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(word_of(&kind))
        .bind(at.timestamp_millis())
        .execute(&mut *writing.transaction)
        .await
        .map_err(failed)?;
    }
    writing.commit(DELIVERIES).await?;
    Ok(new)
}

pub(super) async fn wakes(store: &Sqlite) -> Result<Vec<WakeRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM wake ORDER BY tenant, flow, kind")
        .fetch_all(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: WAKES, source })?;
    rows.iter()
        .map(|row| {
            let reading = Reading { row, what: WAKES };
            Ok(WakeRow {
                tenant: reading.id("tenant")?,
                flow: reading.id("flow")?,
                kind: reading.word("kind")?,
                at: reading.moment("at")?,
                times: reading.count("times")?,
            })
        })
        .collect()
}

pub(super) async fn forget_wake(store: &Sqlite, wake: &WakeRow) -> Result<(), StoreError> {
    let mut writing = store.writing(WAKES).await?;
    sqlx::query("DELETE FROM wake WHERE tenant = $1 AND flow = $2 AND kind = $3 AND times = $4")
        .bind(wake.tenant.as_str())
        .bind(wake.flow.as_str())
        .bind(word_of(&wake.kind))
        .bind(i64::try_from(wake.times).unwrap_or(i64::MAX))
        .execute(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Write { what: WAKES, source })?;
    writing.commit(WAKES).await
}

pub(super) async fn alarms(store: &Sqlite) -> Result<Vec<AlarmRow>, StoreError> {
    let rows = sqlx::query("SELECT alarm FROM alarm ORDER BY key")
        .fetch_all(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: ALARMS, source })?;
    rows.iter().map(|row| Reading { row, what: ALARMS }.json("alarm")).collect()
}

pub(super) async fn put_alarm(store: &Sqlite, alarm: &AlarmRow) -> Result<(), StoreError> {
    let mut writing = store.writing(ALARMS).await?;
    sqlx::query(
        "INSERT INTO alarm (key, alarm) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET alarm = excluded.alarm",
    )
    .bind(alarm.key.as_str())
    .bind(json_text(alarm))
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: ALARMS, source })?;
    writing.commit(ALARMS).await
}

/// Writes a meaningless row: only a write that has reached the disk proves that there is room.
pub(super) async fn check_writable(store: &Sqlite) -> Result<(), StoreError> {
    let mut writing = store.writing(PROBE).await?;
    sqlx::query(
        "INSERT INTO delivery (source, id, at) VALUES ('probe', 'probe', $1) \
         ON CONFLICT (source, id) DO UPDATE SET at = excluded.at",
    )
    .bind(Utc::now().timestamp_millis())
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: PROBE, source })?;
    writing.commit(PROBE).await
}
