//! The audit log: changes and reveals by a person.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::audit_action::AuditAction;
use crate::database::Database;
use crate::row::RowReader;
use ruzhi_model::{AuditId, FlowId, TenantId};

const AUDIT: &str = "the audit log";

/// A change made by a person, or a request to reveal masked values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditRow {
    /// Its id.
    pub id: AuditId,
    /// The time.
    pub at: DateTime<Utc>,
    /// The person.
    pub who: String,
    /// Their role.
    pub role: String,
    /// The origin of the request: `page`, `api`, and the address it came from.
    pub origin: String,
    /// The action, such as `plan.approve`.
    #[schema(value_type = String)]
    pub action: AuditAction,
    /// The tenant concerned.
    pub tenant: Option<TenantId>,
    /// The flow concerned.
    pub flow: Option<FlowId>,
    /// The subject: a plan, a record, a digest.
    pub subject: Option<String>,
    /// The person's reason, or other details.
    pub detail: Option<String>,
    /// The outcome: `done`, or the code of the failure.
    pub outcome: String,
}

/// The audit rows of attempts that changed nothing.
#[derive(Debug, Clone, Copy)]
pub struct IdleAudit<'a> {
    /// Only those from before this moment.
    pub before: DateTime<Utc>,
    /// The outcome of an attempt that was denied.
    pub outcome: &'a str,
    /// Also idle is this action of persons of this role.
    pub role: &'a str,
    /// The action.
    pub action: &'a AuditAction,
}

impl Database {
    /// Stores an audit row; of one that is there already, only the outcome changes.
    pub async fn audit_put(&self, row: &AuditRow) -> Result<(), StoreError> {
        let mut transaction = self.begin(AUDIT).await?;
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
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(AUDIT))?;
        transaction.commit(AUDIT).await
    }

    /// Deletes old audit rows of attempts that changed nothing.
    pub async fn audit_delete_idle(&self, idle: &IdleAudit<'_>) -> Result<(), StoreError> {
        let mut transaction = self.begin(AUDIT).await?;
        sqlx::query("DELETE FROM audit WHERE at < $1 AND (outcome = $2 OR (role = $3 AND action = $4))")
            .bind(idle.before.timestamp_millis())
            .bind(idle.outcome)
            .bind(idle.role)
            .bind(idle.action.as_str())
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(AUDIT))?;
        transaction.commit(AUDIT).await
    }

    /// The latest audit rows, newest first, those before `before` if it is given: the time and the id of a row. Rows are
    /// in order of time, because ids of earlier versions do not compare with those of today.
    pub async fn audit_list(
        &self,
        tenant: Option<&TenantId>,
        before: Option<(DateTime<Utc>, &AuditId)>,
        most: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM audit WHERE ($1 IS NULL OR tenant = $1) AND ($2 IS NULL OR (at, id) < ($2, $3)) \
             ORDER BY at DESC, id DESC LIMIT $4",
        )
        .bind(tenant.map(TenantId::as_str))
        .bind(before.map(|(at, _)| at.timestamp_millis()))
        .bind(before.map(|(_, id)| id.as_str()))
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(AUDIT))?;
        rows.iter()
            .map(|row| {
                let reading = RowReader { row, what: AUDIT };
                Ok(AuditRow {
                    id: reading.id("id")?,
                    at: reading.moment("at")?,
                    who: reading.get("who")?,
                    role: reading.get("role")?,
                    origin: reading.get("origin")?,
                    action: reading.id("action")?,
                    tenant: reading.optional_id("tenant")?,
                    flow: reading.optional_id("flow")?,
                    subject: reading.get("subject")?,
                    detail: reading.get("detail")?,
                    outcome: reading.get("outcome")?,
                })
            })
            .collect()
    }
}
