//! The state of a tenant and of its flows.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::live::LiveRun;
use crate::scheduler::ScheduleState;
use ruzhi_model::{FlowId, PlanId, TenantId};
use ruzhi_store::RunRow;

/// The state of a tenant's flows.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TenantOverview {
    /// The tenant.
    pub id: TenantId,
    /// Its display name.
    pub name: String,
    /// The IANA name of its time zone.
    pub timezone: String,
    /// The flows, by id.
    pub flows: Vec<FlowOverview>,
}

/// The state of a flow.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlowOverview {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// Its cron expression; without one it runs only when woken or requested.
    pub schedule: Option<String>,
    /// Its state in the scheduler; none before the scheduler's first look at it.
    pub schedule_state: Option<ScheduleState>,
    /// Its last run.
    pub last_run: Option<RunRow>,
    /// Its next run, if known.
    pub next_run: Option<DateTime<Utc>>,
    /// Members in the directory owned by its records.
    pub members: u64,
    /// Records stored.
    pub records: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Members removed by hand that wait for a person's decision; they are in quarantine too.
    pub removed: u64,
    /// The point up to which it has read the form.
    pub watermark: Option<DateTime<Utc>>,
    /// Plans waiting for approval.
    pub held: Vec<PlanId>,
    /// The run under way.
    pub live: Option<LiveRun>,
}
