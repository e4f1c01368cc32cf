//! Actions an operator may request of a flow, and the audit row each leaves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit_log::{Asking, recorded};
use super::lookup::no_run;
use super::paging::{Wished, ticked, unless_empty, word_unless_empty};
use super::reason::Reason;
use crate::App;
use crate::principal::Principal;
use crate::scheduler::Asked;
use ruzhi_message::{Failure, exit};
use ruzhi_model::{FlowId, RunId, TenantId, Text};
use ruzhi_plan::{AdoptBy, DriftResolution};
use ruzhi_sync::{RunOptions, RunTask};

/// The kind of run to start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunWhat {
    /// Plan, and apply the plan if the guard lets it pass.
    #[default]
    Sync,
    /// Plan, and write nothing to the directory.
    Plan,
    /// Compare the directory with the ledger; with `settle`, plan to settle the differences.
    Drift,
    /// Plan to take over members who were in the directory before ruzhi, recognised as `by` says.
    Adopt,
    /// Plan to undo the run `run`.
    Revert,
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
    /// For `adopt`: the way members are recognised; `either` by default.
    #[serde(deserialize_with = "word_unless_empty")]
    pub by: Option<AdoptBy>,
    /// For `revert`: the run to undo.
    #[serde(deserialize_with = "unless_empty")]
    #[schema(value_type = Option<String>)]
    pub run: Option<RunId>,
    /// For `drift`: the side in whose favour the differences are settled. Without it they are only listed.
    #[serde(deserialize_with = "word_unless_empty")]
    pub settle: Option<DriftResolution>,
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

    /// The run asked for.
    fn request(&self) -> Result<RunTask, Failure> {
        let options = self.options();
        let is_plain = options == RunOptions::default();
        match (self.what, self.by, &self.run, self.settle) {
            (RunWhat::Sync, None, None, None) => Ok(RunTask::Sync(options)),
            (RunWhat::Plan, None, None, None) => Ok(RunTask::Plan(options)),
            (RunWhat::Drift, None, None, settle) if is_plain => Ok(RunTask::Drift(settle)),
            (RunWhat::Adopt, by, None, None) if is_plain => Ok(RunTask::Adopt(by.unwrap_or(AdoptBy::Either))),
            (RunWhat::Revert, None, Some(run), None) if is_plain => Ok(RunTask::Revert(run.clone())),
            _ => Err(mixed()),
        }
    }

    /// The request as the audit log words it.
    fn told(&self) -> String {
        match self.what {
            RunWhat::Sync => self.options().told("sync"),
            RunWhat::Plan => self.options().told("plan"),
            RunWhat::Drift => match self.settle {
                None => "drift".to_owned(),
                Some(DriftResolution::Keep) => "drift keep".to_owned(),
                Some(DriftResolution::Overwrite) => "drift overwrite".to_owned(),
                Some(DriftResolution::Adopt) => "drift adopt".to_owned(),
            },
            RunWhat::Adopt => match self.by {
                None | Some(AdoptBy::Either) => "adopt".to_owned(),
                Some(AdoptBy::Userid) => "adopt by userid".to_owned(),
                Some(AdoptBy::Mobile) => "adopt by mobile".to_owned(),
            },
            RunWhat::Revert => format!("revert {}", self.run.as_ref().map_or("", RunId::as_str)),
        }
    }
}

fn mixed() -> Failure {
    Failure::new(
        exit::USAGE,
        "run.options",
        Text::new("these options do not belong together", "这些选项不能同时使用"),
        Some(Text::new(
            "`full` and `accept_missing` go with `sync` and `plan`, `by` with `adopt`, `run` with `revert` (which needs it), `settle` with `drift`",
            "`full`、`accept_missing` 用于 `sync` 与 `plan`，`by` 用于 `adopt`，`run` 用于 `revert`（必填），`settle` 用于 `drift`",
        )),
    )
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
        let request = wish?.request()?;
        app.deployment().find(tenant, flow)?;
        if let RunTask::Revert(run) = &request {
            let found = app.store.run_find(run).await?;
            found
                .filter(|found| found.tenant == *tenant && found.flow == *flow)
                .ok_or_else(|| no_run(run))?;
        }
        app.scheduler.ask(tenant, flow, request, principal).await
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
        let request = RunTask::Sync(RunOptions { full: true, accept_missing: false });
        app.scheduler.ask(tenant, flow, request, principal).await
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
