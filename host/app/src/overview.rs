//! The state of everything, and what needs a person.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::attention::{self, Attention};
use super::tenant_overview::{FlowOverview, TenantOverview};
use crate::app::App;
use crate::live::LiveRun;
use crate::scheduler::ScheduleState;
use ruzhi_message::Report;
use ruzhi_model::{FlowId, TenantId};
use ruzhi_store::{AlertRow, FlowStatus};

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
    /// Active alerts.
    pub alerts: Vec<AlertRow>,
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
    let mut schedule_states: HashMap<(TenantId, FlowId), ScheduleState> = app
        .scheduler
        .schedule_states()
        .into_iter()
        .map(|s| ((s.tenant.clone(), s.flow.clone()), s))
        .collect();
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
                let schedule_state = schedule_states.remove(&name);
                let numbers = status.as_ref();
                FlowOverview {
                    schedule: flow.schedule.as_ref().map(ToString::to_string),
                    next_run: schedule_state.as_ref().and_then(|schedule_state| schedule_state.next),
                    members: numbers.map_or(0, |status| status.members),
                    records: numbers.map_or(0, |status| status.records),
                    rejected: numbers.map_or(0, |status| status.rejected),
                    removed: numbers.map_or(0, |status| status.removed),
                    watermark: numbers.and_then(|status| status.watermark),
                    live: live
                        .iter()
                        .find(|live| live.run.tenant == tenant.id && live.run.flow == flow.id)
                        .cloned(),
                    held: numbers.map(|status| status.held.clone()).unwrap_or_default(),
                    last_run: status.and_then(|status| status.last_run),
                    schedule_state,
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
    let is_ours = |alert: &AlertRow| alert.tenant.as_ref().is_none_or(is_asked);
    let mut checks = app.store.drift_checks_list().await?;
    checks.retain(|check| check.findings > 0 && is_asked(&check.tenant));
    Ok(Overview {
        at: app.clock.now(),
        started_at: app.started_at,
        attention: attention::list(&tenants, &checks, app.invalid().as_ref()),
        tenants,
        live,
        alerts: app.active_alerts().into_iter().filter(is_ours).collect(),
    })
}
