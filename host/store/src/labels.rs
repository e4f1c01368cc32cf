//! The labels of each flow's fields.

use std::collections::BTreeMap;

use crate::StoreError;
use crate::database::Database;
use crate::row::{RowReader, json_text};
use ruzhi_model::{FlowId, TenantId};

const LABELS: &str = "labels";

impl Database {
    /// Stores the labels of a flow's fields.
    pub async fn labels_put(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        labels: &BTreeMap<String, String>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin(LABELS).await?;
        sqlx::query(
            "INSERT INTO label (tenant, flow, labels) VALUES ($1, $2, $3) \
             ON CONFLICT (tenant, flow) DO UPDATE SET labels = excluded.labels",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(json_text(labels))
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(LABELS))?;
        transaction.commit(LABELS).await
    }

    /// The labels of a flow's fields, as its guest last gave them.
    pub async fn labels_find(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let row = sqlx::query("SELECT labels FROM label WHERE tenant = $1 AND flow = $2")
            .bind(tenant.as_str())
            .bind(flow.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::read(LABELS))?;
        row.map_or_else(|| Ok(BTreeMap::new()), |row| RowReader { row: &row, what: LABELS }.json("labels"))
    }
}
