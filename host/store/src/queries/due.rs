//! Records whose decision has expired.

use chrono::{DateTime, Utc};

use super::records::fetched;
use super::values::{Reading, number};
use super::{DueRecord, Sqlite, StoreError};
use ruzhi_model::{FlowId, TenantId};

const WHAT: &str = "records that are due";

fn read(source: sqlx::Error) -> StoreError {
    StoreError::Read { what: WHAT, source }
}

pub(super) async fn records(
    store: &Sqlite,
    (tenant, flow): (&TenantId, &FlowId),
    at: DateTime<Utc>,
    told: bool,
    after: Option<&DueRecord>,
    most: usize,
) -> Result<Vec<DueRecord>, StoreError> {
    // A row whose batch failed has no moment: it is tried again by every run.
    let rows = sqlx::query(
        "SELECT id, content, fetched_at, updated_at, fetched_run, holds_until FROM record \
         WHERE tenant = $1 AND flow = $2 AND told = $3 AND absent = 0 AND holds_until IS NOT NULL \
         AND holds_until <= $4 AND (holds_until, id) > ($5, $6) ORDER BY holds_until, id LIMIT $7",
    )
    .bind(tenant.as_str())
    .bind(flow.as_str())
    .bind(i64::from(told))
    .bind(at.timestamp_millis())
    .bind(after.map_or(i64::MIN, |record| record.since.timestamp_millis()))
    .bind(after.map_or("", |record| record.row.record.id.as_str()))
    .bind(number(most))
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: WHAT };
            Ok(DueRecord { since: row.moment("holds_until")?, row: fetched(&row)? })
        })
        .collect()
}

pub(super) async fn next(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let row = sqlx::query(
        "SELECT MIN(holds_until) AS next FROM record WHERE tenant = $1 AND flow = $2 \
         AND told = 1 AND absent = 0 AND holds_until IS NOT NULL",
    )
    .bind(tenant.as_str())
    .bind(flow.as_str())
    .fetch_one(&store.pool)
    .await
    .map_err(read)?;
    Reading { row: &row, what: WHAT }.optional_moment("next")
}
