//! Plans as a person reads them, and the decisions about them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::audit_log::{AuditRequest, recorded};
use super::flows::EmptyRequest;
use super::labels::Labels;
use super::lookup::stored_plan;
use super::mask::Sight;
use super::paging::{
    ActionInput, FieldChange, MOST, number, page_size, ticked, unless_empty, word_unless_empty,
};
use super::reason::ActionReason;
use crate::app::App;
use crate::plan_lock::{PlanLock, PlanLockState};
use crate::principal::Principal;
use crate::scheduler::RunAccepted;
use ruzhi_message::{Report, ReportKind, exit};
use ruzhi_model::{
    Digest, FlowId, OperationKind, OperationState, PlanId, RecordId, RunId, TenantId, Text, UniqueField,
    UserId,
};
use ruzhi_plan::{Counts, GuardReason, Purpose, PurposeKind, whole_body};
use ruzhi_store::{AttemptRow, AuditAction, OperationFilter, OperationRow, PlanRow, PlanState};
use ruzhi_sync::{RunError, check_applicable};

/// Filter and page of a plan's operations.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct PlanQuery {
    /// Operations after this position: the `next_cursor` of the previous page.
    #[serde(deserialize_with = "unless_empty")]
    #[param(format = "place")]
    pub cursor: Option<u64>,
    /// Page size: 50 by default, at most 500.
    #[serde(deserialize_with = "number::<_, 1, MOST>")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Only operations of this kind.
    #[serde(deserialize_with = "word_unless_empty")]
    #[param(inline)]
    pub kind: Option<OperationKind>,
    /// Show numbers and addresses in full. Needs an operator, and is recorded in the audit log.
    #[serde(deserialize_with = "ticked")]
    pub reveal: bool,
}

/// A plan and a page of its operations.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PlanView {
    /// The plan.
    pub id: PlanId,
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The kind of its purpose.
    pub purpose: PurposeKind,
    /// The run that it undoes.
    pub undoes: Option<RunId>,
    /// Digest of every operation and of the state it was made from.
    pub hash: Digest,
    /// Its state.
    pub state: PlanState,
    /// The reason it was rejected.
    pub reason: Option<String>,
    /// The run that made it.
    pub run: RunId,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Its number of operations.
    pub operations: u64,
    /// The outcome if every operation succeeds.
    pub counts: Counts,
    /// Members in the directory that the tenant owns.
    pub owned: u64,
    /// True if it retries quarantined records.
    pub retry: bool,
    /// The reason why the first undecided record has no decision.
    pub undecided: Option<String>,
    /// The reasons the guard holds it; empty if it passes.
    pub guard: Vec<GuardReason>,
    /// The actions it allows in its present state.
    pub may: PlanMay,
    /// A page of its operations, in order.
    pub items: Vec<OperationView>,
    /// The value of `cursor` for the next page; none on the last.
    pub next_cursor: Option<u64>,
    /// True if numbers and addresses are shown in full.
    pub revealed: bool,
}

/// The actions a plan allows in its present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlanMay {
    /// It can be approved although the guard holds it or a person has rejected it.
    pub approve: bool,
    /// It can be applied: it passes the guard.
    pub apply: bool,
    /// It can be rejected.
    pub reject: bool,
}

/// An operation as a person reads it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OperationView {
    /// Its plan.
    pub plan: PlanId,
    /// Its position in the plan.
    pub place: u64,
    /// Operations of a lower wave finish before this one begins.
    pub wave: u32,
    /// Its kind.
    pub kind: OperationKind,
    /// The account it changes.
    pub userid: UserId,
    /// The member's name in the ledger once this is done.
    pub name: String,
    /// The flow whose record asks for it.
    pub flow: FlowId,
    /// The record that asks for it.
    pub record: RecordId,
    /// The changes, field by field.
    pub fields: Vec<FieldChange>,
    /// The `tenant/flow` that the member moves from.
    pub moved_from: Option<String>,
    /// True if it does only part of what the record asks for; a plan of the same run does the rest.
    pub partial: bool,
    /// The WeCom field that is emptied first because another member takes its value.
    pub parks: Option<UniqueField>,
    /// Remarks, for example that the direct leader follows.
    pub notes: Vec<Text>,
    /// True if the member left: the grace period begins.
    pub left: bool,
    /// Its state.
    pub state: OperationState,
    /// When it was planned.
    pub planned_at: DateTime<Utc>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// When its outcome was stored.
    pub settled_at: Option<DateTime<Utc>>,
    /// WeCom's last error code.
    pub errcode: Option<i64>,
    /// WeCom's last message.
    pub errmsg: Option<String>,
    /// Every call made for it.
    pub attempts: Vec<AttemptRow>,
}

