//! The audit log page: changes and requests to see masked values, with their outcome.

use maud::{Markup, html};

use super::layout::{Area, HtmlPage};
use super::view::View;
use super::{components, labels, time};
use ruzhi_app::AuditQuery;
use ruzhi_store::{AuditAction, AuditRow};

/// A page of the audit log.
pub(super) fn page(view: &View, told: &ruzhi_app::Page<AuditRow>, asked: &AuditQuery) -> HtmlPage {
    let address = |cursor: Option<&str>| {
        View::address(
            ["audit"],
            [("tenant", asked.tenant.as_ref().map(|tenant| tenant.as_str())), ("cursor", cursor)],
        )
    };
    let body = html! {
        form.filters method="get" action="/audit" role="search" {
            (components::tenant_field(view, asked.tenant.as_ref()))
            button type="submit" { (view.say("Filter", "筛选")) }
        }
        div.box {
            @if told.items.is_empty() { (components::empty(view.say("No changes yet.", "尚无任何操作。"))) } @else {
                table.table {
                    caption.hidden { (view.say("Audit log, newest first", "审计日志，新的在前")) }
                    thead {
                        tr {
                            th scope="col" { (view.say("When", "时间")) }
                            th scope="col" { (view.say("Who", "操作人")) }
                            th scope="col" { (view.say("What", "操作")) }
                            th scope="col" { (view.say("To what", "对象")) }
                            th scope="col" { (view.say("Reason", "理由")) }
                            th scope="col" { (view.say("Outcome", "结果")) }
                        }
                    }
                    tbody { @for row in &told.items { (line(view, row)) } }
                }
                (components::pager(view, asked.cursor.as_ref().map(|_| address(None)), told.next_cursor.as_deref().map(|next| address(Some(next)))))
            }
        }
    };
    HtmlPage {
        under: Some(html! {
            (view.say(
                "Every change, every denied attempt, and every look at masked numbers. Nothing is ever taken out of it.",
                "每次更改、每次被拒绝的尝试、每次查看完整号码都有记录，且不可删除。",
            ))
        }),
        ..HtmlPage::new(Area::Audit, view.say("Audit log", "审计日志"), body)
    }
}

fn line(view: &View, row: &AuditRow) -> Markup {
    let zone = row.tenant.as_ref().map_or_else(|| view.common_zone(), |tenant| view.zone(tenant));
    html! {
        tr {
            th scope="row" { (time::exact(row.at, zone)) }
            td data-label=(view.say("Who", "操作人")) {
                div {
                    bdi { (row.who) } " " span.quiet.small { (role(view, &row.role)) }
                    p.quiet.small { code { (row.origin) } }
                }
            }
            td data-label=(view.say("What", "操作")) {
                div {
                    @if let Some(word) = action(view, &row.action) { (word) " " }
                    code.quiet.small { (row.action.as_str()) }
                }
            }
            td data-label=(view.say("To what", "对象")) {
                div {
                    @if let Some(tenant) = &row.tenant {
                        bdi { (view.name(tenant)) } " " @if let Some(flow) = &row.flow { code { (flow) } " " }
                    }
                    @if let Some(subject) = &row.subject { (subject_of(row, subject)) }
                }
            }
            td data-label=(view.say("Reason", "理由")) { @if let Some(detail) = &row.detail { bdi { (detail) } } }
            td data-label=(view.say("Outcome", "结果")) {
                div {
                    @if row.outcome == "done" { (components::badge((labels::OK, view.say("done", "完成")))) } @else if row.outcome == "begun" {
                        (components::badge((labels::PLAIN, view.say("begun", "已开始"))))
                    } @else if row.outcome == "held" {
                        (components::badge((labels::WARN, view.say("held", "待审批"))))
                    } @else {
                        (components::badge((labels::BAD, view.say("denied", "被拒绝")))) " " code.small { (row.outcome) }
                    }
                }
            }
        }
    }
}

fn role<'a>(view: &View, role: &'a str) -> &'a str {
    match role {
        "viewer" => view.word(ruzhi_config::Role::Viewer.label()),
        "operator" => view.word(ruzhi_config::Role::Operator.label()),
        other => other,
    }
}

/// The subject of an action, with a link to its page. A subject that did not exist has none.
fn subject_of(row: &AuditRow, subject: &str) -> Markup {
    use AuditAction as A;
    let page = match (&row.action, &row.tenant, &row.flow) {
        _ if row.outcome.ends_with(".unknown") => None,
        (A::PlanApprove | A::PlanApply | A::PlanReject | A::PlanReveal, Some(tenant), _) => {
            Some(View::address(["plans", tenant.as_str(), subject], []))
        }
        (A::RecordReveal, Some(tenant), Some(flow)) => {
            Some(View::address(["records", tenant.as_str(), flow.as_str(), subject], []))
        }
        _ => None,
    };
    html! {
        @if let Some(page) = page { a href=(page) { code { (subject) } } } @else { code { (subject) } }
    }
}

/// The words for an action; none for one that is shown by its name.
fn action(view: &View, action: &AuditAction) -> Option<&'static str> {
    Some(match action {
        AuditAction::PlanApprove => view.say("approved a plan", "批准计划"),
        AuditAction::PlanApply => view.say("applied a plan", "执行计划"),
        AuditAction::PlanReject => view.say("rejected a plan", "驳回计划"),
        AuditAction::PlanReveal => view.say("looked at numbers of a plan", "查看计划的完整号码"),
        AuditAction::RecordReveal => view.say("looked at numbers of a record", "查看记录的完整号码"),
        AuditAction::QuarantineReveal => {
            view.say("looked at numbers in quarantine", "查看待修正记录的完整号码")
        }
        AuditAction::MemberRemoval => view.say("decided about a removed member", "决定被删除成员的去留"),
        AuditAction::QuarantineRetry => view.say("tried records again", "重试待修正记录"),
        AuditAction::RulesReveal => {
            view.say("looked at numbers of a difference", "查看同步规则影响的完整号码")
        }
        AuditAction::RulesActivate => view.say("made rules live", "上线同步规则"),
        AuditAction::RulesConfirm => view.say("let rules be tried again", "允许再次试用同步规则"),
        AuditAction::RulesRollback => view.say("rolled rules back", "回退同步规则"),
        AuditAction::RunStart => view.say("asked for a run", "请求运行"),
        AuditAction::FlowPause => view.say("paused a flow", "暂停同步流"),
        AuditAction::FlowResume => view.say("resumed a flow", "恢复同步流"),
        AuditAction::SessionBegin => view.say("logged in", "登录"),
        AuditAction::Other(_) => return None,
    })
}
