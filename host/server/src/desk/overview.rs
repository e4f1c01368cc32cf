//! How everything stands, and what needs a person.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::attention;
use crate::{FlowStanding, LiveRun, Process};
use ruzhi_message::Failure;
use ruzhi_model::{FlowId, PlanId, TenantId, Text};
use ruzhi_store::{AlarmRow, RunRow, TenantStatus};

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
    /// Members who were removed by hand and wait for a person's decision; they are in quarantine too.
    pub removed: u64,
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
    /// Members were removed by hand and wait for a decision.
    Removed,
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
    look(process, None).await
}

/// How one tenant stands.
pub async fn tenant(process: &Process, tenant: &TenantId) -> Result<Overview, Failure> {
    process.deployment().tenant(tenant)?;
    look(process, Some(tenant)).await
}

async fn look(process: &Process, only: Option<&TenantId>) -> Result<Overview, Failure> {
    let deployment = process.deployment();
    let is_asked = |tenant: &TenantId| only.is_none_or(|only| only == tenant);
    let mut standings: HashMap<(TenantId, FlowId), FlowStanding> =
        process.scheduler.standings().into_iter().map(|s| ((s.tenant.clone(), s.flow.clone()), s)).collect();
    let mut statuses: HashMap<(TenantId, FlowId), TenantStatus> =
        process.store.status().await?.into_iter().map(|s| ((s.tenant.clone(), s.flow.clone()), s)).collect();
    let live: Vec<LiveRun> = process
        .live
        .runs(process.clock.now())
        .into_iter()
        .filter(|live| is_asked(&live.run.tenant))
        .collect();
    let tenants = deployment.config.tenants.iter().filter(|tenant| is_asked(&tenant.id));
    let tenants: Vec<TenantOverview> = tenants
        .map(|tenant| {
            let flows = tenant.flows.iter().map(|flow| {
                let name = (tenant.id.clone(), flow.id.clone());
                let status = statuses.remove(&name);
                let standing = standings.remove(&name);
                let numbers = status.as_ref();
                FlowOverview {
                    schedule: flow.schedule.clone(),
                    next_run: standing.as_ref().and_then(|standing| standing.next),
                    members: numbers.map_or(0, |status| status.members),
                    records: numbers.map_or(0, |status| status.records),
                    rejects: numbers.map_or(0, |status| status.rejects),
                    removed: numbers.map_or(0, |status| status.removed),
                    watermark: numbers.and_then(|status| status.watermark),
                    live: live
                        .iter()
                        .find(|live| live.run.tenant == tenant.id && live.run.flow == flow.id)
                        .cloned(),
                    held: numbers.map(|status| status.held.clone()).unwrap_or_default(),
                    last_run: status.and_then(|status| status.last_run),
                    standing,
                    tenant: name.0,
                    flow: name.1,
                }
            });
            TenantOverview {
                id: tenant.id.clone(),
                name: tenant.name.clone(),
                timezone: tenant.timezone.name().to_owned(),
                flows: flows.collect(),
            }
        })
        .collect();
    let is_ours = |alarm: &AlarmRow| alarm.tenant.as_ref().is_none_or(is_asked);
    Ok(Overview {
        at: process.clock.now(),
        started_at: process.started_at,
        attention: attention::list(&tenants, process.refused().as_ref()),
        tenants,
        live,
        alarms: process.alarms.standing().into_iter().filter(is_ours).collect(),
    })
}
