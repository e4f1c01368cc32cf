//! Runs, in the order they began.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::database::{Database, Db, once};
use crate::row::{DbRow, RowReader, json_text, word_of};
use ruzhi_message::Report;
use ruzhi_model::{
    CalledApi, Digest, FlowId, Label, OperationKind, OperationState, PlanId, RunId, TenantId, Text,
};
use ruzhi_plan::Counts;

const RUNS: &str = "runs";

/// The kind of work a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Plan only.
    Plan,
    /// Plan and apply.
    Sync,
    /// Apply a stored plan.
    Apply,
    /// Plan to adopt members.
    Adopt,
    /// Plan to undo a run.
    Revert,
    /// Compare the directory with the ledger.
    Drift,
}

impl RunKind {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Plan => Label::new("plan only", "仅计划"),
            Self::Sync => Label::new("sync", "同步"),
            Self::Apply => Label::new("apply a plan", "执行计划"),
            Self::Adopt => Label::new("take over members", "接管成员"),
            Self::Revert => Label::new("undo a run", "撤销运行"),
            Self::Drift => Label::new("compare with the directory", "与通讯录比对"),
        }
    }
}

impl RunKind {
    /// True if a run of this kind may write to the directory; the others only plan or compare.
    pub fn writes(self) -> bool {
        matches!(self, Self::Sync | Self::Apply)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Sync => "sync",
            Self::Apply => "apply",
            Self::Adopt => "adopt",
            Self::Revert => "revert",
            Self::Drift => "drift",
        }
    }
}

/// The cause of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunCause {
    /// A person asked for it.
    Person,
    /// A time of its schedule.
    Schedule,
    /// A decision expired.
    Decision,
    /// The form was changed.
    Push,
    /// The directory was changed outside ruzhi.
    Callback,
    /// The drift check before it left differences.
    Recheck,
    /// The run before it failed, or its obstacle was removed.
    Retry,
    /// The run before it was cut off because its process ended.
    CutOff,
}

impl RunCause {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Person => Label::new("a person asked for it", "人工发起"),
            Self::Schedule => Label::new("its schedule", "按计划"),
            Self::Decision => Label::new("a decision expired", "判定到期"),
            Self::Push => Label::new("the form was changed", "表单有改动"),
            Self::Callback => Label::new("the directory was changed", "通讯录有改动"),
            Self::Recheck => Label::new("differences were left", "仍有未处理的手工改动"),
            Self::Retry => Label::new("an earlier run did not succeed", "此前的运行未成功"),
            Self::CutOff => Label::new("ruzhi ended during the run before it", "上一次运行期间 ruzhi 退出"),
        }
    }
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not finished.
    Running,
    /// Every possible operation is done.
    Done,
    /// The guard holds the plan until a person decides.
    Held,
    /// Something was not done.
    Failed,
}

impl RunState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The run.
    pub id: RunId,
    /// The kind of its work.
    pub kind: RunKind,
    /// Its cause; none in a row from before causes were stored.
    #[serde(default)]
    pub cause: Option<RunCause>,
    /// Its state.
    pub state: RunState,
    /// The time it began.
    pub started_at: DateTime<Utc>,
    /// The time it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its plan.
    pub plan: Option<PlanId>,
    /// Digest of guest and rules file.
    pub rules: Option<Digest>,
    /// Outcomes.
    pub counts: Counts,
    /// Calls made, by API.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub calls: BTreeMap<CalledApi, u64>,
    /// The problem, if there was one.
    pub problem: Option<Text>,
    /// The failure that ended it early, with its code and the next step.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub failure: Option<Report>,
}

impl RunRow {
    /// The word for its state. A run that only planned is not called done: its counts are planned changes.
    pub fn state_label(&self) -> Label {
        match (self.state, self.kind) {
            (RunState::Done, RunKind::Drift) if self.plan.is_none() => Label::new("compared", "已比对"),
            (RunState::Done, RunKind::Sync | RunKind::Apply) => Label::new("done", "完成"),
            (RunState::Done, _) => Label::new("planned", "已计划"),
            (RunState::Running, _) => Label::new("running", "运行中"),
            (RunState::Held, _) => Label::new("held", "待审批"),
            (RunState::Failed, _) => Label::new("failed", "失败"),
        }
    }

    /// True if it changed a member in the directory. A run that only plans counts what it would change.
    fn changed(&self) -> bool {
        let Counts { created, updated, disabled, enabled, deleted, .. } = self.counts;
        self.kind.writes() && created + updated + disabled + enabled + deleted > 0
    }
}

