//! What a visitor names, found; or the failure that says there is no such thing.

use std::sync::Arc;

use crate::config;
use crate::deployment::Deployment;
use crate::failure::{Failure, exit};
use crate::model::{FlowId, PlanId, RecordId, RunId, TenantId, Text};
use crate::serve::Process;
use crate::store::StoredPlan;

/// A flow of the configuration that runs now.
pub(super) struct Found {
    deployment: Arc<Deployment>,
    tenant: TenantId,
    flow: FlowId,
}

impl Found {
    pub(super) fn of(process: &Process, tenant: &TenantId, flow: &FlowId) -> Result<Self, Failure> {
        let found = Self { deployment: process.deployment(), tenant: tenant.clone(), flow: flow.clone() };
        found.settings()?;
        Ok(found)
    }

    pub(super) fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The tenant and the flow.
    pub(super) fn settings(&self) -> Result<(&config::Tenant, &config::Flow), Failure> {
        let tenant = self.deployment.config.tenants.iter().find(|known| known.id == self.tenant);
        let tenant = tenant.ok_or_else(|| no_tenant(&self.tenant))?;
        let flow = tenant.flows.iter().find(|known| known.id == self.flow);
        Ok((tenant, flow.ok_or_else(|| no_flow(&self.tenant, &self.flow))?))
    }
}

/// A stored plan of a tenant.
pub(super) async fn stored_plan(
    process: &Process,
    tenant: &TenantId,
    plan: &PlanId,
) -> Result<StoredPlan, Failure> {
    process.store.plan(tenant, plan).await?.ok_or_else(|| {
        unknown(
            "plan.unknown",
            Text::new(format!("there is no plan {plan} of {tenant}"), format!("{tenant} 没有计划 {plan}")),
            Text::new("the overview lists the plans that wait", "概览页列出了等待处理的计划"),
        )
    })
}

pub(super) fn no_tenant(tenant: &TenantId) -> Failure {
    unknown(
        "tenant.unknown",
        Text::new(format!("there is no tenant {tenant}"), format!("没有租户 {tenant}")),
        Text::new("the overview lists the tenants that run", "概览页列出了正在运行的租户"),
    )
}

pub(super) fn no_flow(tenant: &TenantId, flow: &FlowId) -> Failure {
    unknown(
        "flow.unknown",
        Text::new(format!("{tenant} has no flow {flow}"), format!("{tenant} 没有同步流 {flow}")),
        Text::new("the overview lists the flows that run", "概览页列出了正在运行的同步流"),
    )
}

pub(in crate::serve) fn no_run(run: &RunId) -> Failure {
    unknown(
        "run.unknown",
        Text::new(format!("there is no run {run}"), format!("没有运行 {run}")),
        Text::new("the list of runs has all of them", "运行列表包含全部运行"),
    )
}

pub(super) fn no_record(tenant: &TenantId, flow: &FlowId, record: &RecordId) -> Failure {
    unknown(
        "record.unknown",
        Text::new(
            format!("no record {record} of {tenant}/{flow} is known"),
            format!("{tenant}/{flow} 中没有记录 {record}"),
        ),
        Text::new(
            "give the row's _id as JianDaoYun shows it; a row is known once a run has read it",
            "请给出简道云中该行的 _id；运行读取过的行才可查询",
        ),
    )
}

fn unknown(code: &str, text: Text, hint: Text) -> Failure {
    Failure::new(exit::USAGE, code, text, Some(hint))
}

/// What a person writes of their reasons: one line, not too long; nothing for nothing.
pub(super) fn said(text: Option<&str>) -> Option<String> {
    const MOST: usize = 300;
    let line: String = text?.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}
