//! Departures and their times, which the guard adds up.

use std::collections::BTreeSet;

use crate::StoreError;
use crate::database::{Database, Db, ROWS, once};
use crate::row::RowReader;
use crate::settlement::Settlement;
use crate::transaction::Transaction;
use ruzhi_model::{FlowId, MemberKey, OperationKind, OperationState, PlanId, TenantId, UserId};
use ruzhi_plan::{Plan, RecentLeavers, Scope};

const DEPARTURES: &str = "departures";

/// The members who left and can still log in because WeCom refuses to disable them, with the rejection. The flow is to
/// be added.
pub(crate) const LEAVERS_REJECTED: &str = "quarantine q \
     JOIN record r ON r.tenant = q.tenant AND r.flow = q.flow AND r.id = q.record \
     JOIN member m ON m.tenant = q.tenant AND m.decided_key = r.member_key \
     WHERE q.rejected_by = 'wecom' AND (r.kind = 'leave' OR r.absent = 1) \
     AND (m.state = 'active' OR (m.state = 'left' AND m.left_at IS NULL))";

impl Database {
    /// Members of the tenant who left lately through plans that no person released.
    pub(crate) async fn departures_find_lately(&self, scope: &Scope) -> Result<RecentLeavers, StoreError> {
        // There is no upper limit: after a clock was set back, its earlier notes still count.
        let rows = sqlx::query(
            "SELECT d.member_key AS member_key, MAX(d.at) AS at, (SELECT COUNT(*) FROM member m \
             WHERE m.tenant = d.tenant AND m.member_key = d.member_key AND m.state <> 'deleted') AS owned \
             FROM departure d WHERE d.tenant = $1 AND d.approved = 0 AND d.at > $2 GROUP BY d.tenant, d.member_key",
        )
        .bind(scope.tenant.as_str())
        .bind(scope.week.min(scope.day).timestamp_millis())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(DEPARTURES))?;
        let mut recent_leavers = RecentLeavers::default();
        for row in &rows {
            let row = RowReader { row, what: DEPARTURES };
            let member = MemberKey::of(&row.get::<String>("member_key")?);
            let (at, gone) = (row.moment("at")?, u64::from(row.count("owned")? == 0));
            for (span, begin) in
                [(&mut recent_leavers.day, scope.day), (&mut recent_leavers.week, scope.week)]
            {
                if at > begin && span.left.insert(member.clone()) {
                    span.gone += gone;
                }
            }
        }
        Ok(recent_leavers)
    }

    /// The leavers of a flow who can still log in because WeCom refuses to disable them: their number, and the first of
    /// them with the code.
    pub async fn leavers_find_rejected(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
    ) -> Result<Option<(u64, UserId, Option<i64>)>, StoreError> {
        let mut query =
            sqlx::QueryBuilder::<Db>::new("SELECT DISTINCT m.userid AS userid, q.errcode AS errcode FROM ");
        query.push(LEAVERS_REJECTED);
        query.push(" AND q.tenant = ").push_bind(tenant.as_str());
        query.push(" AND q.flow = ").push_bind(flow.as_str());
        query.push(" ORDER BY m.userid");
        let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(DEPARTURES))?;
        let Some(first) = rows.first() else { return Ok(None) };
        let first = RowReader { row: first, what: DEPARTURES };
        // Two rows of one person may be rejected with two codes.
        let people = rows.iter().map(|row| RowReader { row, what: DEPARTURES }.get::<String>("userid"));
        let people = people.collect::<Result<BTreeSet<_>, _>>()?;
        let count = u64::try_from(people.len()).unwrap_or(u64::MAX);
        Ok(Some((count, first.id("userid")?, first.get("errcode")?)))
    }
}

/// Notes the people who left by these outcomes, and forgets those who are back.
pub(crate) async fn put(
    transaction: &mut Transaction<'_>,
    tenant: &TenantId,
    plan: &PlanId,
    settlements: &[Settlement],
    at: i64,
) -> Result<(), StoreError> {
    let done = |kinds: [OperationKind; 2]| {
        let done = settlements.iter().filter(|settlement| settlement.state == OperationState::Done);
        done.filter(move |settlement| kinds.contains(&settlement.operation.kind))
    };
    let back: BTreeSet<(&TenantId, MemberKey)> = done([OperationKind::Enable, OperationKind::Create])
        .flat_map(|settlement| {
            let operation = &settlement.operation;
            // A member who comes back through another tenant of the corp left the tenant that had them.
            let from = operation.before.as_ref().map(|before| &before.owner.tenant);
            let key = operation.userid.key();
            [Some(tenant), from].into_iter().flatten().map(move |tenant| (tenant, key.clone()))
        })
        .collect();
    // Most created members never left.
    if !back.is_empty() && any(transaction).await? {
        for (tenant, member) in back {
            sqlx::query("DELETE FROM departure WHERE tenant = $1 AND member_key = $2")
                .bind(tenant.as_str())
                .bind(member.as_str())
                .execute(&mut *transaction.connection)
                .await
                .map_err(StoreError::write(DEPARTURES))?;
        }
    }
    let left: BTreeSet<MemberKey> = done([OperationKind::Disable, OperationKind::Delete])
        .map(|settlement| settlement.operation.userid.key())
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    let approved = i64::from(is_released(transaction, tenant, plan).await?);
    let left: Vec<MemberKey> = left.into_iter().collect();
    for chunk in left.chunks(ROWS) {
        let mut query =
            sqlx::QueryBuilder::<Db>::new("INSERT INTO departure (tenant, member_key, at, approved) ");
        query.push_values(chunk, |mut row, member| {
            row.push_bind(tenant.as_str().to_owned())
                .push_bind(member.as_str().to_owned())
                .push_bind(at)
                .push_bind(approved);
        });
        query.push(" ON CONFLICT (tenant, member_key, at) DO UPDATE SET approved = excluded.approved");
        once(&mut query)
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(DEPARTURES))?;
    }
    Ok(())
}

async fn any(transaction: &mut Transaction<'_>) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM departure LIMIT 1")
        .fetch_optional(&mut *transaction.connection)
        .await
        .map_err(StoreError::read(DEPARTURES))?;
    Ok(row.is_some())
}

/// True if a person released the plan although the guard held it: a held plan is applied in no other way.
async fn is_released(
    transaction: &mut Transaction<'_>,
    tenant: &TenantId,
    plan: &PlanId,
) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT plan FROM plan WHERE tenant = $1 AND id = $2")
        .bind(tenant.as_str())
        .bind(plan.as_str())
        .fetch_optional(&mut *transaction.connection)
        .await
        .map_err(StoreError::read(DEPARTURES))?;
    let Some(row) = row else { return Ok(false) };
    let plan: Plan = RowReader { row: &row, what: DEPARTURES }.json("plan")?;
    Ok(plan.guard.holds())
}
