//! The record page, one person's path from the form to the directory: the row, the decision and the guest that made it,
//! the operations, and every call with WeCom's answer.

use maud::{Markup, html};

use super::layout::{Area, HtmlPage};
use super::plan::{answer, fields, revealed, show_in_full};
use super::quarantine::{reasons, removal, row};
use super::view::View;
use super::{components, labels, time};
use ruzhi_app::{OperationView, RecordView};
use ruzhi_model::{MemberState, OperationState};
use ruzhi_rules::DecisionKind;
use ruzhi_store::AttemptRow;

/// A record's trace.
pub(super) fn page(view: &View, told: &RecordView) -> HtmlPage {
    let zone = view.zone(&told.tenant);
    let reveal = View::address(
        ["records", told.tenant.as_str(), told.flow.as_str(), told.record.as_str(), "reveal"],
        [],
    );
    let body = html! {
        @if told.revealed { (revealed(view)) }
        @if let Some(rejection) = &told.rejection {
            section.note.bad aria-labelledby="quarantine-title" {
                h2 #quarantine-title { (view.say("In quarantine", "待修正")) }
                (reasons(view, rejection))
            }
        }
        @if let Some(removed) = &told.removal {
            section.note aria-labelledby="removal-title" {
                h2 #removal-title { (view.say("Removed by hand", "被手工删除")) }
                (removal(view, removed))
            }
        }
        section.section aria-labelledby="way-title" {
            h2 #way-title { (view.say("What happened", "经过")) }
            ol.way {
                li.ok {
                    div {
                        (step(view.say("Row read from the form", "读取表单数据"), time::exact(told.fetched_at, zone), html! {
                            (view.say("by run", "运行")) " " a href=(View::address(["runs", told.fetched_run.as_str()], [])) { code { (told.fetched_run) } }
                        }))
                        div.box { div.body { (row(view, &told.row, 12)) } }
                    }
                }
                li.(if matches!(told.decision.verdict, DecisionKind::Reject | DecisionKind::Failed) { "bad" } else { "ok" }) {
                    div { (decision(view, told, zone)) }
                }
                @for operation in &told.operations { (operated(view, operation, zone)) }
                @if told.operations.is_empty() {
                    li { div { p.quiet { (view.say("Nothing was planned for it.", "没有相关的操作。")) } } }
                }
                @for member in &told.members {
                    li.ok {
                        div {
                            p {
                                (view.say("Member", "成员")) " " code { (member.userid) } " "
                                (components::badge((if member.state == "active" { labels::OK } else { labels::PLAIN }, member_state(view, &member.state))))
                            }
                        }
                    }
                }
            }
        }
    };
    HtmlPage {
        crumbs: vec![
            (View::address(["tenants", told.tenant.as_str()], []), view.name(&told.tenant).to_owned()),
            (
                View::address(
                    ["quarantine"],
                    [("tenant", Some(told.tenant.as_str())), ("flow", Some(told.flow.as_str()))],
                ),
                view.say("Quarantine", "待修正").to_owned(),
            ),
        ],
        badge: Some(components::badge(labels::verdict(view, told.decision.verdict))),
        under: Some(html! { bdi { (view.name(&told.tenant)) } " " code { (told.flow) } }),
        actions: (!told.revealed).then(|| show_in_full(view, &reveal)),
        ..HtmlPage::new(
            Area::Quarantine,
            view.tell(format!("Record {}", told.record), format!("记录 {}", told.record)),
            body,
        )
    }
}

fn step(word: &str, at: Markup, beside: Markup) -> Markup {
    html! { div.row { h3 { (word) } span.quiet.small { (at) } span.small { (beside) } } }
}

