//! The state of everything, and what needs a person.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::attention;
use crate::app::App;
use crate::live::LiveRun;
use crate::scheduler::FlowStanding;
use ruzhi_message::Report;
use ruzhi_model::{FlowId, Label, PlanId, TenantId, Text};
use ruzhi_store::{AlarmRow, FlowStatus, RunRow};

/// The state of all tenants.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Overview {
    /// The time of this snapshot.
    pub at: DateTime<Utc>,
    /// The start of the app.
    pub started_at: DateTime<Utc>,
    /// The tenants, by id.
    pub tenants: Vec<TenantOverview>,
    /// Items that need a person, the most urgent first.
    pub attention: Vec<Attention>,
    /// Runs under way, oldest first.
    pub live: Vec<LiveRun>,
    /// Standing alarms.
    pub alarms: Vec<AlarmRow>,
}

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
    pub standing: Option<FlowStanding>,
    /// Its last run.
    pub last_run: Option<RunRow>,
    /// Its next run, if known.
    pub next_run: Option<DateTime<Utc>>,
    /// Members in the directory owned by its records.
    pub members: u64,
    /// Records stored.
    pub records: u64,
    /// Records in quarantine.
    pub rejects: u64,
    /// Members removed by hand that wait for a person's decision; they are in quarantine too.
    pub removed: u64,
    /// The point up to which it has read the form.
    pub watermark: Option<DateTime<Utc>>,
    /// Plans waiting for approval.
    pub held: Vec<PlanId>,
    /// The run under way.
    pub live: Option<LiveRun>,
}

/// The kind of an item that needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// A service rejects a credential, an address or a permission.
    Blocked,
    /// A plan waits to be approved or rejected.
    HeldPlan,
    /// Members removed by hand wait for a decision.
    Removed,
    /// The directory was changed by hand.
    Drift,
    /// The configuration on disk is invalid; the previous one is still in use.
    FilesRefused,
    /// The last runs failed.
    Failing,
    /// A run is overdue.
    Late,
    /// A person paused it.
    Paused,
    /// Records are in quarantine and wait to be corrected.
    Quarantine,
}

impl AttentionKind {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Blocked => Label::new("blocked", "已停止待处理"),
            Self::HeldPlan => Label::new("plan held", "计划待审批"),
            Self::Removed => Label::new("removed by hand", "被手工删除"),
            Self::Drift => Label::new("changed by hand", "手工改动"),
            Self::FilesRefused => Label::new("files not in use", "文件未生效"),
            Self::Failing => Label::new("failing", "持续失败"),
            Self::Late => Label::new("late", "逾期"),
            Self::Paused => Label::new("paused", "已暂停"),
            Self::Quarantine => Label::new("quarantine", "待修正"),
        }
    }
}

/// An item that needs a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Attention {
    /// Its kind.
    pub kind: AttentionKind,
    /// The tenant; none if it concerns the whole app.
    pub tenant: Option<TenantId>,
    /// The flow.
    pub flow: Option<FlowId>,
    /// The problem and its subject.
    pub text: Text,
    /// Advice on the next step.
    pub hint: Option<Text>,
    /// The page for acting on it.
    pub link: String,
    /// Its beginning, if known.
    pub since: Option<DateTime<Utc>>,
}

/// Returns the state of all tenants.
pub async fn overview(app: &App) -> Result<Overview, Report> {
    look(app, None).await
}

/// Returns the state of one tenant.
pub async fn tenant(app: &App, tenant: &TenantId) -> Result<Overview, Report> {
    app.deployment().tenant(tenant)?;
    look(app, Some(tenant)).await
}

async fn look(app: &App, only: Option<&TenantId>) -> Result<Overview, Report> {
    let deployment = app.deployment();
    let is_asked = |tenant: &TenantId| only.is_none_or(|only| only == tenant);
    let mut standings: HashMap<(TenantId, FlowId), FlowStanding> =
        app.scheduler.standings().into_iter().map(|s| ((s.tenant.clone(), s.flow.clone()), s)).collect();
    let mut statuses: HashMap<(TenantId, FlowId), FlowStatus> = app
        .store
        .flow_statuses_list()
        .await?
        .into_iter()
        .map(|s| ((s.tenant.clone(), s.flow.clone()), s))
        .collect();
    let live: Vec<LiveRun> =
        app.live.runs(app.clock.now()).into_iter().filter(|live| is_asked(&live.run.tenant)).collect();
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
    let mut checks = app.store.drift_checks_list().await?;
    checks.retain(|check| check.findings > 0 && is_asked(&check.tenant));
    Ok(Overview {
        at: app.clock.now(),
        started_at: app.started_at,
        attention: attention::list(&tenants, &checks, app.invalid().as_ref()),
        tenants,
        live,
        alarms: app.active_alarms().into_iter().filter(is_ours).collect(),
    })
}