/// A filter of runs, newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunFilter<'a> {
    /// Of this tenant.
    pub tenant: Option<&'a TenantId>,
    /// Of this flow.
    pub flow: Option<&'a FlowId>,
    /// In this state.
    pub state: Option<RunState>,
    /// Of this kind.
    pub kind: Option<RunKind>,
    /// Only those before this one, given by its start and its id.
    pub before: Option<(DateTime<Utc>, &'a RunId)>,
    /// At most so many.
    pub most: u32,
}

/// Runs of one state that began in the same quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCount {
    /// The beginning of the quarter of an hour.
    pub at: DateTime<Utc>,
    /// The state.
    pub state: RunState,
    /// Their number.
    pub runs: u64,
}

/// Milliseconds of a quarter of an hour: every time zone's day begins with one.
const QUARTER: i64 = 15 * 60 * 1000;

impl Database {
    /// Stores a run as it stands: when it begins, and again when it ends.
    pub async fn run_put(&self, run: &RunRow) -> Result<(), StoreError> {
        let mut transaction = self.begin(RUNS).await?;
        sqlx::query(
            "INSERT INTO run (tenant, flow, id, kind, state, started_at, ended_at, plan, rules, counts, calls, problem, changed, \
             cause, failure) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (tenant, id) DO UPDATE SET \
             state = excluded.state, ended_at = excluded.ended_at, plan = excluded.plan, rules = excluded.rules, \
             counts = excluded.counts, calls = excluded.calls, problem = excluded.problem, changed = excluded.changed, \
             failure = excluded.failure",
        )
        .bind(run.tenant.as_str())
        .bind(run.flow.as_str())
        .bind(run.id.as_str())
        .bind(word_of(&run.kind))
        .bind(word_of(&run.state))
        .bind(run.started_at.timestamp_millis())
        .bind(run.ended_at.map(|at| at.timestamp_millis()))
        .bind(run.plan.as_ref().map(PlanId::as_str))
        .bind(run.rules.as_ref().map(|rules| rules.as_str()))
        .bind(json_text(&run.counts))
        .bind(json_text(&run.calls))
        .bind(run.problem.as_ref().map(json_text))
        .bind(i64::from(run.changed()))
        .bind(run.cause.as_ref().map(word_of))
        .bind(run.failure.as_ref().map(json_text))
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(RUNS))?;
        transaction.commit(RUNS).await
    }

    /// Marks as failed all runs of a flow, except `current`, that a crash left unfinished, and counts the operations
    /// they completed.
    pub async fn runs_abandon(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        current: &RunId,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let rows =
            sqlx::query("SELECT * FROM run WHERE tenant = $1 AND flow = $2 AND state = $4 AND id <> $3")
                .bind(tenant.as_str())
                .bind(flow.as_str())
                .bind(current.as_str())
                .bind(RunState::Running.as_str())
                .fetch_all(&self.pool)
                .await
                .map_err(StoreError::read(RUNS))?;
        for row in &rows {
            let mut run = run_row(&RowReader { row, what: RUNS })?;
            run.counts = self.run_count_operations(tenant, &run.id).await?;
            run.state = RunState::Failed;
            run.ended_at = Some(at);
            run.problem = Some(Text::new("the process ended before the run did", "进程在运行结束前退出"));
            self.run_put(&run).await?;
        }
        Ok(())
    }

    /// The work a run has completed, as far as its operations are settled.
    async fn run_count_operations(&self, tenant: &TenantId, run: &RunId) -> Result<Counts, StoreError> {
        let rows = sqlx::query(
            "SELECT o.kind AS kind, COUNT(*) AS operations FROM operation o JOIN plan p ON p.tenant = o.tenant \
             AND p.id = o.plan WHERE p.tenant = $1 AND p.run = $2 AND o.state = $3 GROUP BY o.kind",
        )
        .bind(tenant.as_str())
        .bind(run.as_str())
        .bind(OperationState::Done.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(RUNS))?;
        let mut counts = Counts::default();
        for row in &rows {
            let row = RowReader { row, what: RUNS };
            let kind: OperationKind = row.word("kind")?;
            for _ in 0..row.count("operations")? {
                counts.count(kind);
            }
        }
        Ok(counts)
    }

    /// A run, by its id.
    pub async fn run_find(&self, id: &RunId) -> Result<Option<RunRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM run WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::read(RUNS))?;
        row.map(|row| run_row(&RowReader { row: &row, what: RUNS })).transpose()
    }

    /// The runs a person wants to see, newest first.
    pub async fn runs_list(&self, wanted: &RunFilter<'_>) -> Result<Vec<RunRow>, StoreError> {
        let mut query = sqlx::QueryBuilder::<Db>::new("SELECT * FROM run WHERE 1 = 1");
        of_flow(&mut query, wanted.tenant, wanted.flow);
        if let Some(state) = wanted.state {
            query.push(" AND state = ").push_bind(word_of(&state));
        }
        if let Some(kind) = wanted.kind {
            query.push(" AND kind = ").push_bind(word_of(&kind));
        }
        if let Some((at, id)) = wanted.before {
            let at = at.timestamp_millis();
            query.push(" AND (started_at < ").push_bind(at).push(" OR (started_at = ").push_bind(at);
            query.push(" AND id < ").push_bind(id.as_str()).push("))");
        }
        query.push(" ORDER BY started_at DESC, id DESC LIMIT ").push_bind(i64::from(wanted.most));
        let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(RUNS))?;
        rows.iter().map(|row| run_row(&RowReader { row, what: RUNS })).collect()
    }

    /// The number of runs that began since a moment, by state and quarter of an hour.
    pub async fn runs_count(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
        since: DateTime<Utc>,
    ) -> Result<Vec<RunCount>, StoreError> {
        let mut query = sqlx::QueryBuilder::<Db>::new("SELECT started_at / ");
        query.push(QUARTER).push(" AS quarter, state, COUNT(*) AS runs FROM run WHERE started_at >= ");
        query.push_bind(since.timestamp_millis());
        of_flow(&mut query, tenant, flow);
        query.push(" GROUP BY started_at / ").push(QUARTER).push(", state ORDER BY 1");
        let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(RUNS))?;
        rows.iter()
            .map(|row| {
                let row = RowReader { row, what: RUNS };
                let quarter: i64 = row.get("quarter")?;
                Ok(RunCount {
                    at: DateTime::from_timestamp_millis(quarter.saturating_mul(QUARTER)).unwrap_or_default(),
                    state: row.word("state")?,
                    runs: row.count("runs")?,
                })
            })
            .collect()
    }

    /// Passes on the runs that began since a moment and changed a member, oldest first. Never holds all of them in
    /// memory.
    pub async fn runs_visit_changed(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
        since: DateTime<Utc>,
        each: &mut (dyn FnMut(RunRow) + Send),
    ) -> Result<(), StoreError> {
        let mut query = sqlx::QueryBuilder::<Db>::new("SELECT * FROM run WHERE started_at >= ");
        query.push_bind(since.timestamp_millis());
        of_flow(&mut query, tenant, flow);
        query.push(" AND changed = 1 ORDER BY started_at, id");
        pass_on(once(&mut query).fetch(&self.pool), each).await
    }

    /// Passes on the runs that ended since a moment, in the order they began. Never holds all of them in memory.
    pub async fn runs_visit_ended(
        &self,
        since: DateTime<Utc>,
        each: &mut (dyn FnMut(RunRow) + Send),
    ) -> Result<(), StoreError> {
        let query = sqlx::query("SELECT * FROM run WHERE ended_at >= $1 ORDER BY started_at, id")
            .bind(since.timestamp_millis());
        pass_on(query.fetch(&self.pool), each).await
    }
}

