//! Activation and rollback of rules.

use serde::Deserialize;
use utoipa::ToSchema;

use super::audit_log::{AuditRequest, recorded};
use super::paging::{ActionInput, ticked, unless_empty};
use super::reason::ActionReason;
use super::rules::read;
use crate::app::App;
use crate::deployment::{flow_rules, form_fields};
use crate::principal::Principal;
use ruzhi_message::{Report, exit};
use ruzhi_model::{Digest, FlowId, TenantId, Text};
use ruzhi_rules::ChangeAuthor;
use ruzhi_store::{ActivationRow, AuditAction};

/// A request to roll back to earlier rules.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RollbackRequest {
    /// A number, a digest or the beginning of one; by default the rules before the present ones.
    #[serde(deserialize_with = "unless_empty")]
    pub to: Option<String>,
    /// The reason, in the operator's own words.
    #[serde(deserialize_with = "unless_empty")]
    pub why: Option<ActionReason>,
}

/// A request to activate the rules in the tenant's files.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateRequest {
    /// Digest of the rules that were reviewed: if the files contain others by now, nothing is done.
    #[schema(value_type = String, format = "digest")]
    pub rules: Digest,
    /// Approves any number of changes.
    #[serde(default, deserialize_with = "ticked")]
    pub approved: bool,
    /// The reason, in the operator's own words.
    #[serde(default, deserialize_with = "unless_empty")]
    pub why: Option<ActionReason>,
}

/// Makes earlier rules live again. Runs under way keep the rules they started with.
pub async fn rollback(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    flow: &FlowId,
    input: ActionInput<RollbackRequest>,
) -> Result<ActivationRow, Report> {
    let told = input.as_ref().ok();
    let why = told.and_then(|input| input.why.as_ref()).map(ActionReason::to_string);
    let asking = AuditRequest {
        subject: told.and_then(|input| input.to.clone()),
        ..AuditRequest::of(AuditAction::RulesRollback, tenant, flow).with_detail(why.clone())
    };
    recorded(app, principal, asking, async {
        let RollbackRequest { to, .. } = input?;
        let by = ChangeAuthor { who: principal.name.clone(), why };
        let deployment = app.deployment();
        let (tenant, flow) = deployment.find(tenant, flow)?;
        let store = app.store.as_ref();
        let rules = flow_rules(store, &deployment.registry, tenant, flow, None);
        // This passes over the rules now in the files: the next run does not make them live again.
        let offered = match read(flow).await {
            Ok(held) => held.rules(),
            Err(_) => Digest::of(""),
        };
        Ok(rules.rollback(to.as_deref(), offered, &by, |_| {}).await?.activation)
    })
    .await
}

/// Makes the rules in the tenant's files live. Runs under way keep the rules they started with.
pub async fn activate(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    flow: &FlowId,
    input: ActionInput<ActivateRequest>,
) -> Result<ActivationRow, Report> {
    let told = input.as_ref().ok();
    let why = told.and_then(|input| input.why.as_ref()).map(ActionReason::to_string);
    let asking = AuditRequest {
        subject: told.map(|input| input.rules.to_string()),
        ..AuditRequest::of(AuditAction::RulesActivate, tenant, flow).with_detail(why.clone())
    };
    recorded(app, principal, asking, async {
        let input = input?;
        let by = ChangeAuthor { who: principal.name.clone(), why };
        let deployment = app.deployment();
        let (tenant, flow) = deployment.find(tenant, flow)?;
        let held = read(flow).await?;
        if held.rules() != input.rules {
            return Err(others_by_now());
        }
        let form = form_fields(deployment.clients(tenant)?.source, flow);
        let store = app.store.as_ref();
        let rules = flow_rules(store, &deployment.registry, tenant, flow, Some(&form));
        let offered = held.rules();
        Ok(rules.activate(&held, offered, &by, input.approved, |_| {}).await?.activation)
    })
    .await
}

fn others_by_now() -> Report {
    Report::new(
        exit::HELD,
        "rules.others",
        Text::new(
            "the files hold other rules than those you looked at; nothing was done",
            "文件中的规则已不是您查看过的规则；未执行任何操作",
        ),
        Some(Text::new("look at the difference again", "请重新查看差异")),
    )
}
