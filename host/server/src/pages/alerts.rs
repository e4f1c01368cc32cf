//! The alerts page: active alerts, and resolved ones.

use maud::{Markup, html};

use super::layout::{Area, HtmlPage};
use super::view::View;
use super::{components, labels, time};
use crate::alerts;
use ruzhi_store::AlertRow;

/// Maximum number of past alerts shown.
const RESOLVED: usize = 100;

/// The alerts page, active alerts first.
pub(super) fn page(view: &View, alerts: &[AlertRow]) -> HtmlPage {
    let (resolved, active): (Vec<&AlertRow>, Vec<&AlertRow>) =
        alerts.iter().partition(|alert| alert.resolved_at.is_some());
    let body = html! {
        section.section #active data-fresh data-events="/api/v1/events" aria-labelledby="active-title" {
            h2 #active-title { (view.say("Active", "未解除")) " " span.quiet { "(" (active.len()) ")" } }
            @if active.is_empty() {
                div.box { p.empty.good { (view.say("✓ No alert is active.", "✓ 没有未解除的告警。")) } }
            } @else {
                ul.needs { @for alert in active { (card(view, alert)) } }
            }
        }
        @if !resolved.is_empty() {
            section.box aria-labelledby="resolved-title" {
                header { h2 #resolved-title { (view.say("Resolved", "已解除")) } }
                table.table {
                    caption.hidden { (view.say("Resolved alerts, the latest first", "已解除的告警，新的在前")) }
                    thead {
                        tr {
                            th scope="col" { (view.say("What happened", "内容")) }
                            th scope="col" { (view.say("Where", "位置")) }
                            th scope="col" { (view.say("From", "发生")) }
                            th scope="col" { (view.say("To", "解除")) }
                        }
                    }
                    tbody { @for alert in resolved.into_iter().take(RESOLVED) { (line(view, alert)) } }
                }
            }
        }
    };
    HtmlPage {
        under: Some(html! {
            (view.say(
                "Each is told once, to the group robot and the address of the settings, and told again when it is resolved.",
                "每条告警只通知一次（群机器人与设置中的地址），解除时再次通知。",
            ))
        }),
        ..HtmlPage::new(Area::Alerts, view.say("Alerts", "告警"), body)
    }
}

fn zone(view: &View, alert: &AlertRow) -> chrono_tz::Tz {
    alert.tenant.as_ref().map_or_else(|| view.common_zone(), |tenant| view.zone(tenant))
}

fn place(view: &View, alert: &AlertRow) -> Markup {
    html! {
        @match (&alert.tenant, &alert.flow) {
            (Some(tenant), Some(flow)) => { (components::flow(view, tenant, flow)) }
            (Some(tenant), None) => { a href=(View::address(["tenants", tenant.as_str()], [])) { bdi { (view.name(tenant)) } } }
            (None, _) => { (view.say("the whole process", "整个进程")) }
        }
    }
}

fn card(view: &View, alert: &AlertRow) -> Markup {
    let zone = zone(view, alert);
    html! {
        li.need.bad {
            div.row.between {
                @match alerts::label(&alert.kind).map(|label| view.word(label)) {
                    Some(word) => { (components::badge((labels::BAD, word))) }
                    None => { code { (alert.kind) } }
                }
                span.quiet.small { (time::at_and_ago(view, alert.since, zone)) }
            }
            p.small { (place(view, alert)) }
            h3 { bdi { (alert.text.in_lang(view.lang())) } }
            @if let Some(hint) = &alert.hint { p.quiet { bdi { (hint.in_lang(view.lang())) } } }
            @if let Some(page) = alert.page.as_deref().filter(|page| page.starts_with('/') && !page.starts_with("//")) {
                div.actions.row { a.button href=(page) { (view.say("Look at it", "查看")) } }
            }
            p.small.quiet {
                (view.tell(format!("seen {} times, last ", alert.seen), format!("出现 {} 次，最近 ", alert.seen)))
                (time::ago(view, alert.last_seen)) " · "
                @match alert.notified_at {
                    Some(told) => { (view.say("notified at", "已通知：")) " " (time::at(view, told, zone)) }
                    None => { (components::badge((labels::WARN, view.say("not sent yet", "尚未通知")))) }
                }
            }
        }
    }
}

fn line(view: &View, alert: &AlertRow) -> Markup {
    let zone = zone(view, alert);
    html! {
        tr {
            th scope="row" { div.stack { bdi { (alert.text.in_lang(view.lang())) } span.quiet.small {
                @match alerts::label(&alert.kind).map(|label| view.word(label)) { Some(word) => { (word) } None => { code { (alert.kind) } } }
            } } }
            td data-label=(view.say("Where", "位置")) { div { (place(view, alert)) } }
            td data-label=(view.say("From", "发生")) { (time::at(view, alert.since, zone)) }
            td data-label=(view.say("To", "解除")) { @if let Some(over) = alert.resolved_at { (time::at(view, over, zone)) } }
        }
    }
}
