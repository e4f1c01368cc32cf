//! Actions an operator may request of a flow, and the audit row each leaves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit_log::{Asking, recorded};
use super::paging::{Wished, ticked, unless_empty};
use super::reason::Reason;
use crate::App;
use crate::principal::Principal;
use crate::scheduler::Asked;
use ruzhi_message::Failure;
use ruzhi_model::{FlowId, TenantId};
use ruzhi_sync::{Request, RunOptions};

/// The kind of run to start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunWhat {
    /// Plan, and apply the plan if the guard lets it pass.
    #[default]
    Sync,
    /// Plan, and write nothing to the directory.
    Plan,
    /// Compare the directory with the ledger.
    Drift,
}

/// A request to run a flow now.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunWish {
    /// The kind of run.
    pub what: RunWhat,
    /// Read the whole form, decide every row again and retry quarantined records.
    #[serde(deserialize_with = "ticked")]
    pub full: bool,
    /// Accept the form even if most of its rows are missing.
    #[serde(deserialize_with = "ticked")]
    pub accept_missing: bool,
}

/// A request to pause a flow until it is resumed.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PauseWish {
    /// The reason, in the operator's own words.
    #[serde(deserialize_with = "unless_empty")]
    pub why: Option<Reason>,
}

/// A request that takes no parameters.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlainWish {}

impl RunWish {
    fn options(&self) -> RunOptions {
        RunOptions { full: self.full, accept_missing: self.accept_missing }
    }

    fn request(&self) -> Request {
        let options = self.options();
        match self.what {
            RunWhat::Sync => Request::Sync(options),
            RunWhat::Plan => Request::Plan(options),
            RunWhat::Drift => Request::Drift(None),
        }
    }

    /// The request as the audit log words it.
    fn told(&self) -> String {
        let what = match self.what {
            RunWhat::Sync => "sync",
            RunWhat::Plan => "plan",
            RunWhat::Drift => "drift",
        };
        self.options().told(what)
    }
}

/// Runs a flow now.
pub async fn run_now(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    flow: &FlowId,
    wish: Wished<RunWish>,
) -> Result<Asked, Failure> {
    let asking = Asking::of("run.start", tenant, flow).saying(wish.as_ref().ok().map(RunWish::told));
    recorded(app, principal, asking, async {
        let request = wish?.request();
        app.deployment().find(tenant, flow)?;
        app.scheduler.ask(tenant, flow, request, &principal.name).await
    })
    .await
}

/// Retries a flow's quarantined records: reads the whole form and decides every row again.
pub async fn retry(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    flow: &FlowId,
    wish: Wished<PlainWish>,
) -> Result<Asked, Failure> {
    let asking = Asking::of("quarantine.retry", tenant, flow);
    recorded(app, principal, asking, async {
        wish?;
        app.deployment().find(tenant, flow)?;
        let request = Request::Sync(RunOptions { full: true, accept_missing: false });
        app.scheduler.ask(tenant, flow, request, &principal.name).await
    })
    .await
}

/// Pauses a flow until it is resumed.
pub async fn pause(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    flow: &FlowId,
    wish: Wished<PauseWish>,
) -> Result<(), Failure> {
    let why = wish.as_ref().ok().and_then(|wish| wish.why.as_ref()).map(Reason::to_string);
    let asking = Asking::of("flow.pause", tenant, flow).saying(why.clone());
    recorded(app, principal, asking, async {
        wish?;
        app.deployment().find(tenant, flow)?;
        app.scheduler.pause(tenant, flow, &principal.name, why.as_deref()).await
    })
    .await
}

/// Resumes a flow that was paused or blocked.
pub async fn resume(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    flow: &FlowId,
    wish: Wished<PlainWish>,
) -> Result<(), Failure> {
    let asking = Asking::of("flow.resume", tenant, flow);
    recorded(app, principal, asking, async {
        wish?;
        app.deployment().find(tenant, flow)?;
        app.scheduler.resume(tenant, flow).await
    })
    .await
}
