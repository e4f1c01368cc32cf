//! Operations of plans, with the calls made for them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::StoreError;
use crate::database::{Database, Db, once};
use crate::row::{DbRow, RowReader, number};
use ruzhi_model::{FlowId, Operation, OperationKind, OperationState, PlanId, RecordId, RunId, TenantId};

const OPERATIONS: &str = "operations";

/// An operation as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationRow {
    /// Its plan.
    pub plan: PlanId,
    /// Its place in the plan.
    pub place: usize,
    /// Operations of a lower wave are finished before this one begins: it may need a mobile they free or a leader they
    /// create.
    pub wave: u32,
    /// The operation.
    pub operation: Operation,
    /// Its state.
    pub state: OperationState,
    /// The time it was planned.
    pub planned_at: DateTime<Utc>,
    /// The time it was marked as sending; none if no call was made for it.
    pub sent_at: Option<DateTime<Utc>>,
    /// The time its outcome was stored.
    pub settled_at: Option<DateTime<Utc>>,
    /// WeCom's last code.
    pub errcode: Option<i64>,
    /// WeCom's last message.
    pub errmsg: Option<String>,
    /// Every call made for it.
    pub attempts: Vec<AttemptRow>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AttemptRow {
    /// The API.
    pub api: String,
    /// The time of the call.
    pub at: DateTime<Utc>,
    /// Its duration, in milliseconds.
    pub took_ms: i64,
    /// WeCom's code; none if no answer came.
    pub errcode: Option<i64>,
    /// WeCom's message.
    pub errmsg: String,
}

/// A filter of a plan's operations, in order.
#[derive(Debug, Clone, Copy)]
pub struct OperationFilter<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The plan.
    pub plan: &'a PlanId,
    /// Only of this kind.
    pub kind: Option<OperationKind>,
    /// Only those behind this place.
    pub after: Option<usize>,
    /// At most so many.
    pub most: usize,
}

/// A selection of a plan's operations.
pub(crate) struct OperationsPage<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) plan: &'a PlanId,
    /// Only those of this wave that have not begun.
    pub(crate) planned_in: Option<u32>,
    pub(crate) after: Option<usize>,
    pub(crate) most: usize,
}

impl Database {
    /// A page of a plan's operations, in order.
    pub async fn operations_list(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        after: Option<usize>,
        most: usize,
    ) -> Result<Vec<OperationRow>, StoreError> {
        self.operations_page(&OperationsPage { tenant, plan, planned_in: None, after, most }).await
    }

    /// A page of a plan's operations of one wave that have not begun, in order.
    pub async fn operations_list_planned(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        wave: u32,
        after: Option<usize>,
        most: usize,
    ) -> Result<Vec<OperationRow>, StoreError> {
        self.operations_page(&OperationsPage { tenant, plan, planned_in: Some(wave), after, most }).await
    }

