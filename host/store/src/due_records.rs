//! Records whose decision has expired.

use chrono::{DateTime, Utc};

use crate::database::Database;
use crate::records::FetchedRecord;
use crate::row::{RowReader, number};
use crate::{StoreError, records};
use ruzhi_model::{FlowId, TenantId};

const DUE_RECORDS: &str = "records that are due";

/// A stored row whose decision has expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRecord {
    /// The row.
    pub row: FetchedRecord,
    /// The time it expired.
    pub since: DateTime<Utc>,
}

impl Database {
    /// Up to `most` stored records whose decision has expired at a moment, longest overdue first, after a record that
    /// was returned before. `stated` selects those whose rules gave the moment, or the others.
    pub async fn records_list_due(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        at: DateTime<Utc>,
        stated: bool,
        after: Option<&DueRecord>,
        most: usize,
    ) -> Result<Vec<DueRecord>, StoreError> {
        // A row whose batch failed has no moment: it is tried again by every run.
        let rows = sqlx::query(
            "SELECT id, content, fetched_at, updated_at, fetched_run, holds_until FROM record \
             WHERE tenant = $1 AND flow = $2 AND stated = $3 AND absent = 0 AND holds_until IS NOT NULL \
             AND holds_until <= $4 AND (holds_until, id) > ($5, $6) ORDER BY holds_until, id LIMIT $7",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(i64::from(stated))
        .bind(at.timestamp_millis())
        .bind(after.map_or(i64::MIN, |record| record.since.timestamp_millis()))
        .bind(after.map_or("", |record| record.row.record.id.as_str()))
        .bind(number(most))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(DUE_RECORDS))?;
        rows.iter()
            .map(|row| {
                let row = RowReader { row, what: DUE_RECORDS };
                Ok(DueRecord { since: row.moment("holds_until")?, row: records::fetched_record(&row)? })
            })
            .collect()
    }

    /// The first moment at which a decision of a flow expires, as given by its rules.
    pub async fn records_next_due(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let row = sqlx::query(
            "SELECT MIN(holds_until) AS next FROM record WHERE tenant = $1 AND flow = $2 \
             AND stated = 1 AND absent = 0 AND holds_until IS NOT NULL",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::read(DUE_RECORDS))?;
        RowReader { row: &row, what: DUE_RECORDS }.optional_moment("next")
    }
}