pub(crate) fn run_row(row: &RowReader<'_>) -> Result<RunRow, StoreError> {
    Ok(RunRow {
        tenant: row.id("tenant")?,
        flow: row.id("flow")?,
        id: row.id("id")?,
        kind: row.word("kind")?,
        cause: row.optional_word("cause")?,
        state: row.word("state")?,
        started_at: row.moment("started_at")?,
        ended_at: row.optional_moment("ended_at")?,
        plan: row.optional_id("plan")?,
        rules: row.optional_id("rules")?,
        counts: row.json("counts")?,
        calls: row.json("calls")?,
        problem: row.optional_json("problem")?,
        failure: row.optional_json("failure")?,
    })
}

fn of_flow(query: &mut sqlx::QueryBuilder<Db>, tenant: Option<&TenantId>, flow: Option<&FlowId>) {
    if let Some(tenant) = tenant {
        query.push(" AND tenant = ").push_bind(tenant.as_str());
    }
    if let Some(flow) = flow {
        query.push(" AND flow = ").push_bind(flow.as_str());
    }
}

/// Passes on runs as they are read. There may be a hundred thousand.
async fn pass_on(
    mut rows: BoxStream<'_, Result<DbRow, sqlx::Error>>,
    each: &mut (dyn FnMut(RunRow) + Send),
) -> Result<(), StoreError> {
    while let Some(row) = rows.try_next().await.map_err(StoreError::read(RUNS))? {
        each(run_row(&RowReader { row: &row, what: RUNS })?);
    }
    Ok(())
}