    /// A page of a plan's operations, in the order they are applied.
    async fn operations_page(&self, wanted: &OperationsPage<'_>) -> Result<Vec<OperationRow>, StoreError> {
        let mut query = sqlx::QueryBuilder::<Db>::new("SELECT * FROM operation WHERE tenant = ");
        query.push_bind(wanted.tenant.as_str()).push(" AND plan = ").push_bind(wanted.plan.as_str());
        query.push(" AND place > ").push_bind(wanted.after.map_or(-1, number));
        if let Some(wave) = wanted.planned_in {
            query
                .push(" AND state = ")
                .push_bind(OperationState::Planned.as_str())
                .push(" AND wave = ")
                .push_bind(i64::from(wave));
        }
        query.push(" ORDER BY place LIMIT ").push_bind(number(wanted.most));
        let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(OPERATIONS))?;
        operation_rows(&rows, &[])
    }

    /// A page of the operations a run completed, in the order it did them: a run plans again when it has to.
    pub async fn operations_list_done(
        &self,
        tenant: &TenantId,
        run: &RunId,
        after: Option<(&PlanId, usize)>,
        most: usize,
    ) -> Result<Vec<OperationRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT o.* FROM operation o JOIN plan p ON p.tenant = o.tenant AND p.id = o.plan \
             LEFT JOIN plan a ON a.tenant = p.tenant AND a.id = $3 \
             WHERE p.tenant = $1 AND p.run = $2 AND o.state = $6 AND (a.id IS NULL OR p.made_at > a.made_at \
             OR (p.made_at = a.made_at AND (p.id > a.id OR (p.id = a.id AND o.place > $4)))) \
             ORDER BY p.made_at, p.id, o.place LIMIT $5",
        )
        .bind(tenant.as_str())
        .bind(run.as_str())
        .bind(after.map_or("", |(plan, _)| plan.as_str()))
        .bind(after.map_or(-1, |(_, place)| number(place)))
        .bind(number(most))
        .bind(OperationState::Done.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(OPERATIONS))?;
        operation_rows(&rows, &[])
    }

    /// The operations of a plan that a person wants to see, with every call made for them.
    pub async fn operations_list_with_attempts(
        &self,
        wanted: &OperationFilter<'_>,
    ) -> Result<Vec<OperationRow>, StoreError> {
        let read = StoreError::read(OPERATIONS);
        let mut query = sqlx::QueryBuilder::<Db>::new("SELECT * FROM operation WHERE tenant = ");
        query.push_bind(wanted.tenant.as_str()).push(" AND plan = ").push_bind(wanted.plan.as_str());
        query.push(" AND place > ").push_bind(wanted.after.map_or(-1, number));
        if let Some(kind) = wanted.kind {
            query.push(" AND kind = ").push_bind(kind.as_str());
        }
        query.push(" ORDER BY place LIMIT ").push_bind(number(wanted.most));
        let rows = once(&mut query).fetch_all(&self.pool).await.map_err(read)?;
        let place = |row: Option<&DbRow>| {
            row.map(|row| RowReader { row, what: OPERATIONS }.get::<i64>("place")).transpose()
        };
        let (Some(first), Some(last)) = (place(rows.first())?, place(rows.last())?) else {
            return Ok(Vec::new());
        };
        let attempts = sqlx::query(
            "SELECT * FROM attempt WHERE tenant = $1 AND plan = $2 AND place >= $3 AND place <= $4 \
             ORDER BY called_at, number",
        )
        .bind(wanted.tenant.as_str())
        .bind(wanted.plan.as_str())
        .bind(first)
        .bind(last)
        .fetch_all(&self.pool)
        .await
        .map_err(read)?;
        operation_rows(&rows, &attempts)
    }

    pub(crate) async fn operations_list_of_record(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        record: &RecordId,
    ) -> Result<Vec<OperationRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM operation WHERE tenant = $1 AND flow = $2 AND record = $3 ORDER BY planned_at, plan, place",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(record.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(OPERATIONS))?;
        let attempts = sqlx::query(
            "SELECT a.* FROM attempt a JOIN operation o ON o.tenant = a.tenant AND o.plan = a.plan \
             AND o.place = a.place WHERE o.tenant = $1 AND o.flow = $2 AND o.record = $3 \
             ORDER BY a.called_at, a.number",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(record.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(OPERATIONS))?;
        operation_rows(&rows, &attempts)
    }

    /// True if an operation of this record failed with this code before.
    pub async fn operation_exists_rejected(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        record: &RecordId,
        errcode: i64,
    ) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT 1 FROM operation WHERE tenant = $1 AND flow = $2 AND record = $3 AND state = $5 \
             AND errcode = $4 LIMIT 1",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(record.as_str())
        .bind(errcode)
        .bind(OperationState::Rejected.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::read(OPERATIONS))?;
        Ok(row.is_some())
    }
}

/// Narrows a statement to some operations of a plan.
pub(crate) fn only_places(
    query: &mut sqlx::QueryBuilder<Db>,
    tenant: &TenantId,
    plan: &PlanId,
    places: &[usize],
) {
    query.push(" WHERE tenant = ").push_bind(tenant.as_str().to_owned());
    query.push(" AND plan = ").push_bind(plan.as_str().to_owned()).push(" AND place IN (");
    let mut list = query.separated(", ");
    for place in places {
        list.push_bind(number(*place));
    }
    query.push(")");
}

fn operation_rows(rows: &[DbRow], attempts: &[DbRow]) -> Result<Vec<OperationRow>, StoreError> {
    let mut by_operation: HashMap<(PlanId, u64), Vec<AttemptRow>> = HashMap::new();
    for row in attempts {
        let row = RowReader { row, what: "calls" };
        by_operation.entry((row.id("plan")?, row.count("place")?)).or_default().push(AttemptRow {
            api: row.get("api")?,
            at: row.moment("called_at")?,
            took_ms: row.get("took_ms")?,
            errcode: row.get("errcode")?,
            errmsg: row.get("errmsg")?,
        });
    }
    rows.iter()
        .map(|row| {
            let row = RowReader { row, what: OPERATIONS };
            let (plan, place): (PlanId, u64) = (row.id("plan")?, row.count("place")?);
            let attempts = by_operation.remove(&(plan.clone(), place)).unwrap_or_default();
            Ok(OperationRow {
                plan,
                place: usize::try_from(place).unwrap_or(usize::MAX),
                wave: u32::try_from(row.count("wave")?).unwrap_or(u32::MAX),
                operation: row.json("operation")?,
                state: row.word("state")?,
                planned_at: row.moment("planned_at")?,
                sent_at: row.optional_moment("sent_at")?,
                settled_at: row.optional_moment("settled_at")?,
                errcode: row.get("errcode")?,
                errmsg: row.get("errmsg")?,
                attempts,
            })
        })
        .collect()
}
