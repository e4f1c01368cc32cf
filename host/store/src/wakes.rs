//! Wakes of flows that no run has handled.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::database::Database;
use crate::row::{RowReader, word_of};
use crate::transaction::Transaction;
use ruzhi_model::{FlowId, TenantId};

const WAKES: &str = "what flows were woken for";

/// The reason a flow was woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WakeKind {
    /// The form was changed.
    Push,
    /// The directory was changed from outside.
    Callback,
    /// A run that writes was cut off because its process ended.
    CutOff,
}

/// A wake of a flow that no run has handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WakeRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The reason.
    pub kind: WakeKind,
    /// The time of the first wake.
    pub at: DateTime<Utc>,
    /// The number of wakes since then.
    pub count: u64,
}

impl Database {
    /// The wakes of flows that no run has handled.
    pub async fn wakes_list(&self) -> Result<Vec<WakeRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM wake ORDER BY tenant, flow, kind")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::read(WAKES))?;
        rows.iter()
            .map(|row| {
                let reading = RowReader { row, what: WAKES };
                Ok(WakeRow {
                    tenant: reading.id("tenant")?,
                    flow: reading.id("flow")?,
                    kind: reading.word("kind")?,
                    at: reading.moment("at")?,
                    count: reading.count("count")?,
                })
            })
            .collect()
    }

    /// Stores that a flow was woken.
    pub async fn wake_put(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        kind: WakeKind,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin(WAKES).await?;
        put(&mut transaction, tenant, flow, kind, at).await?;
        transaction.commit(WAKES).await
    }

    /// Forgets a flow's wake, unless it was woken again since the row was read.
    pub async fn wake_delete(&self, wake: &WakeRow) -> Result<(), StoreError> {
        let mut transaction = self.begin(WAKES).await?;
        sqlx::query("DELETE FROM wake WHERE tenant = $1 AND flow = $2 AND kind = $3 AND count = $4")
            .bind(wake.tenant.as_str())
            .bind(wake.flow.as_str())
            .bind(word_of(&wake.kind))
            .bind(i64::try_from(wake.count).unwrap_or(i64::MAX))
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(WAKES))?;
        transaction.commit(WAKES).await
    }
}

pub(crate) async fn put(
    transaction: &mut Transaction<'_>,
    tenant: &TenantId,
    flow: &FlowId,
    kind: WakeKind,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO wake (tenant, flow, kind, at, count) VALUES ($1, $2, $3, $4, 1) \
         ON CONFLICT (tenant, flow, kind) DO UPDATE SET count = wake.count + 1",
    )
    .bind(tenant.as_str())
    .bind(flow.as_str())
    .bind(word_of(&kind))
    .bind(at.timestamp_millis())
    .execute(&mut *transaction.connection)
    .await
    .map_err(StoreError::write(WAKES))?;
    Ok(())
}
