//! Members removed from WeCom by hand, and a person's decisions about them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::audit_log::{AuditRequest, recorded};
use super::mask::Sight;
use super::paging::{ActionInput, MOST, Page, number, page_size, unless_empty};
use super::reason::ActionReason;
use crate::app::App;
use crate::principal::Principal;
use crate::scheduler::RunAccepted;
use ruzhi_message::{Report, ReportKind, exit};
use ruzhi_model::{FlowId, RecordId, RemovalAnswer, TenantId, Text, UserId};
use ruzhi_store::{AuditAction, RemovalFilter, RemovalRow};
use ruzhi_sync::{RunOptions, RunTask};

/// The page of the list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct RemovalsQuery {
    /// The `next_cursor` of the previous page.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>, format = "place")]
    pub cursor: Option<UserId>,
    /// Page size: 50 by default, at most 500.
    #[serde(deserialize_with = "number::<_, 1, MOST>")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// A member who was removed from WeCom by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RemovalView {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow whose record owns the member.
    pub flow: FlowId,
    /// The record that owns the member.
    pub record: RecordId,
    /// The account.
    pub userid: UserId,
    /// The name that was written last.
    pub name: String,
    /// When the removal was found.
    pub found_at: Option<DateTime<Utc>>,
    /// True if only one listing has shown the removal: the member may still turn up.
    pub unsure: bool,
    /// A person's decision; the next run carries it out.
    pub answer: Option<RemovalAnswer>,
    /// True if the record still asks for the member, so that a person has to decide.
    pub waits: bool,
}

/// A decision about a member who was removed by hand.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovalRequest {
    /// The decision.
    pub answer: RemovalAnswer,
    /// The reason, in the operator's own words.
    #[serde(default, deserialize_with = "unless_empty")]
    pub reason: Option<ActionReason>,
}

impl RemovalRequest {
    /// The decision as the audit log words it.
    fn told(&self) -> String {
        let answer = self.answer.as_str();
        self.reason.as_ref().map_or_else(|| answer.to_owned(), |reason| format!("{answer}: {reason}"))
    }
}

impl RemovalView {
    fn of(row: RemovalRow, sight: Sight) -> Self {
        let RemovalRow { tenant, flow, record, userid, name, found_at, unsure, answer, waits } = row;
        let name = sight.text(&name);
        Self { tenant, flow, record, userid, name, found_at, unsure, answer, waits }
    }
}

/// Returns a tenant's members who were removed by hand, by account.
pub async fn removed(
    app: &App,
    tenant: &TenantId,
    asked: &RemovalsQuery,
) -> Result<Page<RemovalView>, Report> {
    app.deployment().tenant(tenant)?;
    let most = page_size(asked.limit) as usize;
    let after = asked.cursor.as_ref().map(UserId::key);
    let wanted = RemovalFilter {
        tenant: Some(tenant),
        after: after.as_ref(),
        most: most + 1,
        ..RemovalFilter::default()
    };
    let mut rows = app.store.removals_list(&wanted).await?;
    let more = rows.len() > most;
    rows.truncate(most);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.userid.to_string());
    Ok(Page { items: rows.into_iter().map(|row| RemovalView::of(row, Sight::Masked)).collect(), next_cursor })
}

/// Returns the removed member that a record owns.
pub(super) async fn of_record(
    app: &App,
    (tenant, flow, record): (&TenantId, &FlowId, &RecordId),
    sight: Sight,
) -> Result<Option<RemovalView>, Report> {
    let wanted = RemovalFilter {
        tenant: Some(tenant),
        flow: Some(flow),
        record: Some(record),
        most: 1,
        ..RemovalFilter::default()
    };
    let found = app.store.removals_list(&wanted).await?.into_iter().next();
    Ok(found.map(|row| RemovalView::of(row, sight)))
}

/// Decides about a member who was removed by hand, and requests a run of the flow to carry it out. A later decision
/// replaces an earlier one. Returns the flow too.
pub async fn answer_removal(
    app: &App,
    principal: &Principal,
    tenant: &TenantId,
    userid: &UserId,
    input: ActionInput<RemovalRequest>,
) -> Result<(FlowId, RunAccepted), Report> {
    let key = userid.key();
    let lines = app.store.ledger_find(std::slice::from_ref(tenant), std::slice::from_ref(&key)).await?;
    let flow = lines.into_iter().next().map(|line| line.owner.flow);
    let asking = AuditRequest {
        action: AuditAction::MemberRemoval,
        tenant: Some(tenant),
        flow: flow.as_ref(),
        subject: Some(userid.to_string()),
        detail: input.as_ref().ok().map(RemovalRequest::told),
    };
    recorded(app, principal, asking, async {
        let RemovalRequest { answer, .. } = input?;
        app.deployment().tenant(tenant)?;
        let flow = flow.as_ref().ok_or_else(|| no_member(tenant, userid))?;
        app.deployment().find(tenant, flow)?;
        if !app.store.removal_answer(tenant, &key, answer).await? {
            return Err(not_removed(userid));
        }
        let request = RunTask::Sync(RunOptions::default());
        Ok((flow.clone(), app.scheduler.ask(tenant, flow, request, principal).await?))
    })
    .await
}

/// The failure for a member that was never written.
fn no_member(tenant: &TenantId, userid: &UserId) -> Report {
    Report::new(
        exit::USAGE,
        "member.unknown",
        Text::new(
            format!("ruzhi has never written a member {userid} of {tenant}"),
            format!("ruzhi 从未写入过 {tenant} 的成员 {userid}"),
        ),
        Some(Text::new(
            "check the account: only a member who was removed by hand needs a decision",
            "请核对账号：只有被手工删除的成员才需要决定",
        )),
    )
    .of_kind(ReportKind::Unknown)
}

/// The failure for a member that needs no decision.
fn not_removed(userid: &UserId) -> Report {
    Report::new(
        exit::HELD,
        "member.state",
        Text::new(
            format!("{userid} is not a member who was removed by hand: there is nothing to decide"),
            format!("{userid} 不是被手工删除的成员，无需决定"),
        ),
        Some(Text::new(
            "look again: it may have been decided and carried out already",
            "请重新查看：可能已经决定并执行",
        )),
    )
}
