//! Plans and their states.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::database::{Database, Db, ROWS, once};
use crate::row::{RowReader, json_text, word_of};
use crate::transaction::Transaction;
use crate::{StoreError, drafts, operations};
use ruzhi_model::{FlowId, Label, PlanId, RunId, TenantId};
use ruzhi_plan::{OperationOrder, Plan, Purpose};

const OPERATIONS: &str = "operations";
const PLAN: &str = "a plan";

/// The state of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// Made, not applied.
    Planned,
    /// Held by the guard until a person decides.
    Held,
    /// Being applied.
    Applying,
    /// Applied.
    Done,
    /// Applied in part.
    Failed,
    /// The data changed before it was applied.
    Superseded,
    /// A person rejected it.
    Rejected,
}

impl PlanState {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Planned => Label::new("planned", "已计划"),
            Self::Held => Label::new("held", "待审批"),
            Self::Applying => Label::new("being applied", "执行中"),
            Self::Done => Label::new("applied", "已执行"),
            Self::Failed => Label::new("applied in part", "部分执行"),
            Self::Superseded => Label::new("superseded", "已被取代"),
            Self::Rejected => Label::new("rejected", "已驳回"),
        }
    }
}

/// A plan as stored; its operations are read page by page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanRow {
    /// The plan.
    #[serde(flatten)]
    pub plan: Plan,
    /// The run that made it last.
    pub run: RunId,
    /// Its state.
    pub state: PlanState,
    /// The reason it was rejected.
    pub reason: Option<String>,
    /// The time it was made.
    pub made_at: DateTime<Utc>,
}

