//! The quarantine page: rejected records, the reasons, and the actions.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::layout::{Area, HtmlPage};
use super::plan::{revealed, show_in_full};
use super::view::View;
use super::{components, time};
use ruzhi_app::{ActionReason, QuarantineQuery, QuarantineView, RejectView, RemovalView, RowField};
use ruzhi_model::{FlowId, RemovalAnswer, TenantId};

/// The matching records.
pub(super) fn page(view: &View, told: &QuarantineView, asked: &QuarantineQuery) -> HtmlPage {
    let cursor = asked.cursor.as_ref().map(ToString::to_string);
    let address = |page: &[&str], rule: Option<&str>, cursor: Option<&str>| {
        View::address(
            page.iter().copied(),
            [
                ("tenant", asked.tenant.as_ref().map(TenantId::as_str)),
                ("flow", asked.flow.as_ref().map(FlowId::as_str)),
                ("rule", rule),
                ("search", asked.search.as_deref()),
                ("cursor", cursor),
            ],
        )
    };
    let rule = asked.rule.as_deref();
    let filtered = asked.tenant.is_some() || asked.flow.is_some() || rule.is_some() || asked.search.is_some();
    let body = html! {
        form.filters method="get" action="/quarantine" role="search" {
            div.field.wide {
                label for="search" { (view.say("Search", "搜索")) }
                input #search name="search" type="search" value=[asked.search.as_deref()] autocomplete="off"
                    placeholder=(view.say("name, record, account, message", "姓名、记录、账号、问题"));
            }
            (components::tenant_field(view, asked.tenant.as_ref()))
            (components::flow_field(view, asked.flow.as_ref()))
            div.field {
                label for="rule" { (view.say("Rule", "规则")) }
                select #rule name="rule" {
                    option value="" { (view.say("all", "全部")) }
                    @for group in &told.by_rule {
                        option value=(group.rule) selected[Some(group.rule.as_str()) == rule] lang="zxx" {
                            (group.rule) " (" (components::number(group.records)) ")"
                        }
                    }
                    @if let Some(rule) = rule.filter(|rule| !told.by_rule.iter().any(|group| group.rule == *rule)) {
                        option value=(rule) selected lang="zxx" { (rule) }
                    }
                }
            }
            button type="submit" { (view.say("Search", "搜索")) }
        }
        @if told.revealed { (revealed(view)) }
        div.row.between {
            p role="status" {
                (view.tell(
                    format!("{} records wait to be corrected.", components::number(told.total)),
                    format!("{} 条记录待修正。", components::number(told.total)),
                ))
                @if filtered { " " a href="/quarantine" { (view.say("Show all", "显示全部")) } }
            }
            div.actions.row {
                a.button href=(address(&["quarantine.csv"], rule, None)) download="quarantine.csv" { (view.say("Export CSV", "导出 CSV")) }
                @if !told.revealed && !told.page.items.is_empty() {
                    (show_in_full(view, &address(&["quarantine", "reveal"], rule, cursor.as_deref())))
                }
                (retry(view, &told.page.items))
            }
        }
        div.box {
            @if told.page.items.is_empty() {
                @if filtered { (components::empty(view.say("No record fits.", "没有符合条件的记录。"))) } @else {
                    p.empty.good { (view.say("✓ Nothing is in quarantine.", "✓ 没有待修正的记录。")) }
                }
            } @else {
                (table(view, &told.page.items))
                (components::pager(
                    view,
                    asked.cursor.as_ref().map(|_| address(&["quarantine"], rule, None)),
                    told.page.next_cursor.as_deref().map(|next| address(&["quarantine"], rule, Some(next))),
                ))
            }
        }
    };
    HtmlPage {
        under: Some(html! {
            (view.say(
                "Nothing is written for these people until the condition each record waits for is met. If only the direct leader is missing, the person is already in WeCom.",
                "各条记录等待的条件满足之前，不会写入这些人；仅缺直属上级的人已在企业微信中。",
            ))
        }),
        ..HtmlPage::new(Area::Quarantine, view.say("Quarantine", "待修正"), body)
    }
}

/// Buttons that retry the records of each flow on the page.
fn retry(view: &View, items: &[RejectView]) -> Markup {
    let flows: BTreeSet<_> = items.iter().map(|item| (&item.tenant, &item.flow)).collect();
    let action = |tenant: &TenantId, flow: &FlowId| {
        View::address(["flows", tenant.as_str(), flow.as_str(), "retry"], [])
    };
    html! {
        @if view.operates() && !flows.is_empty() {
            details {
                summary.button { (view.say("Try again…", "重试…")) }
                div.steps {
                    p { (view.say("The whole form is read, and every record decided again. It is rarely needed: a row that is corrected is tried again by itself.", "将读取整个表单并重新判定每条记录。通常不必如此：修正后的数据会自动重试。")) }
                    @for (tenant, flow) in flows {
                        form method="post" action=(action(tenant, flow)) {
                            (components::csrf(view))
                            button type="submit" { bdi { (view.name(tenant)) } code { (flow) } }
                        }
                    }
                }
            }
        }
    }
}

