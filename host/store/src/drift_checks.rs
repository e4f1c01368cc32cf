//! The latest drift check of each tenant, with the differences that no plan has settled since.

use chrono::{DateTime, Utc};

use crate::StoreError;
use crate::database::{Database, ROWS, once};
use crate::row::{RowReader, json_text};
use ruzhi_model::{FlowId, PlanId, RunId, TenantId};
use ruzhi_plan::drift::DriftFinding;

const CHECK: &str = "a drift check";
const CHECKS: &str = "the drift checks";
const FINDINGS: &str = "the differences of a drift check";

/// A drift check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftCheckRow {
    /// The tenant, whose whole directory was compared.
    pub tenant: TenantId,
    /// The flow that checked.
    pub flow: FlowId,
    /// The run that checked.
    pub run: RunId,
    /// The end of the check.
    pub at: DateTime<Utc>,
    /// The number of differences that are left.
    pub findings: u64,
}

impl Database {
    /// Stores a drift check and its differences, in place of the tenant's earlier one.
    pub async fn drift_check_put(
        &self,
        check: &DriftCheckRow,
        findings: &[DriftFinding],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin(CHECK).await?;
        let tenant = check.tenant.as_str();
        sqlx::query("DELETE FROM drift_finding WHERE tenant = $1")
            .bind(tenant)
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(CHECK))?;
        let numbered: Vec<(i64, &DriftFinding)> = (0..).zip(findings).collect();
        for chunk in numbered.chunks(ROWS) {
            let mut query =
                sqlx::QueryBuilder::new("INSERT INTO drift_finding (tenant, place, member_key, finding) ");
            query.push_values(chunk, |mut row, (place, finding)| {
                row.push_bind(tenant)
                    .push_bind(*place)
                    .push_bind(finding.userid().key().as_str().to_owned())
                    .push_bind(json_text(finding));
            });
            once(&mut query).execute(&mut *transaction.connection).await.map_err(StoreError::write(CHECK))?;
        }
        sqlx::query(
            "INSERT INTO drift_check (tenant, flow, run, at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (tenant) DO UPDATE SET flow = excluded.flow, run = excluded.run, at = excluded.at",
        )
        .bind(tenant)
        .bind(check.flow.as_str())
        .bind(check.run.as_str())
        .bind(check.at.timestamp_millis())
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(CHECK))?;
        transaction.commit(CHECK).await
    }

    /// Removes the differences of the members for whom a plan has done something.
    pub async fn drift_findings_settle(&self, tenant: &TenantId, plan: &PlanId) -> Result<(), StoreError> {
        let mut transaction = self.begin(FINDINGS).await?;
        sqlx::query(
            "DELETE FROM drift_finding WHERE tenant = $1 AND member_key IN \
             (SELECT member_key FROM operation WHERE tenant = $1 AND plan = $2 AND state = 'done')",
        )
        .bind(tenant.as_str())
        .bind(plan.as_str())
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(FINDINGS))?;
        transaction.commit(FINDINGS).await
    }

    /// The latest drift check of a tenant.
    pub async fn drift_check_find(&self, tenant: &TenantId) -> Result<Option<DriftCheckRow>, StoreError> {
        let row = sqlx::query(
            "SELECT c.*, (SELECT COUNT(*) FROM drift_finding f WHERE f.tenant = c.tenant) AS findings \
             FROM drift_check c WHERE c.tenant = $1",
        )
        .bind(tenant.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::read(CHECK))?;
        row.map(|row| check(&row)).transpose()
    }

    /// The latest drift check of each tenant.
    pub async fn drift_checks_list(&self) -> Result<Vec<DriftCheckRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT c.*, (SELECT COUNT(*) FROM drift_finding f WHERE f.tenant = c.tenant) AS findings \
             FROM drift_check c ORDER BY c.tenant",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(CHECKS))?;
        rows.iter().map(check).collect()
    }

    /// A page of the differences of a tenant's latest drift check, each with its place.
    pub async fn drift_findings_list(
        &self,
        tenant: &TenantId,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<(u64, DriftFinding)>, StoreError> {
        let after = after.map_or(-1, |after| i64::try_from(after).unwrap_or(i64::MAX));
        let rows = sqlx::query(
            "SELECT place, finding FROM drift_finding WHERE tenant = $1 AND place > $2 ORDER BY place LIMIT $3",
        )
        .bind(tenant.as_str())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(FINDINGS))?;
        let finding = |row| {
            let reader = RowReader { row, what: FINDINGS };
            Ok((reader.count("place")?, reader.json("finding")?))
        };
        rows.iter().map(finding).collect()
    }
}

fn check(row: &sqlx::sqlite::SqliteRow) -> Result<DriftCheckRow, StoreError> {
    let reader = RowReader { row, what: CHECK };
    Ok(DriftCheckRow {
        tenant: reader.id("tenant")?,
        flow: reader.id("flow")?,
        run: reader.id("run")?,
        at: reader.moment("at")?,
        findings: reader.count("findings")?,
    })
}
