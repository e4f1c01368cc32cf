//! The charts page.

use maud::{Markup, html};

use super::chart::{self, ChartColumn};
use super::components;
use super::layout::{Area, HtmlPage};
use super::view::View;
use ruzhi_app::{CallsChart, ChartQuery, ChartStep, QuarantineChart, RunsChart};
use ruzhi_model::Lang;

/// The charts of one tenant or of all.
pub(super) fn page(
    view: &View,
    runs: &RunsChart,
    quarantine: &QuarantineChart,
    calls: &CallsChart,
    asked: &ChartQuery,
) -> HtmlPage {
    // Across all tenants, days are those of UTC.
    let zone = match (&asked.tenant, runs.step) {
        (Some(tenant), _) => view.zone(tenant),
        (None, ChartStep::Hour) => view.common_zone(),
        (None, ChartStep::Day) => chrono_tz::Tz::UTC,
    };
    let columns: Vec<ChartColumn> = runs
        .points
        .iter()
        .map(|point| {
            let shown = if runs.step == ChartStep::Hour { "%m-%d %H:%M" } else { "%m-%d" };
            ChartColumn {
                label: point.at.with_timezone(&zone).format(shown).to_string(),
                done: point.done,
                held: point.held,
                failed: point.failed,
            }
        })
        .collect();
    let title = match (runs.step, view.lang()) {
        (ChartStep::Hour, Lang::En) => "Runs by hour",
        (ChartStep::Hour, Lang::Zh) => "每小时运行次数",
        (ChartStep::Day, Lang::En) => "Runs by day",
        (ChartStep::Day, Lang::Zh) => "每天运行次数",
    };
    let body = html! {
        form.filters method="get" action="/charts" role="search" {
            (components::tenant_field(view, asked.tenant.as_ref()))
            (components::flow_field(view, asked.flow.as_ref()))
            div.field {
                label for="step" { (view.say("By", "间隔")) }
                select #step name="step" {
                    option value="day" selected[runs.step == ChartStep::Day] { (view.say("day", "天")) }
                    option value="hour" selected[runs.step == ChartStep::Hour] { (view.say("hour", "小时")) }
                }
            }
            button type="submit" { (view.say("Show", "显示")) }
        }
        section.box aria-labelledby="runs-heading" {
            header { h2 #runs-heading { (title) } span.quiet.small translate="no" { (zone.name()) } }
            div.body {
                @if columns.is_empty() { (components::empty(view.say("There is nothing to show yet.", "暂无数据。"))) }
                @else { (chart::runs(view, title, &columns)) }
            }
        }
        div.columns {
            section.box aria-labelledby="quarantine-heading" {
                header {
                    h2 #quarantine-heading { (view.say("Quarantine by rule", "按规则统计的待修正")) }
                    span.quiet.small { (view.tell(format!("{} records", components::number(quarantine.records)), format!("{} 条记录", components::number(quarantine.records)))) }
                }
                (by_rule(view, quarantine, asked))
            }
            section.box aria-labelledby="calls-heading" {
                header { h2 #calls-heading { (view.say("Calls against the limit", "调用量与限额")) } }
                (against_the_limit(view, calls))
            }
        }
    };
    HtmlPage::new(Area::Charts, view.say("Charts", "图表"), body)
}

fn by_rule(view: &View, quarantine: &QuarantineChart, asked: &ChartQuery) -> Markup {
    let most = quarantine.rules.iter().map(|rule| rule.records).max().unwrap_or(0);
    html! {
        @if quarantine.rules.is_empty() { p.empty.good { (view.say("✓ The quarantine is empty.", "✓ 没有待修正的记录。")) } } @else {
            table.table.bars {
                caption.hidden { (view.say("Records in quarantine by rule", "按规则统计的待修正记录")) }
                thead {
                    tr {
                        th scope="col" { (view.say("Rule", "规则")) }
                        th scope="col" { span.hidden { (view.say("Share", "占比")) } }
                        th.number scope="col" { (view.say("Records", "记录")) }
                    }
                }
                tbody {
                    @for rule in &quarantine.rules {
                        tr {
                            th scope="row" {
                                div.stack {
                                    a href=(View::address(["quarantine"], [
                                        ("tenant", asked.tenant.as_ref().map(|tenant| tenant.as_str())),
                                        ("flow", asked.flow.as_ref().map(|flow| flow.as_str())),
                                        ("rule", Some(rule.rule.as_str())),
                                    ])) { code { (rule.rule) } }
                                    span.quiet.small { bdi { (rule.labels.join(view.say(", ", "、"))) } }
                                }
                            }
                            td { (chart::share("failed", rule.records, most)) }
                            td.number { (components::number(rule.records)) }
                        }
                    }
                }
            }
        }
    }
}

fn against_the_limit(view: &View, calls: &CallsChart) -> Markup {
    let any = calls.corps.iter().any(|corp| !corp.apis.is_empty());
    html! {
        @if !any { (components::empty(view.say("No call was made in the last hour.", "最近一小时没有调用。"))) } @else {
            table.table.bars {
                caption.hidden { (view.say("Calls of the last minute and hour against the limits", "最近一分钟与一小时的调用量与限额")) }
                thead {
                    tr {
                        th scope="col" { (view.say("API", "接口")) }
                        th scope="col" { (view.say("Last minute", "最近一分钟")) }
                        th scope="col" { (view.say("Last hour", "最近一小时")) }
                    }
                }
                @for corp in calls.corps.iter().filter(|corp| !corp.apis.is_empty()) {
                    tbody {
                        tr.group {
                            th colspan="3" scope="rowgroup" {
                                code { (corp.corp) }
                                @for tenant in &corp.tenants { " " bdi { (view.name(tenant)) } }
                            }
                        }
                        @for api in &corp.apis {
                            tr {
                                th scope="row" { code { (api.api) } }
                                td data-label=(view.say("Last minute", "最近一分钟")) { (meter(api.last_minute, corp.per_minute)) }
                                td data-label=(view.say("Last hour", "最近一小时")) { (meter(api.last_hour, corp.per_hour)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A count against its limit, in another colour near the limit, and with the numbers.
fn meter(count: u64, limit: u32) -> Markup {
    let limit = u64::from(limit);
    let class = if count.saturating_mul(10) >= limit.saturating_mul(9) { "held" } else { "plain" };
    html! {
        div.stack {
            (chart::share(class, count, limit))
            span.small { (components::number(count)) span.quiet { " / " (components::number(limit)) } }
        }
    }
}
