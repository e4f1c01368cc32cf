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
use ruzhi_guest_runtime::GuestLoadError;
use ruzhi_message::{Report, exit};
use ruzhi_model::{Digest, FlowId, TenantId, Text};
use ruzhi_rules::{ActivationError, ActivationResult, ChangeAuthor};
use ruzhi_store::{Artifacts, AuditAction, FirstUse};

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

/// The way in which given rules go live.
#[derive(Debug, Clone, Default)]
pub struct ActivationOrder {
    /// Approves any number of changes.
    pub approved: bool,
    /// The person named in the flow's history; by default the one who asks.
    pub by: Option<String>,
    /// The reason, in a person's own words.
    pub why: Option<ActionReason>,
    /// Compares the fields that the rules read with the form's; this needs the tenant's secrets.
    pub reads_form: bool,
    /// Advice if the component does not accept its rules file.
    pub unaccepted: Option<Text>,
}

/// The author of a change for the flow's history, and the detail for the audit log, which has the name of the person
/// who asks.
fn author(
    principal: &Principal,
    by: Option<&str>,
    why: Option<&ActionReason>,
) -> (ChangeAuthor, Option<String>) {
    let why = why.map(ActionReason::to_string);
    let detail = match (by, &why) {
        (Some(by), Some(why)) => Some(format!("by {by}: {why}")),
        (Some(by), None) => Some(format!("by {by}")),
        (None, why) => why.clone(),
    };
    (ChangeAuthor { who: by.unwrap_or(&principal.name).to_owned(), why }, detail)
}

/// Makes earlier rules live again. Runs under way keep the rules they started with. `by` is the person named in the
/// flow's history, if it is not the one who asks.
pub async fn rollback(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    flow: &FlowId,
    input: ActionInput<RollbackRequest>,
    by: Option<&str>,
) -> Result<ActivationResult, Report> {
    let told = input.as_ref().ok();
    let (author, detail) = author(principal, by, told.and_then(|input| input.why.as_ref()));
    let asking = AuditRequest {
        subject: told.and_then(|input| input.to.clone()),
        ..AuditRequest::of(AuditAction::RulesRollback, tenant, flow).with_detail(detail)
    };
    recorded(app, principal, asking, async {
        let RollbackRequest { to, .. } = input?;
        let deployment = app.deployment();
        let (tenant, flow) = deployment.find(tenant, flow)?;
        let rules = flow_rules(app.store.as_ref(), &deployment.registry, tenant, flow, None);
        // This passes over the rules now in the files: the next run does not make them live again.
        let offered = match read(flow).await {
            Ok(held) => held.rules(),
            Err(_) => Digest::of(""),
        };
        Ok(rules.rollback(to.as_deref(), offered, &author, |_| {}).await?)
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
) -> Result<ActivationResult, Report> {
    let subject = input.as_ref().ok().map(|input| input.rules.to_string());
    let order = input.as_ref().map_or_else(
        |_| ActivationOrder::default(),
        |input| ActivationOrder {
            approved: input.approved,
            why: input.why.clone(),
            reads_form: true,
            ..ActivationOrder::default()
        },
    );
    put_live(app, principal, (tenant, flow), subject, &order, async {
        let reviewed = input?.rules;
        let deployment = app.deployment();
        let (_, flow) = deployment.find(tenant, flow)?;
        let held = read(flow).await?;
        if held.rules() == reviewed { Ok(held) } else { Err(others_by_now()) }
    })
    .await
}

/// Makes given rules live, wherever they come from.
pub async fn activate_artifacts(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    flow: &FlowId,
    new: Result<Artifacts, Report>,
    order: &ActivationOrder,
) -> Result<ActivationResult, Report> {
    let subject = new.as_ref().ok().map(|new| new.rules().to_string());
    put_live(app, principal, (tenant, flow), subject, order, async { new }).await
}

async fn put_live(
    app: &App,
    principal: &Principal,
    (tenant, flow): (&TenantId, &FlowId),
    subject: Option<String>,
    order: &ActivationOrder,
    new: impl Future<Output = Result<Artifacts, Report>>,
) -> Result<ActivationResult, Report> {
    let (author, detail) = author(principal, order.by.as_deref(), order.why.as_ref());
    let asking = AuditRequest {
        subject,
        ..AuditRequest::of(AuditAction::RulesActivate, tenant, flow).with_detail(detail)
    };
    recorded(app, principal, asking, async {
        let new = new.await?;
        let deployment = app.deployment();
        let (tenant, flow) = deployment.find(tenant, flow)?;
        let form = match order.reads_form {
            true => Some(form_fields(deployment.clients(tenant)?.source, flow)),
            false => None,
        };
        let rules = flow_rules(app.store.as_ref(), &deployment.registry, tenant, flow, form.as_ref());
        let offered = read(flow).await.map_or_else(|_| new.rules(), |held| held.rules());
        let activated = rules.activate(&new, offered, &author, order.approved, |_| {}).await;
        activated.map_err(|error| not_activated(error, order.unaccepted.clone()))
    })
    .await
}

/// The failure of rules that do not go live. `unaccepted` is the advice if the component does not accept its rules
/// file.
pub fn not_activated(error: ActivationError, unaccepted: Option<Text>) -> Report {
    let is_unaccepted = matches!(error, ActivationError::Load(GuestLoadError::Configuration { .. }));
    let failure = Report::from(error);
    match unaccepted.filter(|_| is_unaccepted) {
        Some(advice) => failure.hinting(advice),
        None => failure,
    }
}

/// Allows rules again that were set aside because a process ended on their first use, and returns them.
pub async fn confirm_rules(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    flow: &FlowId,
    why: Option<&ActionReason>,
) -> Result<Vec<FirstUse>, Report> {
    let asking = AuditRequest::of(AuditAction::RulesConfirm, tenant, flow)
        .with_detail(why.map(ActionReason::to_string));
    recorded(app, principal, asking, async {
        app.deployment().find(tenant, flow)?;
        let set_aside = app.store.first_uses_list_quarantined(tenant, flow).await?;
        if set_aside.is_empty() {
            return Err(none_set_aside(tenant, flow));
        }
        for first_use in &set_aside {
            app.store.first_use_delete(&first_use.rules).await?;
        }
        Ok(set_aside)
    })
    .await
}

fn none_set_aside(tenant: &TenantId, flow: &FlowId) -> Report {
    Report::new(
        exit::FAILED,
        "guest.none-quarantined",
        Text::new(
            format!("no rules of {tenant}/{flow} are set aside"),
            format!("{tenant}/{flow} 没有被搁置的同步规则"),
        ),
        Some(Text::new(
            "`ruzhi rules list` shows which rules are live",
            "`ruzhi rules list` 会列出现行的同步规则",
        )),
    )
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