/// A request to approve a plan.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApproveRequest {
    /// The reason, in the operator's own words.
    #[serde(deserialize_with = "unless_empty")]
    pub why: Option<ActionReason>,
    /// Approves it even if a person has rejected it. Without it a rejected plan is answered 409: the one who approves
    /// may not know of the rejection.
    pub after_rejection: bool,
}

/// A request to reject a plan.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RejectRequest {
    /// The reason, in the operator's own words. Pages require one.
    pub reason: Option<ActionReason>,
}

/// Returns a plan and a page of its operations, each with the values written before it.
pub async fn plan(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    plan: &PlanId,
    asked: &PlanQuery,
) -> Result<PlanView, Report> {
    let stored = stored_plan(app, tenant, plan).await?;
    if !asked.reveal {
        return view(app, stored, asked).await;
    }
    let flow = stored.plan.flow.clone();
    let asking = AuditRequest::of(AuditAction::PlanReveal, tenant, &flow).on(plan);
    recorded(app, principal, asking, view(app, stored, asked)).await
}

async fn view(app: &App, stored: PlanRow, asked: &PlanQuery) -> Result<PlanView, Report> {
    let PlanRow { plan, run, state, reason, made_at } = stored;
    let most = page_size(asked.limit) as usize;
    let wanted = OperationFilter {
        tenant: &plan.tenant,
        plan: &plan.id,
        kind: asked.kind,
        after: asked.cursor.and_then(|after| usize::try_from(after).ok()),
        most: most + 1,
    };
    let mut rows = app.store.operations_list_with_attempts(&wanted).await?;
    let more = rows.len() > most;
    rows.truncate(most);
    let labels = Labels::of(app.store.as_ref(), &plan.tenant, &plan.flow).await?;
    let sight = Sight::of(asked.reveal);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.place as u64);
    let items = rows.iter().map(|row| OperationView::of(&plan.tenant, row, &labels, sight)).collect();
    let free = !app.scheduler.is_plan_locked(&plan.tenant, &plan.id);
    Ok(PlanView {
        may: PlanMay {
            // A rejection may be taken back; the plan is made again first, as for any approval.
            approve: free && matches!(state, PlanState::Held | PlanState::Rejected),
            apply: free && state == PlanState::Planned && !plan.guard.holds(),
            reject: free && matches!(state, PlanState::Held | PlanState::Planned),
        },
        purpose: plan.purpose.kind(),
        undoes: match &plan.purpose {
            Purpose::Revert { run } => Some(run.clone()),
            _ => None,
        },
        id: plan.id,
        tenant: plan.tenant,
        flow: plan.flow,
        hash: plan.hash,
        state,
        reason,
        run,
        made_at,
        operations: plan.operations,
        counts: plan.counts,
        owned: plan.owned,
        retry: plan.retry,
        undecided: plan.undecided.map(|why| sight.text(&why)),
        guard: plan.guard.reasons,
        items,
        next_cursor,
        revealed: asked.reveal,
    })
}

