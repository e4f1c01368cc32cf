//! How everything stands, and what needs a person.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::failure::Failure;
use crate::model::{FlowId, PlanId, TenantId, Text};
use crate::serve::{FlowStanding, LiveRun, Process};
use crate::store::{AlarmRow, RunRow};

/// How everything stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Overview {
    /// When this was so.
    pub at: DateTime<Utc>,
    /// Since when the process runs.
    pub started_at: DateTime<Utc>,
    /// By id.
    pub tenants: Vec<TenantOverview>,
    /// What needs a person, the most urgent first.
    pub attention: Vec<Attention>,
    /// Runs under way, oldest first.
    pub live: Vec<LiveRun>,
    /// Alarms that stand.
    pub alarms: Vec<AlarmRow>,
}

/// How a tenant's flows stand.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TenantOverview {
    /// The tenant.
    pub id: TenantId,
    /// What people call it.
    pub name: String,
    /// An IANA name: its times are read in it.
    pub timezone: String,
    /// By id.
    pub flows: Vec<FlowOverview>,
}

/// How a flow stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlowOverview {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// Its cron expression; none: it runs when woken or asked.
    pub schedule: Option<String>,
    /// How the schedule has it; none before the scheduler has looked at it.
    pub standing: Option<FlowStanding>,
    /// Its last run.
    pub last_run: Option<RunRow>,
    /// When it runs next, as far as that is known.
    pub next_run: Option<DateTime<Utc>>,
    /// Members in the directory that its records own.
    pub members: u64,
    /// Records stored.
    pub records: u64,
    /// Records in quarantine.
    pub rejects: u64,
    /// How far it has read the form.
    pub watermark: Option<DateTime<Utc>>,
    /// Plans that wait for a person.
    pub held: Vec<PlanId>,
    /// The run under way.
    pub live: Option<LiveRun>,
}

/// What somebody has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// A service refuses a credential, an address or a right.
    Blocked,
    /// A plan waits for a yes or a no.
    HeldPlan,
    /// The files hold what does not run.
    FilesRefused,
    /// The last runs failed.
    Failing,
    /// A run should have begun long ago.
    Late,
    /// Somebody stopped it.
    Paused,
    /// Records wait to be corrected.
    Quarantine,
}

/// One of them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Attention {
    /// Of which kind.
    pub kind: AttentionKind,
    /// The tenant; none for what is of the whole process.
    pub tenant: Option<TenantId>,
    /// The flow.
    pub flow: Option<FlowId>,
    /// What happened, to what.
    pub text: Text,
    /// What to do next.
    pub hint: Option<Text>,
    /// The page where it is done.
    pub link: String,
    /// Since when, as far as that is known.
    pub since: Option<DateTime<Utc>>,
}

/// How everything stands.
pub async fn overview(process: &Process) -> Result<Overview, Failure> {
    let _ = process;
    Err(super::unfinished())
}

/// How one tenant stands.
pub async fn tenant(process: &Process, tenant: &TenantId) -> Result<Overview, Failure> {
    let _ = (process, tenant);
    Err(super::unfinished())
}
