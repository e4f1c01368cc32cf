//! Making other rules live.

use serde::Deserialize;
use utoipa::ToSchema;

use super::audit::{Asking, recorded};
use super::found::{Found, said};
use super::guests::read;
use crate::activation::By;
use crate::deployment::{flow_rules, form_fields};
use crate::failure::{Failure, exit};
use crate::model::{Digest, FlowId, TenantId, Text};
use crate::serve::Process;
use crate::serve::access::Visitor;
use crate::store::ActivationRow;

/// Back to rules that were live before.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct RollBackWish {
    /// A number, or a digest or its beginning; not given: those before the present ones.
    pub to: Option<String>,
    /// What for, in their words.
    pub why: Option<String>,
}

/// To what the tenant's files hold.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct ActivateWish {
    /// Digest of the rules that were looked at: if the files hold others by now, nothing is done.
    pub rules: Digest,
    /// Approves of however much changes.
    #[serde(default, deserialize_with = "super::page::ticked")]
    pub approved: bool,
    /// What for, in their words.
    #[serde(default)]
    pub why: Option<String>,
}

/// Makes rules live again that were live before. Runs under way keep what they began with.
pub async fn roll_back(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    flow: &FlowId,
    wish: &RollBackWish,
) -> Result<ActivationRow, Failure> {
    let by = By { who: visitor.name.clone(), why: said(wish.why.as_deref()) };
    let to = wish.to.as_deref().map(str::trim).filter(|to| !to.is_empty());
    let asking = Asking {
        subject: to.map(ToOwned::to_owned),
        ..Asking::of("rules.roll_back", tenant, flow).saying(by.why.clone())
    };
    recorded(process, visitor, asking, async {
        let found = Found::of(process, tenant, flow)?;
        let (tenant, flow) = found.settings()?;
        let store = process.store.as_ref();
        let rules = flow_rules(store, &found.deployment().library, tenant, flow, None);
        // What the files hold now is passed over by this: the next run does not make it live again.
        let offered = match read(flow).await {
            Ok(held) => held.rules(),
            Err(_) => Digest::of(""),
        };
        Ok(rules.roll_back(to, offered, &by, |_| {}).await?.activation)
    })
    .await
}

/// Makes the rules live that the tenant's files hold. Runs under way keep what they began with.
pub async fn activate(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    flow: &FlowId,
    wish: &ActivateWish,
) -> Result<ActivationRow, Failure> {
    let by = By { who: visitor.name.clone(), why: said(wish.why.as_deref()) };
    let asking = Asking::of("rules.activate", tenant, flow).on(&wish.rules).saying(by.why.clone());
    recorded(process, visitor, asking, async {
        let found = Found::of(process, tenant, flow)?;
        let (tenant, flow) = found.settings()?;
        let held = read(flow).await?;
        if held.rules() != wish.rules {
            return Err(others_by_now());
        }
        let form = form_fields(found.deployment().clients(tenant)?.source, flow)?;
        let store = process.store.as_ref();
        let rules = flow_rules(store, &found.deployment().library, tenant, flow, Some(&form));
        let offered = held.rules();
        Ok(rules.activate(&held, offered, &by, wish.approved, |_| {}).await?.activation)
    })
    .await
}

fn others_by_now() -> Failure {
    Failure::new(
        exit::HELD,
        "rules.others",
        Text::new(
            "the files hold other rules than those you looked at; nothing was done",
            "文件中的规则已不是您查看过的规则；未执行任何操作",
        ),
        Some(Text::new("look at the difference again", "请重新查看差异")),
    )
}
