//! The latest drift check of each tenant, with the differences that have not been settled since.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::database::{Database, Db, ROWS, once};
use crate::row::{RowReader, json_text};
use crate::transaction::Transaction;
use crate::{Settlement, StoreError};
use ruzhi_model::{FlowId, MemberKey, MemberState, OperationState, RunId, TenantId};
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

/// Removes the differences that these outcomes settle, of every tenant of the corp: its check may have found the member
/// while another tenant, or no one, owned them.
pub(crate) async fn settle(
    transaction: &mut Transaction<'_>,
    corp: &[TenantId],
    tenant: &TenantId,
    settlements: &[Settlement],
) -> Result<(), StoreError> {
    let by_member: BTreeMap<MemberKey, &Settlement> = settlements
        .iter()
        .filter(|settlement| settlement.state == OperationState::Done || settlement.ledger.is_some())
        .map(|settlement| (settlement.operation.userid.key(), settlement))
        .collect();
    let members: Vec<&MemberKey> = by_member.keys().collect();
    let mut settled: Vec<(String, i64)> = Vec::new();
    for chunk in members.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "SELECT tenant, place, member_key, finding FROM drift_finding WHERE tenant IN (",
        );
        let mut tenants = query.separated(", ");
        for tenant in corp {
            tenants.push_bind(tenant.as_str().to_owned());
        }
        query.push(") AND member_key IN (");
        let mut keys = query.separated(", ");
        for key in chunk {
            keys.push_bind(key.as_str().to_owned());
        }
        query.push(")");
        let rows = once(&mut query)
            .fetch_all(&mut *transaction.connection)
            .await
            .map_err(StoreError::read(FINDINGS))?;
        for row in &rows {
            let reader = RowReader { row, what: FINDINGS };
            let of: TenantId = reader.id("tenant")?;
            let key = MemberKey::of(&reader.get::<String>("member_key")?);
            let Some(settlement) = by_member.get(&key) else { continue };
            if is_settled((&of, &reader.json("finding")?), tenant, settlement) {
                settled.push((of.to_string(), reader.get("place")?));
            }
        }
    }
    for (of, place) in settled {
        sqlx::query("DELETE FROM drift_finding WHERE tenant = $1 AND place = $2")
            .bind(of)
            .bind(place)
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(FINDINGS))?;
    }
    Ok(())
}

/// True if an outcome of `tenant` settles a difference that the check of a tenant of its corp found.
fn is_settled((of, finding): (&TenantId, &DriftFinding), tenant: &TenantId, settlement: &Settlement) -> bool {
    let Settlement { operation, ledger, state, .. } = settlement;
    let is_missing = matches!(finding, DriftFinding::Missing { .. });
    // A member who turns out to have been removed differs in nothing else.
    if ledger.as_ref().is_some_and(|line| line.state == MemberState::Removed) {
        return !is_missing;
    }
    if *state != OperationState::Done {
        return false;
    }
    let is_moved = operation.before.as_ref().is_some_and(|before| before.owner.tenant == *of);
    match finding {
        _ if of == tenant => finding.is_settled_by(operation, ledger.as_ref()),
        // The member is another tenant's now.
        DriftFinding::Unexpected { .. } => true,
        _ => is_moved,
    }
}

/// Removes the differences of a member whom a person has let go.
pub(crate) async fn release(
    transaction: &mut Transaction<'_>,
    tenant: &TenantId,
    member: &MemberKey,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM drift_finding WHERE tenant = $1 AND member_key = $2")
        .bind(tenant.as_str())
        .bind(member.as_str())
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(FINDINGS))?;
    Ok(())
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