impl OperationView {
    pub(super) fn of(tenant: &TenantId, row: &OperationRow, labels: &Labels, sight: Sight) -> Self {
        let operation = &row.operation;
        // The directory holds the values written last, and none of a member who is gone.
        let before = operation.before.as_ref().filter(|before| before.exists());
        let before = before.map(|before| whole_body(&before.written)).unwrap_or_default();
        let sends = operation.kind != OperationKind::Delete;
        let fields = operation.body.iter().filter(|(field, _)| sends && *field != "userid");
        let fields = fields
            .map(|(field, after)| FieldChange {
                label: labels.of_wecom(field),
                before: before.get(field).map(|value| sight.field(field, value)).unwrap_or_default(),
                after: sight.field(field, after),
                field: field.clone(),
            })
            .collect();
        Self {
            plan: row.plan.clone(),
            place: row.place as u64,
            wave: row.wave,
            kind: operation.kind,
            userid: operation.userid.clone(),
            name: sight.text(&operation.member.name),
            flow: operation.flow.clone(),
            record: operation.record.clone(),
            fields,
            moved_from: operation.moved_from(tenant).map(|(tenant, flow)| format!("{tenant}/{flow}")),
            partial: operation.partial,
            parks: operation.parks,
            notes: operation
                .notes
                .iter()
                .map(|note| Text::new(sight.text(&note.en), sight.text(&note.zh)))
                .collect(),
            left: operation.left,
            state: row.state,
            planned_at: row.planned_at,
            sent_at: row.sent_at,
            settled_at: row.settled_at,
            errcode: row.errcode,
            errmsg: row.errmsg.as_deref().map(|words| sight.answer(words)),
            attempts: row
                .attempts
                .iter()
                .map(|attempt| AttemptRow { errmsg: sight.answer(&attempt.errmsg), ..attempt.clone() })
                .collect(),
        }
    }
}

/// The plan that a person approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Approval {
    /// One that waits; a rejection by another person stands.
    OfHeld,
    /// Also one that a person has rejected.
    AfterRejection,
}

/// Approves exactly this plan although the guard holds it or a person has rejected it before, and applies it.
pub async fn approve_plan(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    plan: &PlanId,
    input: ActionInput<ApproveRequest>,
) -> Result<RunAccepted, Report> {
    let why = input.as_ref().ok().and_then(|input| input.why.as_ref()).map(ActionReason::to_string);
    decided(app, principal, tenant, plan, AuditAction::PlanApprove, why, async {
        let approval = if input?.after_rejection { Approval::AfterRejection } else { Approval::OfHeld };
        carry_out(app, principal, tenant, plan, Some(approval)).await
    })
    .await
}

/// Applies a plan that passes the guard.
pub async fn apply_plan(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    plan: &PlanId,
    input: ActionInput<EmptyRequest>,
) -> Result<RunAccepted, Report> {
    decided(app, principal, tenant, plan, AuditAction::PlanApply, None, async {
        input?;
        carry_out(app, principal, tenant, plan, None).await
    })
    .await
}

/// Rejects a plan that waits. To repeat a rejection without another reason changes nothing.
pub async fn reject_plan(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    plan: &PlanId,
    input: ActionInput<RejectRequest>,
) -> Result<(), Report> {
    let why = input.as_ref().ok().and_then(|input| input.reason.as_ref()).map(ActionReason::to_string);
    decided(app, principal, tenant, plan, AuditAction::PlanReject, why.clone(), async {
        input?;
        let (_lock, stored) = locked(app, tenant, plan).await?;
        // Another process may be about to apply it.
        let _store_lock = app.lock_store()?;
        if app.store.plan_reject(tenant, plan, why.as_deref()).await? {
            return Ok(());
        }
        let now = app.store.plan_find(tenant, plan).await?;
        let (state, reason) = now.map_or((stored.state, None), |now| (now.state, now.reason));
        if state == PlanState::Rejected && (why.is_none() || why == reason) {
            return Ok(());
        }
        Err(stands_otherwise(plan, state))
    })
    .await
}

