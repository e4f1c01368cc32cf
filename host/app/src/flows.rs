//! Actions an operator may request of a flow, and the audit row each leaves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit_log::{AuditRequest, recorded};
use super::lookup::no_run;
use super::paging::{ActionInput, ticked, unless_empty, word_unless_empty};
use super::reason::ActionReason;
use crate::app::App;
use crate::principal::Principal;
use crate::scheduler::RunAccepted;
use ruzhi_message::{Report, exit};
use ruzhi_model::{FlowId, Label, RunId, TenantId, Text};
use ruzhi_plan::{AdoptBy, DriftResolution};
use ruzhi_store::AuditAction;
use ruzhi_sync::{RunOptions, RunTask};

/// The kind of run to start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
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

impl RunMode {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Sync => Label::new("Sync: plan and write", "同步：计划并写入"),
            Self::Plan => Label::new("Plan only: write nothing", "仅计划：不写入"),
            Self::Drift => Label::new("Compare with the directory", "与通讯录比对"),
            Self::Adopt => Label::new("Take over existing members", "接管已有成员"),
            Self::Revert => Label::new("Undo a run", "撤销一次运行"),
        }
    }
}

/// A request to run a flow now.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunRequest {
    /// The kind of run.
    pub what: RunMode,
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
pub struct PauseRequest {
    /// The reason, in the operator's own words.
    #[serde(deserialize_with = "unless_empty")]
    pub why: Option<ActionReason>,
}

/// A request that takes no parameters.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyRequest {}

impl RunRequest {
    fn options(&self) -> RunOptions {
        RunOptions { full: self.full, accept_missing: self.accept_missing }
    }

    /// The run asked for.
    fn request(&self) -> Result<RunTask, Report> {
        let options = self.options();
        let is_plain = options == RunOptions::default();
        match (self.what, self.by, &self.run, self.settle) {
            (RunMode::Sync, None, None, None) => Ok(RunTask::Sync(options)),
            (RunMode::Plan, None, None, None) => Ok(RunTask::Plan(options)),
            (RunMode::Drift, None, None, settle) if is_plain => Ok(RunTask::Drift(settle)),
            (RunMode::Adopt, by, None, None) if is_plain => Ok(RunTask::Adopt(by.unwrap_or(AdoptBy::Either))),
            (RunMode::Revert, None, Some(run), None) if is_plain => Ok(RunTask::Revert(run.clone())),
            _ => Err(mixed()),
        }
    }

    /// The request as the audit log words it.
    fn audit_text(&self) -> String {
        self.request().map_or_else(|_| self.what.as_str().to_owned(), |task| task_text(&task))
    }
}

impl RunMode {
    /// The word for it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Plan => "plan",
            Self::Drift => "drift",
            Self::Adopt => "adopt",
            Self::Revert => "revert",
        }
    }
}

/// A run as the audit log words it.
fn task_text(task: &RunTask) -> String {
    match task {
        RunTask::Sync(options) => options.told("sync"),
        RunTask::Plan(options) => options.told("plan"),
        RunTask::Drift(None) => "drift".to_owned(),
        RunTask::Drift(Some(DriftResolution::Keep)) => "drift keep".to_owned(),
        RunTask::Drift(Some(DriftResolution::Overwrite)) => "drift overwrite".to_owned(),
        RunTask::Drift(Some(DriftResolution::Adopt)) => "drift adopt".to_owned(),
        RunTask::Adopt(AdoptBy::Either) => "adopt".to_owned(),
        RunTask::Adopt(AdoptBy::Userid) => "adopt by userid".to_owned(),
        RunTask::Adopt(AdoptBy::Mobile) => "adopt by mobile".to_owned(),
        RunTask::Revert(run) => format!("revert {run}"),
        RunTask::Apply { plan, .. } => format!("apply {plan}"),
    }
}

/// The audit row of a run that a command makes by itself; none for a run such as any schedule makes.
pub fn audit_of_run<'a>(
    task: &RunTask,
    tenant: Option<&'a TenantId>,
    flow: Option<&'a FlowId>,
) -> Option<AuditRequest<'a>> {
    let asking = |action| AuditRequest { tenant, flow, ..AuditRequest::plain(action) };
    match task {
        RunTask::Sync(options) | RunTask::Plan(options) if *options == RunOptions::default() => None,
        RunTask::Drift(None) => None,
        RunTask::Apply { plan, approved: true } => Some(asking(AuditAction::PlanApprove).on(plan)),
        RunTask::Apply { plan, approved: false } => Some(asking(AuditAction::PlanApply).on(plan)),
        _ => Some(asking(AuditAction::RunStart).with_detail(Some(task_text(task)))),
    }
}

fn mixed() -> Report {
    Report::new(
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
    input: ActionInput<RunRequest>,
) -> Result<RunAccepted, Report> {
    let asking = AuditRequest::of(AuditAction::RunStart, tenant, flow)
        .with_detail(input.as_ref().ok().map(RunRequest::audit_text));
    recorded(app, principal, asking, async {
        let request = input?.request()?;
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
    input: ActionInput<EmptyRequest>,
) -> Result<RunAccepted, Report> {
    let asking = AuditRequest::of(AuditAction::QuarantineRetry, tenant, flow);
    recorded(app, principal, asking, async {
        input?;
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
    input: ActionInput<PauseRequest>,
) -> Result<(), Report> {
    let why = input.as_ref().ok().and_then(|input| input.why.as_ref()).map(ActionReason::to_string);
    let asking = AuditRequest::of(AuditAction::FlowPause, tenant, flow).with_detail(why.clone());
    recorded(app, principal, asking, async {
        input?;
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
    input: ActionInput<EmptyRequest>,
) -> Result<(), Report> {
    let asking = AuditRequest::of(AuditAction::FlowResume, tenant, flow);
    recorded(app, principal, asking, async {
        input?;
        app.deployment().find(tenant, flow)?;
        app.scheduler.resume(tenant, flow).await
    })
    .await
}
