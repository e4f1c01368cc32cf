//! The rules pages: live and earlier rules of every flow, the rules in the files, and the effect of other rules.

use maud::{Markup, html};

use super::layout::{Area, HtmlPage};
use super::view::View;
use super::{components, labels, time};
use ruzhi_app::{DifferenceView, FlowRulesView, OfferedRules, Offers, RulesOverview};
use ruzhi_rules::Difference;
use ruzhi_store::ActivationRow;

/// The rules of every flow.
pub(super) fn page(view: &View, told: &RulesOverview) -> HtmlPage {
    let body = html! {
        div.box {
            @if told.flows.is_empty() { (components::empty(view.say("No flow is configured yet.", "尚未配置同步流。"))) } @else {
                table.table {
                    caption.hidden { (view.say("The rules of every flow", "全部同步规则")) }
                    thead {
                        tr {
                            th scope="col" { (view.say("Flow", "同步流")) }
                            th scope="col" { (view.say("Rules", "同步规则")) }
                            th scope="col" { (view.say("Number", "编号")) }
                            th scope="col" { (view.say("Live since", "上线时间")) }
                            th scope="col" { (view.say("Files", "文件")) }
                        }
                    }
                    tbody { @for flow in &told.flows { (line(view, flow)) } }
                }
            }
        }
    };
    HtmlPage {
        under: Some(html! {
            (view.say(
                "The rules decide on each row of a form. They can be replaced without a restart, and all earlier rules can be restored.",
                "同步规则逐行判定表单数据。更换无需重启，曾上线的任何版本都可恢复。",
            ))
        }),
        ..HtmlPage::new(Area::Rules, view.say("Rules", "同步规则"), body)
    }
}

fn address(flow: &FlowRulesView) -> String {
    View::address(["rules", flow.tenant.as_str(), flow.flow.as_str()], [])
}

fn line(view: &View, flow: &FlowRulesView) -> Markup {
    html! {
        tr {
            th scope="row" { a href=(address(flow)) { bdi { (view.name(&flow.tenant)) } " " code { (flow.flow) } } }
            @match &flow.live {
                Some(live) => {
                    td data-label=(view.say("Rules", "同步规则")) { bdi { (live.activation.name) " " (live.activation.version) } }
                    td data-label=(view.say("Number", "编号")) { span { "#" (live.activation.number) " " code { (live.activation.rules.short()) } } }
                    td data-label=(view.say("Live since", "上线时间")) {
                        span { (time::at_and_ago(view, live.activation.at, view.zone(&flow.tenant))) }
                    }
                }
                None => {
                    td data-label=(view.say("Rules", "同步规则")) { span.quiet { (view.say("none before the first run", "首次运行前没有")) } }
                    td {}
                    td {}
                }
            }
            td data-label=(view.say("Files", "文件")) { div { (components::badge(labels::offers(view, flow.offered.is))) } }
        }
    }
}

