//! Components shared by several pages.

use std::collections::BTreeSet;

use maud::{Markup, html};
use serde_json::Value;

use super::labels::{self, Tone};
use super::view::View;
use crate::auth::csrf::CSRF_FIELD;
use ruzhi_app::ActionReason;
use ruzhi_message::Report;
use ruzhi_model::{Digest, FlowId, OperationKind, RecordId, TenantId};
use ruzhi_plan::Counts;
use ruzhi_store::RunRow;

/// A highlighted word.
pub(super) fn badge((tone, word): (Tone, &str)) -> Markup {
    html! { span.badge.(tone) { (word) } }
}

/// A number with thousands separators.
pub(super) fn number(count: impl Into<u64>) -> String {
    let digits = count.into().to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A flow and its tenant's name, with a link to the tenant.
pub(super) fn flow(view: &View, tenant: &TenantId, flow: &FlowId) -> Markup {
    html! {
        a href=(View::address(["tenants", tenant.as_str()], [])) { bdi { (view.name(tenant)) } }
        " " code { (flow) }
    }
}

/// A record, with a link to its trace.
pub(super) fn record(tenant: &TenantId, flow: &FlowId, record: &RecordId) -> Markup {
    let page = View::address(["records", tenant.as_str(), flow.as_str(), record.as_str()], []);
    html! { a href=(page) { code { (record) } } }
}

/// The beginning of a digest, and a button that copies all of it.
pub(super) fn digest(view: &View, digest: &Digest) -> Markup {
    html! {
        code title=(digest.as_str()) { (digest.short()) }
        " " (copy(view, digest.as_str()))
    }
}

/// A button that copies a text, shown only if scripts run.
pub(super) fn copy(view: &View, text: &str) -> Markup {
    html! {
        button.copy type="button" hidden data-copy=(text) data-done=(view.say("copied", "已复制")) {
            (view.say("copy", "复制"))
        }
    }
}

/// Outcomes on one line, without those that are zero.
pub(super) fn counts(view: &View, counts: &Counts) -> Markup {
    let shown: Vec<_> = outcomes(view, counts).into_iter().filter(|(_, count, _)| *count > 0).collect();
    html! {
        @if shown.is_empty() { span.quiet { (view.say("nothing", "无")) } } @else {
            ul.counts {
                @for (word, count, tone) in shown { li.(tone) { (word) " " (number(count)) } }
            }
        }
    }
}

/// Outcomes as large numbers, without those that are zero except the first three.
pub(super) fn tally(view: &View, counts: &Counts) -> Markup {
    html! {
        dl.tally {
            @for (at, (word, count, tone)) in outcomes(view, counts).into_iter().enumerate() {
                @if count > 0 || at < 3 {
                    div.(if count > 0 { tone } else { "" }) { dt { (word) } dd { (number(count)) } }
                }
            }
        }
    }
}

fn outcomes(view: &View, counts: &Counts) -> [(&'static str, u64, Tone); 13] {
    [
        (view.say("created", "新增"), counts.created, ""),
        (view.say("updated", "更新"), counts.updated, ""),
        (view.say("disabled", "停用"), counts.disabled, ""),
        (view.say("enabled", "启用"), counts.enabled, ""),
        (view.say("deleted", "删除"), counts.deleted, ""),
        (view.say("taken over", "接管"), counts.adopted, ""),
        (view.say("let stand", "保留"), counts.kept, ""),
        (view.say("rejected", "待修正"), counts.rejected, "warn"),
        (view.say("failed", "失败"), counts.failed, "bad"),
        (view.say("not tried", "未执行"), counts.untried, ""),
        (view.say("without a place", "无名额"), counts.unplaced, "warn"),
        (view.say("unchanged", "不变"), counts.unchanged, ""),
        (view.say("ignored", "忽略"), counts.ignored, ""),
    ]
}

/// The state of a run, with a link to it.
pub(super) fn run(view: &View, run: &RunRow) -> Markup {
    html! { a href=(View::address(["runs", run.id.as_str()], [])) { (badge(labels::run_state(view, run))) } }
}

/// An operation's sign and word.
pub(super) fn sign(view: &View, kind: OperationKind) -> Markup {
    let (sign, class, word) = labels::operation(view, kind);
    html! { span.sign.(class) { b aria-hidden="true" { (sign) } (word) } }
}

/// A message in place of an empty list.
pub(super) fn empty(text: &str) -> Markup {
    html! { p.empty { (text) } }
}

/// A failure with its causes and advice on the next step.
pub(super) fn report(view: &View, report: &Report) -> Markup {
    html! {
        p { strong { bdi { (report.text().in_lang(view.lang())) } } }
        @if let Some(hint) = report.page_hint() { p { bdi { (hint.in_lang(view.lang())) } } }
        @if !report.causes().is_empty() {
            details.more {
                summary { (view.say("Causes", "原因")) }
                ul { @for cause in report.causes() { li { bdi { (cause) } } } }
            }
        }
    }
}

/// A value of a field; a dash if it is empty.
pub(super) fn value(view: &View, value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) if text.is_empty() => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => view.say("yes", "是").to_owned(),
        Value::Bool(false) => view.say("no", "否").to_owned(),
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            items.iter().map(|item| self::value(view, item)).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// The hidden field that proves that a form comes from a page of the session.
pub(super) fn csrf(view: &View) -> Markup {
    html! { @if let Some(csrf) = &view.csrf { input type="hidden" name=(CSRF_FIELD) value=(csrf); } }
}

/// A form with a single button. If there is a question, a script asks it first.
pub(super) fn deed(view: &View, action: &str, class: &str, word: &str, question: Option<&str>) -> Markup {
    html! {
        form method="post" action=(action) data-confirm=[question]
            data-yes=[question.map(|_| word)] data-no=[question.map(|_| view.say("Cancel", "取消"))] {
            (csrf(view))
            button.(class) type="submit" { (word) }
        }
    }
}

/// An input for a reason.
pub(super) fn reason(view: &View, id: &str, name: &str, required: bool) -> Markup {
    html! {
        div.field {
            label for=(id) {
                (view.say("Reason, for the audit log", "理由（记入审计日志）"))
                @if !required { " " span.quiet { (view.say("(optional)", "（可不填）")) } }
            }
            input id=(id) name=(name) type="text" maxlength=(ActionReason::MOST) required[required] autocomplete="off";
        }
    }
}

/// A filter's choice of a tenant.
pub(super) fn tenant_field(view: &View, chosen: Option<&TenantId>) -> Markup {
    html! {
        div.field {
            label for="tenant" { (view.say("Tenant", "工厂")) }
            select id="tenant" name="tenant" {
                option value="" { (view.say("all", "全部")) }
                @for (id, place) in view.places.iter() {
                    option value=(id) selected[Some(id) == chosen] dir="auto" { (place.name) }
                }
                // A tenant removed from the configuration can still be selected.
                @if let Some(gone) = chosen.filter(|chosen| !view.places.contains_key(*chosen)) {
                    option value=(gone) selected lang="zxx" { (gone) }
                }
            }
        }
    }
}

/// A filter's choice of a flow.
pub(super) fn flow_field(view: &View, chosen: Option<&FlowId>) -> Markup {
    // A flow removed from the configuration can still be selected.
    let flows: BTreeSet<&FlowId> =
        view.places.values().flat_map(|place| &place.flows).chain(chosen).collect();
    html! {
        div.field {
            label for="flow" { (view.say("Flow", "同步流")) }
            select id="flow" name="flow" {
                option value="" { (view.say("all", "全部")) }
                @for flow in flows {
                    option value=(flow) selected[Some(flow) == chosen] lang="zxx" { (flow) }
                }
            }
        }
    }
}

/// Links to the next page and back to the beginning.
pub(super) fn pager(view: &View, first: Option<String>, next: Option<String>) -> Markup {
    html! {
        @if first.is_some() || next.is_some() {
            nav.pager aria-label=(view.say("Pages of this list", "列表分页")) {
                span { @if let Some(first) = first { a.button href=(first) { (view.say("← From the beginning", "← 回到开头")) } } }
                span { @if let Some(next) = next { a.button rel="next" href=(next) { (view.say("Next →", "下一页 →")) } } }
            }
        }
    }
}
