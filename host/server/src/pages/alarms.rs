//! The alarms page: standing alarms, and those that are over.

use maud::{Markup, html};

use super::layout::{Area, HtmlPage};
use super::view::View;
use super::{components, labels, time};
use crate::alerts;
use ruzhi_store::AlarmRow;

/// Maximum number of past alarms shown.
const OVER: usize = 100;

/// The alarms page, standing alarms first.
pub(super) fn page(view: &View, alarms: &[AlarmRow]) -> HtmlPage {
    let (over, standing): (Vec<&AlarmRow>, Vec<&AlarmRow>) =
        alarms.iter().partition(|alarm| alarm.over_at.is_some());
    let body = html! {
        section.section #standing data-fresh data-events="/api/v1/events" aria-labelledby="standing-title" {
            h2 #standing-title { (view.say("Standing", "未解除")) " " span.quiet { "(" (standing.len()) ")" } }
            @if standing.is_empty() {
                div.box { p.empty.good { (view.say("✓ No alarm stands.", "✓ 没有未解除的告警。")) } }
            } @else {
                ul.needs { @for alarm in standing { (card(view, alarm)) } }
            }
        }
        @if !over.is_empty() {
            section.box aria-labelledby="over-title" {
                header { h2 #over-title { (view.say("Over", "已解除")) } }
                table.table {
                    caption.hidden { (view.say("Alarms that are over, the latest first", "已解除的告警，新的在前")) }
                    thead {
                        tr {
                            th scope="col" { (view.say("What happened", "内容")) }
                            th scope="col" { (view.say("Where", "位置")) }
                            th scope="col" { (view.say("From", "发生")) }
                            th scope="col" { (view.say("To", "解除")) }
                        }
                    }
                    tbody { @for alarm in over.into_iter().take(OVER) { (line(view, alarm)) } }
                }
            }
        }
    };
    HtmlPage {
        under: Some(html! {
            (view.say(
                "Each is told once, to the group robot and the address of the settings, and told again when it is over.",
                "每条告警只通知一次（群机器人与设置中的地址），解除时再次通知。",
            ))
        }),
        ..HtmlPage::new(Area::Alarms, view.say("Alarms", "告警"), body)
    }
}

fn zone(view: &View, alarm: &AlarmRow) -> chrono_tz::Tz {
    alarm.tenant.as_ref().map_or_else(|| view.common_zone(), |tenant| view.zone(tenant))
}

fn place(view: &View, alarm: &AlarmRow) -> Markup {
    html! {
        @match (&alarm.tenant, &alarm.flow) {
            (Some(tenant), Some(flow)) => { (components::flow(view, tenant, flow)) }
            (Some(tenant), None) => { a href=(View::address(["tenants", tenant.as_str()], [])) { bdi { (view.name(tenant)) } } }
            (None, _) => { (view.say("the whole process", "整个进程")) }
        }
    }
}

fn card(view: &View, alarm: &AlarmRow) -> Markup {
    let zone = zone(view, alarm);
    html! {
        li.need.bad {
            div.row.between {
                @match alerts::label(&alarm.kind).map(|label| view.word(label)) {
                    Some(word) => { (components::badge((labels::BAD, word))) }
                    None => { code { (alarm.kind) } }
                }
                span.quiet.small { (time::at_and_ago(view, alarm.since, zone)) }
            }
            p.small { (place(view, alarm)) }
            h3 { bdi { (alarm.text.in_lang(view.lang())) } }
            @if let Some(hint) = &alarm.hint { p.quiet { bdi { (hint.in_lang(view.lang())) } } }
            @if let Some(page) = alarm.page.as_deref().filter(|page| page.starts_with('/') && !page.starts_with("//")) {
                div.actions.row { a.button href=(page) { (view.say("Look at it", "查看")) } }
            }
            p.small.quiet {
                (view.tell(format!("seen {} times, last ", alarm.seen), format!("出现 {} 次，最近 ", alarm.seen)))
                (time::ago(view, alarm.last_seen)) " · "
                @match alarm.told_at {
                    Some(told) => { (view.say("told at", "已通知：")) " " (time::at(view, told, zone)) }
                    None => { (components::badge((labels::WARN, view.say("not sent yet", "尚未通知")))) }
                }
            }
        }
    }
}

fn line(view: &View, alarm: &AlarmRow) -> Markup {
    let zone = zone(view, alarm);
    html! {
        tr {
            th scope="row" { div.stack { bdi { (alarm.text.in_lang(view.lang())) } span.quiet.small {
                @match alerts::label(&alarm.kind).map(|label| view.word(label)) { Some(word) => { (word) } None => { code { (alarm.kind) } } }
            } } }
            td data-label=(view.say("Where", "位置")) { div { (place(view, alarm)) } }
            td data-label=(view.say("From", "发生")) { (time::at(view, alarm.since, zone)) }
            td data-label=(view.say("To", "解除")) { @if let Some(over) = alarm.over_at { (time::at(view, over, zone)) } }
        }
    }
}