/// The rules of a flow and their history.
pub(super) fn flow_page(view: &View, told: &FlowRulesView) -> HtmlPage {
    let zone = view.zone(&told.tenant);
    let body = html! {
        (offered(view, told))
        @if let Some(live) = &told.live {
            section.box aria-labelledby="live-title" {
                header { h2 #live-title { (view.say("Live", "现行同步规则")) } }
                div.body {
                    dl.facts {
                        dt { (view.say("Rules", "同步规则")) } dd { bdi { (live.activation.name) " " (live.activation.version) } }
                        dt { (view.say("Since", "始于")) } dd { (time::at_and_ago(view, live.activation.at, zone)) }
                        dt { (view.say("Number", "编号")) } dd { "#" (live.activation.number) " " (components::digest(view, &live.activation.rules)) }
                        dt { (view.say("Component", "组件摘要")) } dd { (components::digest(view, &live.activation.component)) }
                        dt { (view.say("Rules file", "规则文件摘要")) } dd { (components::digest(view, &live.activation.config)) }
                        @if !live.fields.is_empty() {
                            dt { (view.say("Reads the fields", "读取的字段")) }
                            dd { ul.counts { @for field in &live.fields { li { code { (field) } } } } }
                        }
                    }
                }
            }
        } @else {
            div.box { (components::empty(view.say("Nothing is live before the flow's first run.", "首次运行前没有现行的同步规则。"))) }
        }
        @if !told.history.is_empty() {
            section.box aria-labelledby="history-title" {
                header { h2 #history-title { (view.say("History", "历史")) } }
                table.table {
                    caption.hidden { (view.say("How rules came to be live, newest first", "同步规则上线历史，新的在前")) }
                    thead {
                        tr {
                            th scope="col" { (view.say("Number", "编号")) }
                            th scope="col" { (view.say("When", "时间")) }
                            th scope="col" { (view.say("How", "方式")) }
                            th scope="col" { (view.say("Who and why", "操作人与理由")) }
                            th scope="col" { (view.say("Rules", "同步规则")) }
                            th scope="col" { (view.say("Changed", "影响")) }
                            th scope="col" { span.hidden { (view.say("What can be done", "操作")) } }
                        }
                    }
                    tbody {
                        @for (at, row) in told.history.iter().enumerate() { (activation(view, told, row, at == 0)) }
                    }
                }
            }
        }
    };
    HtmlPage {
        crumbs: vec![("/rules".to_owned(), view.say("Rules", "同步规则").to_owned())],
        badge: Some(components::badge(labels::offers(view, told.offered.is))),
        under: Some(html! {
            a href=(View::address(["tenants", told.tenant.as_str()], [])) { bdi { (view.name(&told.tenant)) } } " " code { (told.flow) }
        }),
        ..HtmlPage::new(Area::Rules, format!("{} / {}", view.name(&told.tenant), told.flow), body)
    }
}

fn offered(view: &View, told: &FlowRulesView) -> Markup {
    let offered = &told.offered;
    let tone = match offered.is {
        Offers::Live => "ok",
        Offers::New | Offers::PassedOver => "warn",
        Offers::Unreadable => "bad",
    };
    html! {
        section.note.(tone) aria-labelledby="files-title" {
            h2 #files-title {
                @match offered.is {
                    Offers::Live => { (view.say("What runs is what the files hold", "现行同步规则与文件一致")) }
                    Offers::New => { (view.say("The files hold other rules: the next run tries them and makes them live", "文件中有新的同步规则：下一次运行会试用并上线")) }
                    Offers::PassedOver => { (view.say("The files hold other rules, and are passed over", "文件中的同步规则未被采用")) }
                    Offers::Unreadable => { (view.say("The files cannot be read: what is live goes on", "文件无法读取：现行同步规则继续生效")) }
                }
            }
            @if offered.is == Offers::PassedOver {
                p { (view.say("A person went back, or brought rules from elsewhere. What is live stays until the files change or you activate them.", "有人回退过同步规则或上线了其他同步规则；在文件变化或人工上线之前，现行同步规则保持不变。")) }
            }
            (files(view, offered))
            @if let Some(report) = &offered.failure { (components::report(view, report)) }
            @if matches!(offered.is, Offers::New | Offers::PassedOver) && told.live.is_some() {
                div.actions.row { a.button href=(difference_address(told, None)) { (view.say("See what they would change", "查看影响")) } }
            }
        }
    }
}

/// The files a flow's rules come from.
pub(super) fn files(view: &View, offered: &OfferedRules) -> Markup {
    html! {
        p.small {
            (view.say("Component", "组件")) " " code { (offered.component_file) }
            @if let Some(file) = &offered.rules_file { " · " (view.say("rules file", "规则文件")) " " code { (file) } }
        }
    }
}

fn difference_address(told: &FlowRulesView, to: Option<&str>) -> String {
    View::address(["rules", told.tenant.as_str(), told.flow.as_str(), "difference"], [("to", to)])
}

fn activation(view: &View, told: &FlowRulesView, row: &ActivationRow, latest: bool) -> Markup {
    let zone = view.zone(&told.tenant);
    let number = row.number.to_string();
    let is_live = told.live.as_ref().is_some_and(|live| live.activation.rules == row.rules);
    html! {
        tr {
            th scope="row" {
                "#" (row.number) " "
                @if latest { (components::badge((labels::OK, view.say("live", "现行")))) }
            }
            td data-label=(view.say("When", "时间")) { (time::at(view, row.at, zone)) }
            td.nowrap data-label=(view.say("How", "方式")) { (view.word(row.kind.label())) }
            td data-label=(view.say("Who and why", "操作人与理由")) {
                div { bdi { (row.who) } @if let Some(why) = &row.why { p.small.quiet { bdi { (why) } } } }
            }
            td data-label=(view.say("Rules", "同步规则")) {
                div { bdi { (row.name) " " (row.version) } " " code.small title=(row.rules.as_str()) { (row.rules.short()) } }
            }
            td.nowrap data-label=(view.say("Changed", "影响")) {
                span {
                    (view.tell(
                        format!("{} of {}", components::number(row.changed), components::number(row.compared)),
                        format!("{} / {}", components::number(row.changed), components::number(row.compared)),
                    ))
                    @if row.approved { " · " (view.say("approved", "经批准")) }
                }
            }
            td {
                @if !is_live {
                    div.actions.row {
                        a href=(difference_address(told, Some(&number))) {
                            (view.say("Compare", "比较")) span.hidden { " #" (row.number) }
                        }
                        @if view.operates() { (rollback(view, told, row)) }
                    }
                }
            }
        }
    }
}

fn rollback(view: &View, told: &FlowRulesView, row: &ActivationRow) -> Markup {
    let action = View::address(["rules", told.tenant.as_str(), told.flow.as_str(), "rollback"], []);
    html! {
        details {
            summary.button {
                (view.say("Roll back…", "回退…")) span.hidden { " #" (row.number) }
            }
            form.steps method="post" action=(action) {
                (components::csrf(view))
                input type="hidden" name="to" value=(row.number);
                p { (view.tell(
                    format!("Rules #{} decide from the next run on. The files are passed over until they change.", row.number),
                    format!("下一次运行起由同步规则 #{} 判定；在文件变化之前不采用文件中的同步规则。", row.number),
                )) }
                (components::reason(view, &format!("why-{}", row.number), "why", true))
                button.primary type="submit" { (view.tell(format!("Roll back to #{}", row.number), format!("回退到 #{}", row.number))) }
            }
        }
    }
}

/// The effect of other rules, and the form that makes them live.
pub(super) fn difference_page(
    view: &View,
    flow: &FlowRulesView,
    told: &DifferenceView,
    to: Option<&str>,
) -> HtmlPage {
    let trial = &told.trial;
    let reveal = View::address(
        ["rules", flow.tenant.as_str(), flow.flow.as_str(), "difference", "reveal"],
        [("to", to)],
    );
    let body = html! {
        @if told.revealed { (super::plan::revealed(view)) }
        dl.tally {
            div { dt { (view.say("records tried", "试用记录")) } dd { (components::number(trial.compared)) } }
            div.(if trial.changed > 0 { "warn" } else { "" }) { dt { (view.say("people treated differently", "处理不同的人")) } dd { (components::number(trial.changed)) } }
            div { dt { (view.say("only worded differently", "仅措辞不同")) } dd { (components::number(trial.reworded)) } }
            div.(if trial.failed > 0 { "bad" } else { "" }) { dt { (view.say("no longer decided", "不再能判定")) } dd { (components::number(trial.failed)) } }
        }
        @if let Some(failure) = &trial.failure {
            div.note.bad {
                p { strong { (view.say("The other rules cannot decide every record, so they will not go live.", "这些同步规则不能判定所有记录，因此不会上线。")) } }
                p.small { bdi { (failure) } }
            }
        }
        @if !trial.unread.is_empty() {
            div.note.warn {
                p { (view.say("They read fields that the stored rows do not hold:", "这些同步规则读取已存数据中没有的字段：")) }
                ul.counts { @for field in &trial.unread { li { code { (field) } } } }
            }
        }
        @if to.is_none() && view.operates() && trial.failure.is_none() { (activate(view, flow, told)) }
        section.box aria-labelledby="people-title" {
            header {
                h2 #people-title { (view.say("Records decided differently", "判定不同的记录")) }
                @if !told.revealed && !told.differences.is_empty() { (super::plan::show_in_full(view, &reveal)) }
            }
            @if told.differences.is_empty() { p.empty.good { (view.say("✓ None.", "✓ 没有。")) } }
            @for difference in &told.differences { (changed(view, difference)) }
            @if told.more { p.empty { (view.say("There are more; the first 200 are shown.", "还有更多，仅显示前 200 条。")) } }
        }
        section.box aria-labelledby="lines-title" {
            header { h2 #lines-title { (view.say("The rules file", "规则文件")) } }
            @if told.rules_file.is_empty() { (components::empty(view.say("It is the same.", "没有变化。"))) } @else {
                pre.lines tabindex="0" aria-labelledby="lines-title" {
                    @for line in told.rules_file.lines() {
                        @let class = match line.as_bytes().first() {
                            Some(b'-') => "gone",
                            Some(b'+') => "come",
                            Some(b'@') => "skipped",
                            _ => "same",
                        };
                        span.(class) dir="auto" lang="zxx" { (line) }
                    }
                }
            }
        }
    };
    HtmlPage {
        crumbs: vec![
            ("/rules".to_owned(), view.say("Rules", "同步规则").to_owned()),
            (address(flow), format!("{} / {}", view.name(&flow.tenant), flow.flow)),
        ],
        under: Some(html! {
            (view.say("live", "现行")) " #" (told.live.number) " " code { (told.live.rules.short()) } " → "
            @match to {
                Some(to) => { code { (to) } " " }
                None => { (view.say("the files", "文件")) " " }
            }
            code { (told.rules.short()) }
        }),
        ..HtmlPage::new(Area::Rules, view.say("What other rules would change", "其他同步规则的影响"), body)
    }
}

fn activate(view: &View, flow: &FlowRulesView, told: &DifferenceView) -> Markup {
    let action = View::address(["rules", flow.tenant.as_str(), flow.flow.as_str(), "activate"], []);
    let changed = components::number(told.trial.changed);
    html! {
        div.actions.row {
            details {
                summary.button.primary { (view.say("Make these rules live…", "上线这些同步规则…")) }
                form.steps method="post" action=(action) {
                    (components::csrf(view))
                    input type="hidden" name="rules" value=(told.rules.as_str());
                    (components::reason(view, "activate-why", "why", true))
                    @if told.needs_approval {
                        div.check {
                            input #activate-approved type="checkbox" name="approved" value="1" required;
                            label for="activate-approved" {
                                (view.tell(
                                    format!("{changed} people are treated differently. That is more than the flow's limit, and it is right."),
                                    format!("将有 {changed} 人的处理不同，超过同步流的限额，确认无误。"),
                                ))
                            }
                        }
                    }
                    button.primary type="submit" { (view.say("Make live", "上线")) }
                }
            }
        }
    }
}

fn changed(view: &View, difference: &Difference) -> Markup {
    html! {
        article.change {
            div.stack {
                (components::badge(labels::verdict(view, difference.before)))
                @if difference.before != difference.after {
                    span.quiet.small { "→" }
                    (components::badge(labels::verdict(view, difference.after)))
                }
            }
            div.stack {
                div.row {
                    @if let Some(name) = &difference.name { strong { bdi { (name) } } }
                    @if let Some(userid) = &difference.userid { code { (userid) } }
                    span.quiet.small { (view.say("record", "记录")) " " code { (difference.record) } }
                }
                dl.fields {
                    @for field in &difference.fields {
                        div {
                            dt { code { (field.field) } }
                            dd {
                                del { span.hidden { (view.say("before:", "原为：")) " " } bdi { (components::value(view, &field.before)) } }
                                " " span aria-hidden="true" { "→" } " "
                                ins { span.hidden { (view.say("after:", "改为：")) " " } bdi { (components::value(view, &field.after)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