impl Database {
    /// Turns the draft of a run into its plan; `at` is the moment its parts were stored with. Returns the plan's state:
    /// a person's rejection of this same plan stands.
    pub async fn plan_put(
        &self,
        run: &RunId,
        plan: &Plan,
        order: &OperationOrder,
        state: PlanState,
        at: DateTime<Utc>,
    ) -> Result<PlanState, StoreError> {
        let at = at.timestamp_millis();
        let draft = drafts::draft_of(run);
        let mut transaction = self.begin(PLAN).await?;
        let row = sqlx::query("SELECT state FROM plan WHERE tenant = $1 AND id = $2")
            .bind(plan.tenant.as_str())
            .bind(plan.id.as_str())
            .fetch_optional(&mut *transaction.connection)
            .await
            .map_err(StoreError::read(PLAN))?;
        let before: Option<PlanState> =
            row.map(|row| RowReader { row: &row, what: PLAN }.word("state")).transpose()?;
        let rejected = before == Some(PlanState::Rejected) && state != PlanState::Applying;
        let state = if rejected { PlanState::Rejected } else { state };
        sqlx::query(
            "INSERT INTO plan (tenant, id, flow, run, hash, purpose, state, plan, made_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (tenant, id) DO UPDATE SET \
             run = excluded.run, state = excluded.state, plan = excluded.plan, made_at = excluded.made_at",
        )
        .bind(plan.tenant.as_str())
        .bind(plan.id.as_str())
        .bind(plan.flow.as_str())
        .bind(run.as_str())
        .bind(plan.hash.as_str())
        .bind(plan.purpose.as_str())
        .bind(word_of(&state))
        .bind(json_text(plan))
        .bind(at)
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(PLAN))?;
        // A plan that is made again starts from the beginning; earlier calls for it stay on record in `attempt`.
        sqlx::query("DELETE FROM operation WHERE tenant = $1 AND plan = $2")
            .bind(plan.tenant.as_str())
            .bind(plan.id.as_str())
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(OPERATIONS))?;
        sqlx::query("UPDATE operation SET plan = $3 WHERE tenant = $1 AND plan = $2")
            .bind(plan.tenant.as_str())
            .bind(draft.as_str())
            .bind(plan.id.as_str())
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(OPERATIONS))?;
        put_waves(&mut transaction, plan, &order.waves).await?;
        if plan.purpose == Purpose::Sync {
            // The quarantine of a flow is the rejections of its last plan, and the records the plan retries until that
            // is done.
            sqlx::query(
                "DELETE FROM quarantine WHERE tenant = $1 AND flow = $2 AND last_seen < $3 AND NOT EXISTS (SELECT 1 \
                 FROM operation o WHERE o.tenant = quarantine.tenant AND o.flow = quarantine.flow \
                 AND o.record = quarantine.record AND o.plan = $4)",
            )
            .bind(plan.tenant.as_str())
            .bind(plan.flow.as_str())
            .bind(at)
            .bind(plan.id.as_str())
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(OPERATIONS))?;
        }
        // A plan of this flow that still waited was made from an older state.
        sqlx::query(
            "UPDATE plan SET state = $5 WHERE tenant = $1 AND flow = $2 AND id <> $3 AND purpose = $4 \
             AND state IN ($6, $7, $8)",
        )
        .bind(plan.tenant.as_str())
        .bind(plan.flow.as_str())
        .bind(plan.id.as_str())
        .bind(plan.purpose.as_str())
        .bind(word_of(&PlanState::Superseded))
        .bind(word_of(&PlanState::Planned))
        .bind(word_of(&PlanState::Held))
        .bind(word_of(&PlanState::Applying))
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(OPERATIONS))?;
        transaction.commit(PLAN).await?;
        Ok(state)
    }

    /// A plan.
    pub async fn plan_find(&self, tenant: &TenantId, id: &PlanId) -> Result<Option<PlanRow>, StoreError> {
        let row =
            sqlx::query("SELECT run, state, plan, reason, made_at FROM plan WHERE tenant = $1 AND id = $2")
                .bind(tenant.as_str())
                .bind(id.as_str())
                .fetch_optional(&self.pool)
                .await
                .map_err(StoreError::read(PLAN))?;
        let Some(row) = row else { return Ok(None) };
        let row = RowReader { row: &row, what: PLAN };
        Ok(Some(PlanRow {
            plan: row.json("plan")?,
            run: row.id("run")?,
            state: row.word("state")?,
            reason: row.get("reason")?,
            made_at: row.moment("made_at")?,
        }))
    }

    /// The owner of a plan, by the plan's id or its whole hash.
    pub async fn plans_list_named(&self, name: &str) -> Result<Vec<(TenantId, FlowId, PlanId)>, StoreError> {
        let rows =
            sqlx::query("SELECT tenant, flow, id FROM plan WHERE id = $1 OR hash = $1 ORDER BY tenant, flow")
                .bind(name)
                .fetch_all(&self.pool)
                .await
                .map_err(StoreError::read(PLAN))?;
        rows.iter()
            .map(|row| {
                let row = RowReader { row, what: PLAN };
                Ok((row.id("tenant")?, row.id("flow")?, row.id("id")?))
            })
            .collect()
    }

    /// Moves a plan to a state other than rejected, and clears the reason of an earlier rejection.
    pub async fn plan_set_state(
        &self,
        tenant: &TenantId,
        id: &PlanId,
        state: PlanState,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin(PLAN).await?;
        sqlx::query("UPDATE plan SET state = $3, reason = NULL WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(id.as_str())
            .bind(word_of(&state))
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(PLAN))?;
        transaction.commit(PLAN).await
    }

    /// Rejects a plan for a person. Returns false, and changes nothing, if the plan no longer waited for a decision.
    pub async fn plan_reject(
        &self,
        tenant: &TenantId,
        plan: &PlanId,
        reason: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin("plans").await?;
        let done = sqlx::query(
            "UPDATE plan SET state = $4, reason = $3 WHERE tenant = $1 AND id = $2 AND state IN ($5, $6)",
        )
        .bind(tenant.as_str())
        .bind(plan.as_str())
        .bind(reason)
        .bind(word_of(&PlanState::Rejected))
        .bind(word_of(&PlanState::Planned))
        .bind(word_of(&PlanState::Held))
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write("plans"))?;
        transaction.commit("plans").await?;
        Ok(done.rows_affected() > 0)
    }
}

async fn put_waves(
    transaction: &mut Transaction<'_>,
    plan: &Plan,
    waves: &[(usize, u32)],
) -> Result<(), StoreError> {
    let mut by_wave: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (place, wave) in waves {
        by_wave.entry(*wave).or_default().push(*place);
    }
    for (wave, places) in by_wave {
        for chunk in places.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE operation SET wave = ");
            query.push_bind(i64::from(wave));
            operations::only_places(&mut query, &plan.tenant, &plan.id, chunk);
            once(&mut query)
                .execute(&mut *transaction.connection)
                .await
                .map_err(StoreError::write(OPERATIONS))?;
        }
    }
    Ok(())
}
