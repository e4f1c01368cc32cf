//! Alarms: conditions that people were or will be notified of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::database::Database;
use crate::row::{RowReader, json_text};
use ruzhi_model::{FlowId, TenantId, Text};

const ALARMS: &str = "alarms";

/// A condition that people were or will be notified of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlarmRow {
    /// Its identity; at most one alarm of a key is active at a time.
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
    pub told_at: Option<DateTime<Utc>>,
    /// The time it was over; none while it is active.
    pub over_at: Option<DateTime<Utc>>,
    /// The time people were notified that it is over.
    pub over_told_at: Option<DateTime<Utc>>,
}

impl Database {
    /// Every alarm, active or over.
    pub async fn alarms_list(&self) -> Result<Vec<AlarmRow>, StoreError> {
        let rows = sqlx::query("SELECT alarm FROM alarm ORDER BY key")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::read(ALARMS))?;
        rows.iter().map(|row| RowReader { row, what: ALARMS }.json("alarm")).collect()
    }

    /// Stores an alarm, in place of an earlier one with its key.
    pub async fn alarm_put(&self, alarm: &AlarmRow) -> Result<(), StoreError> {
        let mut transaction = self.begin(ALARMS).await?;
        sqlx::query(
            "INSERT INTO alarm (key, alarm) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET alarm = excluded.alarm",
        )
        .bind(alarm.key.as_str())
        .bind(json_text(alarm))
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(ALARMS))?;
        transaction.commit(ALARMS).await
    }
}