/// Carries out and records a decision about a plan.
async fn decided<T>(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    plan: &PlanId,
    action: AuditAction,
    detail: Option<String>,
    work: impl Future<Output = Result<T, Report>>,
) -> Result<T, Report> {
    let stored = app.store.plan_find(tenant, plan).await?;
    let flow = stored.map(|stored| stored.plan.flow);
    let subject = Some(plan.to_string());
    let asking = AuditRequest { action, tenant: Some(tenant), flow: flow.as_ref(), subject, detail };
    recorded(app, principal, asking, work).await
}

/// Locks a plan against concurrent decisions, then reads it.
async fn locked(app: &App, tenant: &TenantId, plan: &PlanId) -> Result<(PlanLock, PlanRow), Report> {
    let lock = app.scheduler.lock_plan(tenant, plan).map_err(|state| others_are_at_it(plan, &state))?;
    Ok((lock, stored_plan(app, tenant, plan).await?))
}

/// Carries out a plan if it may be applied.
async fn carry_out(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    plan: &PlanId,
    approval: Option<Approval>,
) -> Result<RunAccepted, Report> {
    let (lock, stored) = locked(app, tenant, plan).await?;
    let rejected = stored.state == PlanState::Rejected;
    if rejected && approval == Some(Approval::OfHeld) {
        return Err(RunError::Rejected { plan: plan.clone() }.into());
    }
    // An approval covers the reasons of the guard that the plan shows, and no others that its run may find.
    let approved = approval.is_some() && (rejected || stored.plan.guard.holds());
    check_applicable(&stored, approved)?;
    let flow = &stored.plan.flow;
    app.deployment().find(tenant, flow)?;
    app.scheduler.carry_out(lock, flow, approved, principal).await
}

/// The failure for a request about a plan that another request has locked.
fn others_are_at_it(plan: &PlanId, state: &PlanLockState) -> Report {
    match state {
        PlanLockState::Deciding => {
            otherwise(plan, "is being decided on by another person", "正由他人处理", look_again(plan))
        }
        PlanLockState::Queued => {
            let terminal = Text::new(
                "`ruzhi runs` lists its run once it has begun",
                "运行开始后，可用 `ruzhi runs` 查看",
            );
            let page =
                Text::new("its run is on the list of runs once it has begun", "运行开始后可在运行列表中查看");
            let hints = (terminal, Some(page));
            otherwise(
                plan,
                "is being carried out already: it waits for its turn",
                "已在执行：正在排队",
                hints,
            )
        }
        PlanLockState::Running(run) => {
            let hint = Text::new(format!("run {run} does it"), format!("由运行 {run} 执行"));
            otherwise(plan, "is being carried out already", "正在执行", (hint, None))
        }
    }
}

fn stands_otherwise(plan: &PlanId, state: PlanState) -> Report {
    let (en, zh) = match state {
        PlanState::Planned => ("passes the guard", "无需审批"),
        PlanState::Held => ("is held by the guard", "待审批"),
        PlanState::Applying => ("is being applied", "正在执行"),
        PlanState::Done => ("has been applied", "已执行"),
        PlanState::Failed => ("has been applied in part", "已部分执行"),
        PlanState::Superseded => ("is out of date: a newer plan has taken its place", "已被更新的计划取代"),
        PlanState::Rejected => ("has been rejected", "已被驳回"),
    };
    otherwise(plan, en, zh, look_again(plan))
}

fn look_again(plan: &PlanId) -> (Text, Option<Text>) {
    let terminal = Text::new(
        format!("`ruzhi show {plan}` shows how it stands"),
        format!("可用 `ruzhi show {plan}` 查看其当前状态"),
    );
    (terminal, Some(Text::new("load the page again to see how it stands", "请刷新页面查看其当前状态")))
}

fn otherwise(plan: &PlanId, en: &str, zh: &str, (terminal, page): (Text, Option<Text>)) -> Report {
    Report::new(
        exit::FAILED,
        "plan.state",
        Text::new(format!("plan {plan} {en}; nothing was done"), format!("计划 {plan} {zh}；未执行任何操作")),
        Some(terminal),
    )
    .of_kind(ReportKind::Conflict)
    .on_page(page)
}
