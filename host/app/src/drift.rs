//! Changes made by hand in the directory: the findings of a tenant's latest drift check, and what may be done about
//! them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::paging::{MOST, number, page_size, unless_empty};
use crate::app::App;
use ruzhi_message::Report;
use ruzhi_model::{FlowId, RunId, TenantId};
use ruzhi_plan::drift::DriftFinding;
use ruzhi_store::DriftCheckRow;

/// A page of findings.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct DriftQuery {
    /// The `next_cursor` of the previous page.
    #[serde(deserialize_with = "unless_empty")]
    #[param(format = "place")]
    pub cursor: Option<u64>,
    /// Page size: 50 by default, at most 500.
    #[serde(deserialize_with = "number::<_, 1, MOST>")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// The differences between directory and ledger that the latest drift check found and that are left of them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DriftView {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow that checked, or another if it is gone; a check is of the whole tenant.
    pub flow: FlowId,
    /// The run that checked.
    pub run: RunId,
    /// The end of the check.
    pub at: DateTime<Utc>,
    /// All differences that are left.
    pub total: u64,
    /// A page of them, by userid.
    pub items: Vec<DriftFinding>,
    /// The `cursor` of the next page; none at the end.
    pub next_cursor: Option<u64>,
}

/// The differences of a tenant; none before its first drift check.
pub async fn drift(app: &App, tenant: &TenantId, asked: &DriftQuery) -> Result<Option<DriftView>, Report> {
    app.deployment().tenant(tenant)?;
    match app.store.drift_check_find(tenant).await? {
        Some(check) => Ok(Some(view(app, check, asked).await?)),
        None => Ok(None),
    }
}

/// The differences that a run found; none if it was not the latest drift check of its tenant.
pub(super) async fn of_run(app: &App, tenant: &TenantId, run: &RunId) -> Result<Option<DriftView>, Report> {
    match app.store.drift_check_find(tenant).await? {
        Some(check) if check.run == *run => Ok(Some(view(app, check, &DriftQuery::default()).await?)),
        _ => Ok(None),
    }
}

async fn view(app: &App, check: DriftCheckRow, asked: &DriftQuery) -> Result<DriftView, Report> {
    let limit = page_size(asked.limit);
    let mut found = app.store.drift_findings_list(&check.tenant, asked.cursor, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let deployment = app.deployment();
    let flows = &deployment.tenant(&check.tenant)?.flows;
    // Any flow of the tenant settles the differences; the one that checked may be gone.
    let flow = flows.iter().find(|flow| flow.id == check.flow).or(flows.first());
    Ok(DriftView {
        next_cursor: found.last().filter(|_| more).map(|(place, _)| *place),
        items: found.into_iter().map(|(_, finding)| finding).collect(),
        tenant: check.tenant,
        flow: flow.map_or(check.flow, |flow| flow.id.clone()),
        run: check.run,
        at: check.at,
        total: check.findings,
    })
}
