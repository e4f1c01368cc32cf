//! The numbers of each flow that has ever run.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::database::{Database, Db, once};
use crate::row::RowReader;
use crate::runs::RunRow;
use crate::{StoreError, departures, removals, runs};
use ruzhi_model::{FlowId, PlanId, TenantId};

const RUNS: &str = "runs";

/// The numbers of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlowStatus {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// Records stored.
    pub records: u64,
    /// Members in the directory that its records own.
    pub members: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Of these, people who left and can still log in because WeCom refuses to disable them.
    pub leavers_rejected: u64,
    /// Members who were removed by hand and wait for a person's decision; they are in quarantine too.
    pub removed: u64,
    /// Its last run.
    pub last_run: Option<RunRow>,
    /// The watermark of its collects.
    pub watermark: Option<DateTime<Utc>>,
    /// Plans that wait for a person.
    pub held: Vec<PlanId>,
}

impl Database {
    /// The numbers of each flow that has ever run, in one statement: alerts, metrics and the overview read a thousand
    /// flows.
    pub async fn flow_statuses_list(&self) -> Result<Vec<FlowStatus>, StoreError> {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "SELECT r.*, w.reached AS reached, \
             (SELECT COUNT(*) FROM record r WHERE r.tenant = f.tenant AND r.flow = f.flow AND r.absent = 0) AS records, \
             (SELECT COUNT(*) FROM member m WHERE m.tenant = f.tenant AND m.flow = f.flow \
                AND m.state IN ('active', 'left')) AS members, \
             (SELECT COUNT(*) FROM quarantine q WHERE q.tenant = f.tenant AND q.flow = f.flow) AS rejected, \
             (SELECT string_agg(p.id, ' ' ORDER BY p.made_at) FROM plan p \
                WHERE p.tenant = f.tenant AND p.flow = f.flow AND p.state = 'held') AS held, \
             (SELECT COUNT(DISTINCT m.userid) FROM ",
        );
        query.push(departures::LEAVERS_REJECTED);
        query.push(
            " AND q.tenant = f.tenant AND q.flow = f.flow) AS leavers_rejected, \
             (SELECT COUNT(*) FROM member m WHERE m.tenant = f.tenant AND m.flow = f.flow AND ",
        );
        query.push(removals::WAITS);
        query.push(
            ") AS removed FROM (SELECT DISTINCT tenant, flow FROM run) f \
             JOIN run r ON r.tenant = f.tenant AND r.id = (SELECT l.id FROM run l \
                WHERE l.tenant = f.tenant AND l.flow = f.flow ORDER BY l.started_at DESC, l.id DESC LIMIT 1) \
             LEFT JOIN watermark w ON w.tenant = f.tenant AND w.flow = f.flow ORDER BY f.tenant, f.flow",
        );
        let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(RUNS))?;
        let status = |row| {
            let row = RowReader { row, what: RUNS };
            let last_run = runs::run_row(&row)?;
            Ok(FlowStatus {
                tenant: last_run.tenant.clone(),
                flow: last_run.flow.clone(),
                leavers_rejected: row.count("leavers_rejected")?,
                records: row.count("records")?,
                members: row.count("members")?,
                rejected: row.count("rejected")?,
                removed: row.count("removed")?,
                watermark: row.optional_moment("reached")?,
                held: row.ids("held")?,
                last_run: Some(last_run),
            })
        };
        rows.iter().map(status).collect()
    }
}