fn decision(view: &View, told: &RecordView, zone: chrono_tz::Tz) -> Markup {
    let decision = &told.decision;
    html! {
        (step(view.say("Decided", "判定"), time::exact(told.decided_at, zone), components::badge(labels::verdict(view, decision.verdict))))
        div.box {
            div.body {
                dl.facts {
                    dt { (view.say("Rules", "同步规则")) }
                    dd {
                        @if let Some(name) = &told.guest.name {
                            bdi { (name) @if let Some(version) = &told.guest.version { " " (version) } } " "
                        }
                        @if let Some(number) = told.guest.number {
                            a href=(View::address(["rules", told.tenant.as_str(), told.flow.as_str()], [])) { "#" (number) } " "
                        }
                        (components::digest(view, &told.guest.rules))
                    }
                    @if let Some(component) = &told.guest.component {
                        dt { (view.say("Component", "组件摘要")) } dd { (components::digest(view, component)) }
                    }
                    @if let Some(userid) = &decision.userid { dt { (view.say("Account", "账号")) } dd { code { (userid) } } }
                    @if let Some(reason) = &decision.reason { dt { (view.say("Why", "原因")) } dd { bdi { (labels::half(view, reason)) } } }
                    @if let Some(until) = told.holds_until {
                        dt { (view.say("Holds until", "有效至")) } dd { (time::exact(until, zone)) }
                    }
                    @if let Some(known) = &told.told { dt { (view.say("Decided as of", "判定时刻")) } dd { code { (known) } } }
                }
                @if !told.notes.is_empty() {
                    div {
                        p.label { (view.say("Its remarks", "同步规则的备注")) }
                        ul { @for note in &told.notes { li { bdi { (labels::half(view, note)) } } } }
                    }
                }
                @if !decision.member.is_empty() {
                    div { p.label { (view.say("The member as the rules want them", "同步规则要求的成员信息")) } (fields(view, &decision.member)) }
                }
            }
        }
    }
}

fn operated(view: &View, operation: &OperationView, zone: chrono_tz::Tz) -> Markup {
    let tone = match operation.state {
        OperationState::Done => "ok",
        OperationState::Rejected | OperationState::Failed => "bad",
        OperationState::Lost => "warn",
        OperationState::Planned | OperationState::Sending => "",
    };
    html! {
        li.(tone) {
            div {
                div.row {
                    h3 { (components::sign(view, operation.kind)) }
                    (components::badge(labels::operation_state(view, operation.state)))
                    span.quiet.small { (time::exact(operation.planned_at, zone)) }
                    span.small { (view.say("plan", "计划")) " " code { (operation.plan) } }
                }
                (fields(view, &operation.fields))
                @if let Some(errcode) = operation.errcode.filter(|code| *code != 0) { (answer(view, errcode, operation.errmsg.as_deref())) }
                @if !operation.attempts.is_empty() { (attempts(view, &operation.attempts, zone)) }
            }
        }
    }
}

fn attempts(view: &View, attempts: &[AttemptRow], zone: chrono_tz::Tz) -> Markup {
    html! {
        div.box {
            table.table {
                caption.hidden { (view.say("Calls made for it", "接口调用")) }
                thead {
                    tr {
                        th scope="col" { (view.say("Call", "接口")) }
                        th scope="col" { (view.say("When", "时间")) }
                        th.number scope="col" { (view.say("Took", "用时")) }
                        th scope="col" { (view.say("WeCom's answer", "企业微信返回")) }
                    }
                }
                tbody {
                    @for attempt in attempts {
                        tr {
                            th scope="row" { code { (attempt.api) } }
                            td data-label=(view.say("When", "时间")) { (time::exact(attempt.at, zone)) }
                            td.number data-label=(view.say("Took", "用时")) { (components::number(attempt.took_ms.unsigned_abs())) " ms" }
                            td data-label=(view.say("WeCom's answer", "企业微信返回")) { div {
                                @match attempt.errcode {
                                    Some(0) => { (components::badge((labels::OK, "0"))) }
                                    Some(code) => {
                                        (components::badge((labels::BAD, &code.to_string()))) " "
                                        bdi { (ruzhi_wecom::meaning(code).means().in_lang(view.lang())) }
                                    }
                                    None => { (components::badge((labels::WARN, view.say("no answer", "无应答")))) }
                                }
                                " " bdi.quiet.small { (attempt.errmsg) }
                            } }
                        }
                    }
                }
            }
        }
    }
}

fn member_state<'a>(view: &View, state: &'a str) -> &'a str {
    MemberState::of_word(state).map_or(state, |state| view.word(state.label()))
}
