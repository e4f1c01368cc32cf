//! The schedule state of each flow.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::database::Database;
use crate::row::{RowReader, json_text};
use ruzhi_model::{FlowId, RemoteService, TenantId, Text};

const SCHEDULE_STATES: &str = "the schedule states";

/// A person stopped a flow until they start it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Paused {
    /// The person.
    pub who: String,
    /// The time.
    pub at: DateTime<Utc>,
    /// Their reason.
    pub why: Option<String>,
}

/// A service denies a flow's credential, address or permission: it is not called again until a person acts or the
/// settings change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Blocked {
    /// The service; none in a row from before services were stored.
    #[serde(default)]
    pub service: Option<RemoteService>,
    /// The code of the denial.
    pub code: String,
    /// The failure and its subject.
    pub text: Text,
    /// The next step for the reader.
    pub hint: Option<Text>,
    /// The time.
    pub at: DateTime<Utc>,
    /// Digest of the denied settings, with a salt.
    pub settings: String,
}

/// The schedule state of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleStateRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The last scheduled moment that was handled.
    pub reached: Option<DateTime<Utc>>,
    /// Consecutive failed runs.
    pub failures: u32,
    /// The time the last of them ended.
    pub failed_at: Option<DateTime<Utc>>,
    /// A person stopped it.
    pub paused: Option<Paused>,
    /// A service denies it access.
    pub blocked: Option<Blocked>,
}

impl Database {
    /// The schedule state of every flow that was ever scheduled.
    pub async fn schedule_states_list(&self) -> Result<Vec<ScheduleStateRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM schedule_state ORDER BY tenant, flow")
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::read(SCHEDULE_STATES))?;
        rows.iter()
            .map(|row| {
                let reading = RowReader { row, what: SCHEDULE_STATES };
                Ok(ScheduleStateRow {
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

    /// Stores a flow's schedule state.
    pub async fn schedule_state_put(&self, state: &ScheduleStateRow) -> Result<(), StoreError> {
        let mut transaction = self.begin(SCHEDULE_STATES).await?;
        sqlx::query(
            "INSERT INTO schedule_state (tenant, flow, reached, failures, failed_at, paused, blocked) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (tenant, flow) DO UPDATE SET reached = excluded.reached, failures = excluded.failures, \
             failed_at = excluded.failed_at, paused = excluded.paused, blocked = excluded.blocked",
        )
        .bind(state.tenant.as_str())
        .bind(state.flow.as_str())
        .bind(state.reached.map(|at| at.timestamp_millis()))
        .bind(i64::from(state.failures))
        .bind(state.failed_at.map(|at| at.timestamp_millis()))
        .bind(state.paused.as_ref().map(json_text))
        .bind(state.blocked.as_ref().map(json_text))
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(SCHEDULE_STATES))?;
        transaction.commit(SCHEDULE_STATES).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_from_before_services_were_stored_is_read() {
        let stored = r#"{"code":"wecom.60020","text":{"en":"no","zh":"否"},"hint":null,"at":"2026-05-01T08:00:00Z","settings":"s"}"#;
        let blocked: Blocked = serde_json::from_str(stored).unwrap();
        assert_eq!((blocked.service, blocked.code.as_str()), (None, "wecom.60020"));
    }
}
