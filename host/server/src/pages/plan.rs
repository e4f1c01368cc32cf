//! The plan page: why a plan is held, the changes to each person, and the decision about it.

use maud::{Markup, html};

use super::layout::{Area, HtmlPage};
use super::view::View;
use super::{components, labels, time};
use ruzhi_app::{FieldChange, OperationView, PlanQuery, PlanView};
use ruzhi_model::{OperationKind, OperationState, UniqueField};
use ruzhi_plan::PurposeKind;
use ruzhi_store::PlanState;

/// A plan and a page of its operations.
pub(super) fn page(view: &View, plan: &PlanView, asked: &PlanQuery) -> HtmlPage {
    let zone = view.zone(&plan.tenant);
    let here = |cursor: Option<&str>, kind: Option<OperationKind>| {
        View::address(
            ["plans", plan.tenant.as_str(), plan.id.as_str()],
            [("kind", kind.map(OperationKind::as_str)), ("cursor", cursor)],
        )
    };
    let next = plan.next_cursor.map(|next| next.to_string());
    let body = html! {
        (guard(view, plan))
        @if let Some(reason) = &plan.reason {
            div.note { p { (view.say("Rejected:", "驳回理由：")) " " bdi { (reason) } } }
        }
        @if let Some(undecided) = &plan.undecided {
            div.note.warn {
                p { strong { (view.say("Some records could not be decided, and are left as they are.", "部分记录未能判定，保持原样。")) } }
                p.small { bdi { (undecided) } }
            }
        }
        (components::tally(view, &plan.counts))
        (decide(view, plan))
        section.box aria-labelledby="operations-title" {
            header {
                h2 #operations-title {
                    (view.tell(format!("{} operations", components::number(plan.operations)), format!("{} 个操作", components::number(plan.operations))))
                }
                (reveal(view, plan, asked))
            }
            @if plan.revealed { (revealed(view)) }
            (kinds(view, plan, asked, &|kind| here(None, kind)))
            @if plan.items.is_empty() {
                (components::empty(view.say("Nothing is to be done.", "没有需要执行的操作。")))
            }
            @for group in plan.items.chunk_by(|one, other| one.kind == other.kind) {
                @if let Some(first) = group.first() {
                    @let (_, _, word) = labels::operation(view, first.kind);
                    h3.hidden { (word) }
                    @for operation in group { (change(view, plan, operation)) }
                }
            }
            (components::pager(view, asked.cursor.map(|_| here(None, asked.kind)), next.as_deref().map(|next| here(Some(next), asked.kind))))
        }
        section.box aria-labelledby="facts-title" {
            header { h2 #facts-title { (view.say("About this plan", "关于此计划")) } }
            div.body {
                dl.facts {
                    dt { (view.say("Flow", "同步流")) } dd { (components::flow(view, &plan.tenant, &plan.flow)) }
                    dt { (view.say("For", "用途")) } dd { (purpose(view, plan)) }
                    dt { (view.say("Made", "生成时间")) } dd { (time::at_and_ago(view, plan.made_at, zone)) }
                    dt { (view.say("By run", "所属运行")) } dd { a href=(View::address(["runs", plan.run.as_str()], [])) { code { (plan.run) } } }
                    dt { (view.say("Members owned", "所管成员")) } dd { (components::number(plan.owned)) }
                    dt { (view.say("Hash", "哈希")) } dd { (components::digest(view, &plan.hash)) }
                }
            }
        }
    };
    HtmlPage {
        badge: Some(components::badge(labels::plan_state(view, plan.state))),
        crumbs: vec![
            ("/".to_owned(), view.say("Overview", "概览").to_owned()),
            (View::address(["tenants", plan.tenant.as_str()], []), view.name(&plan.tenant).to_owned()),
        ],
        under: Some(html! {
            bdi { (view.name(&plan.tenant)) } " " code { (plan.flow) } " · " (time::at_and_ago(view, plan.made_at, zone))
        }),
        ..HtmlPage::new(
            Area::Overview,
            view.tell(format!("Plan {}", plan.id), format!("计划 {}", plan.id)),
            body,
        )
    }
}

fn guard(view: &View, plan: &PlanView) -> Markup {
    let waits = plan.state == PlanState::Held;
    html! {
        @if plan.guard.is_empty() {
            @if waits || plan.state == PlanState::Planned {
                div.note.ok { p { (view.say("The guard lets this plan pass.", "未超出审批限额，无需审批。")) } }
            }
        } @else {
            section.note.(if waits { "warn" } else { "" }) aria-labelledby="guard-title" {
                h2 #guard-title {
                    @if waits { (view.say("Held by the guard: nothing is written until a person decides", "待审批：批准之前不会写入")) }
                    @else { (view.say("What the guard held it for", "当时需要审批的原因")) }
                }
                ul {
                    @for reason in &plan.guard {
                        li {
                            bdi { (reason.text.in_lang(view.lang())) } " "
                            span.quiet.small { code { (reason.limit) } " = " (components::number(reason.allowed)) }
                        }
                    }
                }
                @if waits {
                    p {
                        (view.say(
                            "Is that what really happened? If a filter slipped or the form was emptied by mistake, reject the plan and mend it there.",
                            "情况是否属实？若是筛选条件有误或表单被误清空，请驳回此计划并先行修正。",
                        ))
                    }
                }
            }
        }
    }
}