fn table(view: &View, items: &[RejectView]) -> Markup {
    html! {
        table.table {
            caption.hidden { (view.say("Records in quarantine", "待修正的记录")) }
            thead {
                tr {
                    th scope="col" { (view.say("Record", "记录")) }
                    th scope="col" { (view.say("What is wrong", "问题")) }
                    th scope="col" { (view.say("The row", "表单数据")) }
                    th scope="col" { (view.say("Since", "始于")) }
                }
            }
            tbody { @for item in items { (line(view, item)) } }
        }
    }
}

fn line(view: &View, item: &RejectView) -> Markup {
    let zone = view.zone(&item.tenant);
    html! {
        tr {
            th scope="row" {
                div.stack {
                    span { (components::record(&item.tenant, &item.flow, &item.record)) }
                    span.small.quiet { bdi { (view.name(&item.tenant)) } " " code { (item.flow) } }
                }
            }
            td data-label=(view.say("What is wrong", "问题")) {
                (reasons(view, item))
                @if let Some(removed) = &item.removal { (removal(view, removed)) }
            }
            td data-label=(view.say("The row", "表单数据")) { (row(view, &item.row, SHOWN)) }
            td data-label=(view.say("Since", "始于")) {
                div.stack {
                    span { (time::at(view, item.first_seen, zone)) }
                    span.quiet.small { (time::ago(view, item.first_seen)) }
                }
            }
        }
    }
}

/// Number of fields of a row that are enough to recognise the person.
const SHOWN: usize = 4;

/// The reasons a record is in quarantine, field by field.
pub(super) fn reasons(view: &View, item: &RejectView) -> Markup {
    html! {
        div.stack {
            @for violation in &item.violations {
                p {
                    strong { bdi title=(violation.field) { (violation.label) } } ": "
                    bdi { (violation.message.in_lang(view.lang())) } " "
                    code.quiet { (violation.rule) }
                }
            }
            p.small.quiet {
                (view.tell(format!("rejected by {}", view.word(item.by.label())), format!("由{}拒绝", view.word(item.by.label()))))
                @if let Some(errcode) = item.errcode { " · " code { (errcode) } }
            }
            p.small {
                (item.waits.in_lang(view.lang()))
                @if let Some(at) = item.retry_at {
                    " · " (view.say("next try", "下次重试时间")) " " (time::at(view, at, view.zone(&item.tenant)))
                }
            }
        }
    }
}

/// The decision about a member who was removed by hand, and the form to make it.
pub(super) fn removal(view: &View, removal: &RemovalView) -> Markup {
    let action = View::address(["members", removal.tenant.as_str(), removal.userid.as_str(), "removal"], []);
    let field = format!("reason-{}-{}", removal.tenant, removal.userid);
    html! {
        div.stack {
            p.small {
                (view.say("Removed from WeCom by hand:", "在企业微信中被手工删除：")) " " code { (removal.userid) } " "
                bdi { (removal.name) }
                @if let Some(at) = removal.found_at { " · " (time::at(view, at, view.zone(&removal.tenant))) }
                @if removal.unsure { " · " (view.say("seen once, and being looked at again", "仅发现一次，正在复核")) }
            }
            @if let Some(answer) = removal.answer {
                p.small {
                    strong { (view.word(answer.label())) } " · "
                    (view.say("decided; the next run carries it out", "已决定，由下一次运行执行"))
                }
            }
            @if view.operates() {
                details {
                    summary.button { (view.say("Decide…", "决定…")) }
                    form.steps method="post" action=(action) {
                        (components::csrf(view))
                        div.field {
                            label for=(field) { (view.say("Why (may be left out)", "理由（可不填）")) }
                            input id=(field) name="reason" type="text" maxlength=(ActionReason::MOST) autocomplete="off";
                        }
                        @for answer in [RemovalAnswer::Recreate, RemovalAnswer::RecreateInvited, RemovalAnswer::Release] {
                            button type="submit" name="answer" value=(answer.as_str()) { (view.word(answer.label())) }
                        }
                    }
                }
            }
        }
    }
}

/// A row by the form's labels, with all but the first fields folded.
pub(super) fn row(view: &View, row: &[RowField], shown: usize) -> Markup {
    let fields = |fields: &[&RowField]| {
        html! {
            dl.fields {
                @for field in fields {
                    div { dt { bdi title=(field.field) { (field.label) } } dd { bdi { (components::value(view, &field.value)) } } }
                }
            }
        }
    };
    // The record's own id is above.
    let row: Vec<&RowField> = row.iter().filter(|field| field.field != "_id").collect();
    let (first, rest) = row.split_at(shown.min(row.len()));
    html! {
        div {
            (fields(first))
            @if !rest.is_empty() {
                details.more {
                    summary { (view.tell(format!("{} more fields", rest.len()), format!("其余 {} 个字段", rest.len()))) }
                    (fields(rest))
                }
            }
        }
    }
}
