//! Alerts: conditions that people were or will be notified of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::database::Database;
use crate::row::{RowReader, json_text};
use ruzhi_model::{FlowId, TenantId, Text};

const ALERTS: &str = "alerts";

/// A condition that people were or will be notified of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlertRow {
    /// Its identity; at most one alert of a key is active at a time.
    pub key: String,
    /// Its kind, such as `plan.held`.
    pub kind: String,
    /// The tenant.
    pub tenant: Option<TenantId>,
    /// The flow.
    pub flow: Option<FlowId>,
    /// The failure and its subject.
    pub text: Text,
    /// The next step for the reader.
    pub hint: Option<Text>,
    /// The page that shows more, such as `/plans/jingxintai/p1`.
    #[serde(default)]
    pub page: Option<String>,
    /// The time it arose.
    pub since: DateTime<Utc>,
    /// The time it was last observed.
    pub last_seen: DateTime<Utc>,
    /// The number of observations.
    pub seen: u64,
    /// The time people were notified; none if they have not been yet.
    pub notified_at: Option<DateTime<Utc>>,
    /// The time it was resolved; none while it is active.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The time people were notified that it is resolved.
    pub resolution_notified_at: Option<DateTime<Utc>>,
}

impl Database {
    /// Every alert, active or resolved.
    pub async fn alerts_list(&self) -> Result<Vec<AlertRow>, StoreError> {
        let rows = sqlx::query("SELECT alert FROM alert ORDER BY key")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::read(ALERTS))?;
        rows.iter().map(|row| RowReader { row, what: ALERTS }.json("alert")).collect()
    }

    /// Stores an alert, in place of an earlier one with its key.
    pub async fn alert_put(&self, alert: &AlertRow) -> Result<(), StoreError> {
        let mut transaction = self.begin(ALERTS).await?;
        sqlx::query(
            "INSERT INTO alert (key, alert) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET alert = excluded.alert",
        )
        .bind(alert.key.as_str())
        .bind(json_text(alert))
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(ALERTS))?;
        transaction.commit(ALERTS).await
    }
}