/// The number of people a plan changes, by kind, in words.
fn people(view: &View, plan: &PlanView) -> String {
    let counts = &plan.counts;
    let parts = [
        (view.say("created", "新增"), counts.created),
        (view.say("changed", "更新"), counts.updated),
        (view.say("disabled", "停用"), counts.disabled),
        (view.say("enabled", "启用"), counts.enabled),
        (view.say("deleted", "删除"), counts.deleted),
        (view.say("taken over", "接管"), counts.adopted),
        (view.say("let stand", "保留"), counts.kept),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| {
            view.tell(
                format!("{} {word}", components::number(*count)),
                format!("{word} {}", components::number(*count)),
            )
        })
        .collect();
    parts.join(view.say(", ", "，"))
}

fn decide(view: &View, plan: &PlanView) -> Markup {
    let action = |what: &str| View::address(["plans", plan.tenant.as_str(), plan.id.as_str(), what], []);
    let may = plan.may;
    let (count, people) = (components::number(plan.operations), people(view, plan));
    html! {
        @if view.operates() && (may.approve || may.apply || may.reject) {
            section.section aria-labelledby="decide-title" {
                h2 #decide-title { (view.say("Your decision", "您的决定")) }
                div.actions.row {
                    @if may.approve {
                        details {
                            summary.button.primary { (view.say("Approve…", "批准…")) }
                            form.steps method="post" action=(action("approve")) {
                                (components::csrf(view))
                                @if plan.state == PlanState::Rejected {
                                    input type="hidden" name="after_rejection" value="true";
                                }
                                p {
                                    strong {
                                        (view.tell(
                                            format!("{count} people are written to WeCom: {people}."),
                                            format!("将向企业微信写入 {count} 人：{people}。"),
                                        ))
                                    }
                                }
                                p.quiet {
                                    (view.say(
                                        "Exactly this plan is applied. If the form, the rules or the ledger changed since, it is refused and made anew.",
                                        "只执行这份计划；若表单、规则或台账已变化，则拒绝执行并重新生成。",
                                    ))
                                }
                                (components::reason(view, "approve-why", "why", true))
                                div.check {
                                    input #approve-sure type="checkbox" required;
                                    label for="approve-sure" {
                                        (view.tell(
                                            format!("I have looked at the plan, and these {count} people are right."),
                                            format!("我已查看计划，确认这 {count} 人无误。"),
                                        ))
                                    }
                                }
                                button.primary type="submit" {
                                    (view.tell(format!("Approve and apply to {count} people"), format!("批准并执行（{count} 人）")))
                                }
                            }
                        }
                    }
                    @if may.apply {
                        (components::deed(view, &action("apply"), "primary", view.say("Apply", "执行"), Some(&view.tell(
                            format!("{count} people are written to WeCom: {people}."),
                            format!("将向企业微信写入 {count} 人：{people}。"),
                        ))))
                    }
                    @if may.reject {
                        details {
                            summary.button.danger { (view.say("Reject…", "驳回…")) }
                            form.steps method="post" action=(action("reject")) {
                                (components::csrf(view))
                                p { (view.say("Nothing of it is written. The next run plans again.", "不会写入任何内容，下一次运行会重新计划。")) }
                                (components::reason(view, "reject-reason", "reason", true))
                                button.danger type="submit" { (view.say("Reject the plan", "驳回此计划")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn reveal(view: &View, plan: &PlanView, asked: &PlanQuery) -> Markup {
    let cursor = asked.cursor.map(|cursor| cursor.to_string());
    let action = View::address(
        ["plans", plan.tenant.as_str(), plan.id.as_str(), "reveal"],
        [("kind", asked.kind.map(OperationKind::as_str)), ("cursor", cursor.as_deref())],
    );
    html! { @if !plan.revealed { (show_in_full(view, &action)) } }
}

/// The button that shows numbers and addresses; each use is recorded.
pub(super) fn show_in_full(view: &View, action: &str) -> Markup {
    html! {
        @if view.operates() {
            (components::deed(view, action, "", view.say("Show numbers", "显示完整号码"), Some(view.say(
                "Numbers and addresses of these people are shown in full. That you looked is written to the audit log.",
                "将完整显示这些人的号码与地址，您的查看会记入审计日志。",
            ))))
        }
    }
}

/// The notice that the look was recorded.
pub(super) fn revealed(view: &View) -> Markup {
    html! {
        p.note.warn role="status" {
            (view.say(
                "Numbers and addresses are shown in full. That you looked is in the audit log.",
                "号码与地址已完整显示，您的查看已记入审计日志。",
            ))
        }
    }
}

const KINDS: [OperationKind; 7] = [
    OperationKind::Create,
    OperationKind::Update,
    OperationKind::Disable,
    OperationKind::Enable,
    OperationKind::Delete,
    OperationKind::Adopt,
    OperationKind::Keep,
];

fn kinds(
    view: &View,
    plan: &PlanView,
    asked: &PlanQuery,
    here: &dyn Fn(Option<OperationKind>) -> String,
) -> Markup {
    let count = |kind: OperationKind| match kind {
        OperationKind::Create => plan.counts.created,
        OperationKind::Update => plan.counts.updated,
        OperationKind::Disable => plan.counts.disabled,
        OperationKind::Enable => plan.counts.enabled,
        OperationKind::Delete => plan.counts.deleted,
        OperationKind::Adopt => plan.counts.adopted,
        OperationKind::Keep => plan.counts.kept,
    };
    let there: Vec<OperationKind> = KINDS.into_iter().filter(|kind| count(*kind) > 0).collect();
    html! {
        @if there.len() > 1 || asked.kind.is_some() {
            nav.tabs aria-label=(view.say("Kinds of operations", "操作类型")) {
                a href=(here(None)) aria-current=[asked.kind.is_none().then_some("page")] { (view.say("all", "全部")) }
                @for kind in there {
                    a href=(here(Some(kind))) aria-current=[(asked.kind == Some(kind)).then_some("page")] {
                        (labels::operation(view, kind).2) " " span.quiet { (components::number(count(kind))) }
                    }
                }
            }
        }
    }
}

fn change(view: &View, plan: &PlanView, operation: &OperationView) -> Markup {
    html! {
        article.change {
            div { (components::sign(view, operation.kind)) }
            div.stack {
                div.row.between {
                    div.row {
                        strong { bdi { (operation.name) } }
                        code { (operation.userid) }
                        span.quiet.small { (view.say("record", "记录")) " " (components::record(&plan.tenant, &operation.flow, &operation.record)) }
                    }
                    @if operation.state != OperationState::Planned { (components::badge(labels::operation_state(view, operation.state))) }
                }
                @if let Some(from) = &operation.moved_from { p.small { (view.say("moves here from", "转自")) " " code { (from) } } }
                @match operation.parks {
                    Some(UniqueField::Mobile) => { p.small { (view.say("Gives the mobile number up first, for another member who takes it; the rest follows in the same run.", "先清空手机号，供另一成员使用；其余随后在同一次运行中写入。")) } }
                    Some(UniqueField::Email | UniqueField::BizMail) => { p.small { (view.say("Gives the mail address up first, for another member who takes it; the rest follows in the same run.", "先清空邮箱，供另一成员使用；其余随后在同一次运行中写入。")) } }
                    None => {}
                }
                @for note in &operation.notes { p.small { bdi { (note.in_lang(view.lang())) } } }
                @if operation.left { p.small { (view.say("Has left: the time until deletion begins.", "已离职：开始计算删除宽限期。")) } }
                (fields(view, &operation.fields))
                @if let Some(errcode) = operation.errcode.filter(|code| *code != 0) { (answer(view, errcode, operation.errmsg.as_deref())) }
            }
        }
    }
}

/// Fields, each with its value before and after.
pub(super) fn fields(view: &View, fields: &[FieldChange]) -> Markup {
    html! {
        @if !fields.is_empty() {
            dl.fields {
                @for field in fields {
                    div {
                        dt { bdi title=(field.field) { (field.label.in_lang(view.lang())) } }
                        dd {
                            @if !field.before.is_null() {
                                del { span.hidden { (view.say("before:", "原为：")) " " } bdi { (components::value(view, &field.before)) } }
                                " " span aria-hidden="true" { "→" } " "
                            }
                            ins { span.hidden { (view.say("after:", "改为：")) " " } bdi { (components::value(view, &field.after)) } }
                        }
                    }
                }
            }
        }
    }
}

/// The meaning of WeCom's error code, and advice.
pub(super) fn answer(view: &View, errcode: i64, errmsg: Option<&str>) -> Markup {
    let meaning = ruzhi_wecom::meaning(errcode);
    html! {
        p.small {
            code { (errcode) } " " bdi { (meaning.means().in_lang(view.lang())) } " "
            bdi.quiet { (meaning.advice().in_lang(view.lang())) }
        }
        @if let Some(errmsg) = errmsg { p.quiet.small { (view.say("WeCom said:", "企业微信返回：")) " " bdi { (errmsg) } } }
    }
}

fn purpose(view: &View, plan: &PlanView) -> Markup {
    html! {
        @match plan.purpose {
            PurposeKind::Sync => { (view.say("keep the directory in step with the form", "使通讯录与表单一致")) }
            PurposeKind::Adopt => { (view.say("take over members", "接管已有成员")) }
            PurposeKind::Revert => {
                (view.say("undo run", "撤销运行")) " "
                @if let Some(run) = &plan.undoes { a href=(View::address(["runs", run.as_str()], [])) { code { (run) } } }
            }
            PurposeKind::Drift => { (view.say("settle what was changed by hand", "处理手工改动")) }
        }
        @if plan.retry { ", " (view.say("quarantined records are tried again", "并重试待修正的记录")) }
    }
}
