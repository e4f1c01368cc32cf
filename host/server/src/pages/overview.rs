//! The overview: what needs a person, the runs under way and the state of every flow. A tenant's page shows the same
//! for one tenant.

use maud::{Markup, html};

use super::layout::{Area, HtmlPage};
use super::run::{bar, progress};
use super::view::View;
use super::{components, labels, schedule, time};
use ruzhi_app::LiveRun;
use ruzhi_app::scheduler::ScheduleStateKind;
use ruzhi_app::{Attention, AttentionKind, FlowOverview, Overview, RunMode, TenantOverview};
use ruzhi_model::{FlowId, TenantId};
use ruzhi_store::RunState;

/// The overview of all tenants.
pub(super) fn page(view: &View, overview: &Overview) -> HtmlPage {
    let flows = overview.tenants.iter().map(|tenant| tenant.flows.len()).sum::<usize>();
    let under = html! {
        (view.tell(
            format!("{} tenants, {flows} flows; running for ", overview.tenants.len()),
            format!("{} 个工厂，{flows} 个同步流；已运行 ", overview.tenants.len()),
        ))
        (time::since(view, overview.started_at))
    };
    let body = html! {
        (needs(view, overview))
        (live(view, &overview.live))
        div.section #flows data-fresh data-events="/api/v1/events" {
            h2 { (view.say("Flows", "同步流")) }
            @if overview.tenants.is_empty() {
                div.box { (components::empty(view.say("No tenant is configured yet: add a file to tenants/.", "尚未配置工厂：请在工厂配置文件夹中添加文件。"))) }
            }
            @if overview.tenants.len() <= TOGETHER { (table(view, &overview.tenants)) } @else {
                (search(view))
                (table(view, &overview.tenants))
            }
        }
    };
    HtmlPage {
        under: Some(under),
        reload: (!overview.live.is_empty()).then_some(10),
        ..HtmlPage::new(Area::Overview, view.say("Overview", "概览"), body)
    }
}

/// Number of cards shown at first, the most urgent ones.
const FIRST: usize = 24;

/// Number of tenants that can be found at a glance.
const TOGETHER: usize = 12;

fn search(view: &View) -> Markup {
    html! {
        p.quiet.small {
            (view.say(
                "Use the browser's search to find a tenant in the table.",
                "可用浏览器的页内查找定位工厂。",
            ))
        }
    }
}

/// The state of one tenant.
pub(super) fn tenant_page(view: &View, overview: &Overview, tenant: &TenantOverview) -> HtmlPage {
    let body = html! {
        (needs(view, overview))
        (live(view, &overview.live))
        div.section #flows data-fresh data-events="/api/v1/events" {
            @for flow in &tenant.flows { (flow_box(view, flow)) }
        }
    };
    HtmlPage {
        crumbs: vec![("/".to_owned(), view.say("Overview", "概览").to_owned())],
        under: Some(html! { code { (tenant.id) } " · " span translate="no" { (tenant.timezone) } }),
        actions: Some(html! {
            a.button href=(View::address(["runs"], [("tenant", Some(tenant.id.as_str()))])) { (view.say("Runs", "运行")) }
            a.button href=(View::address(["quarantine"], [("tenant", Some(tenant.id.as_str()))])) { (view.say("Quarantine", "待修正")) }
            a.button href=(View::address(["charts"], [("tenant", Some(tenant.id.as_str()))])) { (view.say("Charts", "图表")) }
        }),
        reload: (!overview.live.is_empty()).then_some(10),
        ..HtmlPage::new(Area::Overview, tenant.name.as_str(), body)
    }
}

fn needs(view: &View, overview: &Overview) -> Markup {
    html! {
        section.section #needs data-fresh aria-labelledby="needs-title" {
            h2 #needs-title {
                (view.say("Needs a person", "需要人工处理"))
                @if !overview.attention.is_empty() { " " span.quiet { "(" (overview.attention.len()) ")" } }
            }
            @if overview.attention.is_empty() {
                div.box { p.empty.good { (view.say("✓ Nothing. Everything runs by itself.", "✓ 无需处理，一切自动运行。")) } }
            } @else {
                ul.needs { @for one in overview.attention.iter().take(FIRST) { (need(view, one)) } }
                @if overview.attention.len() > FIRST {
                    details.more {
                        summary {
                            (view.tell(
                                format!("{} more", overview.attention.len() - FIRST),
                                format!("其余 {} 项", overview.attention.len() - FIRST),
                            ))
                        }
                        ul.needs { @for one in overview.attention.iter().skip(FIRST) { (need(view, one)) } }
                    }
                }
            }
        }
    }
}

fn need(view: &View, one: &Attention) -> Markup {
    let (tone, word) = labels::attention(view, one.kind);
    let deed =
        one.tenant.as_ref().zip(one.flow.as_ref()).filter(|_| view.operates()).and_then(|(tenant, flow)| {
            let action = |what: &str| View::address(["flows", tenant.as_str(), flow.as_str(), what], []);
            match one.kind {
                AttentionKind::Blocked | AttentionKind::Paused => Some(components::deed(
                    view,
                    &action("resume"),
                    "primary",
                    view.say("Resume", "恢复"),
                    None,
                )),
                AttentionKind::Failing | AttentionKind::Late => Some(components::deed(
                    view,
                    &action("run"),
                    "primary",
                    view.say("Run now", "立即运行"),
                    None,
                )),
                _ => None,
            }
        });
    let look = match one.kind {
        AttentionKind::HeldPlan => view.say("Look at the plan", "查看计划"),
        AttentionKind::ConfigInvalid => view.say("Look at the settings", "查看设置"),
        AttentionKind::Quarantine => view.say("Look at the records", "查看记录"),
        _ => view.say("Details", "详情"),
    };
    html! {
        li.need.(tone) {
            div.row.between {
                (components::badge((tone, word)))
                @if let Some(since) = one.since { span.quiet.small { (time::ago(view, since)) } }
            }
            @if let Some(tenant) = &one.tenant {
                p.small {
                    bdi { (view.name(tenant)) }
                    @if let Some(flow) = &one.flow { " " code { (flow) } }
                }
            }
            h3 { bdi { (one.text.in_lang(view.lang())) } }
            @if let Some(hint) = &one.hint { p.quiet { bdi { (hint.in_lang(view.lang())) } } }
            div.actions.row {
                a.button.primary[deed.is_none()] href=(one.link) { (look) }
                @if let Some(deed) = deed { (deed) }
            }
        }
    }
}

fn live(view: &View, live: &[LiveRun]) -> Markup {
    html! {
        section.section #live data-fresh aria-labelledby="live-title" {
            @if !live.is_empty() {
                h2 #live-title { (view.say("Running now", "正在运行")) " " span.quiet { "(" (live.len()) ")" } }
                div.box {
                    table.table {
                        caption.hidden { (view.say("Running now", "正在运行")) }
                        thead {
                            tr {
                                th scope="col" { (view.say("Flow", "同步流")) }
                                th scope="col" { (view.say("Stage", "阶段")) }
                                th scope="col" { (view.say("Progress", "进度")) }
                                th.number scope="col" { (view.say("For", "已用时")) }
                            }
                        }
                        tbody {
                            @for one in live {
                                tr {
                                    th scope="row" {
                                        (components::flow(view, &one.run.tenant, &one.run.flow)) " "
                                        a href=(View::address(["runs", one.run.id.as_str()], [])) { (view.say("watch", "查看")) }
                                    }
                                    td data-label=(view.say("Stage", "阶段")) {
                                        @if let Some(stage) = one.stage { (view.word(stage.label())) }
                                    }
                                    td data-label=(view.say("Progress", "进度")) {
                                        div.stack { (bar(view, one)) span.small { (progress(view, one)) } }
                                    }
                                    td.number data-label=(view.say("For", "已用时")) { (time::since(view, one.run.started_at)) }
                                }
                            }
                        }
                    }
                }
            } @else { h2.hidden #live-title { (view.say("Nothing runs now", "当前没有运行")) } }
        }
    }
}

fn table(view: &View, tenants: &[TenantOverview]) -> Markup {
    html! {
        @if !tenants.is_empty() {
            div.box {
                table.table {
                    caption.hidden { (view.say("How every flow stands", "各同步流的状态")) }
                    thead {
                        tr {
                            th scope="col" { (view.say("Flow", "同步流")) }
                            th scope="col" { (view.say("State", "状态")) }
                            th scope="col" { (view.say("Last run", "上次运行")) }
                            th scope="col" { (view.say("Outcome", "结果")) }
                            th scope="col" { (view.say("Next run", "下次运行")) }
                            th.number scope="col" { (view.say("Members", "成员")) }
                            th.number scope="col" { (view.say("Quarantine", "待修正")) }
                        }
                    }
                    @for tenant in tenants {
                        tbody {
                            tr.group {
                                th colspan="7" scope="rowgroup" {
                                    a href=(View::address(["tenants", tenant.id.as_str()], [])) { bdi { (tenant.name) } }
                                    " " span.quiet.small translate="no" { (tenant.timezone) }
                                }
                            }
                            @for flow in &tenant.flows { (line(view, flow)) }
                        }
                    }
                }
            }
        }
    }
}

fn line(view: &View, flow: &FlowOverview) -> Markup {
    let zone = view.zone(&flow.tenant);
    html! {
        tr {
            th scope="row" { a href=(View::address(["tenants", flow.tenant.as_str()], [])) { code { (flow.flow) } } }
            td data-label=(view.say("State", "状态")) { (state(view, flow)) }
            td data-label=(view.say("Last run", "上次运行")) {
                @match &flow.last_run {
                    Some(run) => { div.row { (components::run(view, run)) span { (time::at(view, run.started_at, zone)) } } }
                    None => { span.quiet { (view.say("never", "尚未运行")) } }
                }
            }
            td data-label=(view.say("Outcome", "结果")) {
                @if let Some(run) = &flow.last_run { (outcome(view, run)) }
            }
            td data-label=(view.say("Next run", "下次运行")) { (next(view, flow)) }
            td.number data-label=(view.say("Members", "成员")) { (components::number(flow.members)) }
            td.number data-label=(view.say("Quarantine", "待修正")) { (rejected(view, flow)) }
        }
    }
}

/// The outcome of a run on one line: its counts or its problem.
fn outcome(view: &View, run: &ruzhi_store::RunRow) -> Markup {
    let mut told = run.counts;
    (told.unchanged, told.ignored) = (0, 0);
    html! {
        @if let Some(problem) = &run.problem { bdi { (problem.in_lang(view.lang())) } }
        @else if told == ruzhi_plan::Counts::default() && matches!(run.state, RunState::Running | RunState::Held) {
            // No work done yet differs from no work to do.
            span.quiet { "–" }
        }
        @else if told == ruzhi_plan::Counts::default() { span.quiet { (view.say("no changes", "无变化")) } }
        @else { (components::counts(view, &told)) }
    }
}

fn state(view: &View, flow: &FlowOverview) -> Markup {
    html! {
        div.row {
            @match &flow.schedule_state {
                Some(schedule_state) => {
                    (components::badge(labels::schedule_state(view, schedule_state.state)))
                    @if schedule_state.late { (components::badge((labels::WARN, view.say("late", "逾期")))) }
                }
                None => { (components::badge((labels::PLAIN, view.say("starting", "启动中")))) }
            }
            @for plan in &flow.held {
                a href=(View::address(["plans", flow.tenant.as_str(), plan.as_str()], [])) {
                    (components::badge((labels::WARN, view.say("plan held", "计划待审批"))))
                }
            }
        }
    }
}

fn next(view: &View, flow: &FlowOverview) -> Markup {
    let next = flow.schedule_state.as_ref().and_then(|schedule_state| schedule_state.next).or(flow.next_run);
    let stopped = flow.schedule_state.as_ref().is_some_and(|schedule_state| {
        matches!(schedule_state.state, ScheduleStateKind::Paused | ScheduleStateKind::Blocked)
    });
    html! {
        @match next {
            Some(next) if !stopped => { (time::at_and_ago(view, next, view.zone(&flow.tenant))) }
            _ => { span.quiet { "–" } }
        }
    }
}

fn rejected(view: &View, flow: &FlowOverview) -> Markup {
    let query = [("tenant", Some(flow.tenant.as_str())), ("flow", Some(flow.flow.as_str()))];
    html! {
        @if flow.rejected > 0 {
            a href=(View::address(["quarantine"], query)) {
                (components::number(flow.rejected)) span.hidden { " " (view.say("records", "条记录")) }
            }
        } @else { "0" }
    }
}

fn flow_box(view: &View, flow: &FlowOverview) -> Markup {
    let zone = view.zone(&flow.tenant);
    let id = format!("flow-{}", flow.flow);
    html! {
        section.box aria-labelledby=(id) {
            header {
                div.row { h2 #(id) { code { (flow.flow) } } (state(view, flow)) }
                a href=(View::address(["rules", flow.tenant.as_str(), flow.flow.as_str()], [])) { (view.say("Rules", "同步规则")) }
            }
            div.body {
                @if let Some(schedule_state) = &flow.schedule_state {
                    @if let Some(paused) = &schedule_state.paused {
                        div.note.warn {
                            p {
                                (view.say("Paused by", "暂停人：")) " " bdi { (paused.who) } ", "
                                (time::at_and_ago(view, paused.at, zone))
                            }
                            @if let Some(why) = &paused.why { p { bdi { (why) } } }
                        }
                    }
                    @if let Some(blocked) = &schedule_state.blocked {
                        div.note.bad {
                            p { strong { bdi { (blocked.text.in_lang(view.lang())) } } }
                            @if let Some(hint) = &blocked.hint { p { bdi { (hint.in_lang(view.lang())) } } }
                            p.quiet.small { code { (blocked.code) } " · " (time::at_and_ago(view, blocked.at, zone)) }
                        }
                    }
                }
                dl.tally {
                    div { dt { (view.say("members", "成员")) } dd { (components::number(flow.members)) } }
                    div { dt { (view.say("records", "记录")) } dd { (components::number(flow.records)) } }
                    div.(if flow.rejected > 0 { "warn" } else { "" }) { dt { (view.say("in quarantine", "待修正")) } dd { (rejected(view, flow)) } }
                }
                dl.facts {
                    dt { (view.say("Schedule", "运行时间")) }
                    dd {
                        @match &flow.schedule {
                            Some(cron) => { (schedule::schedule(view, cron)) " " span.quiet translate="no" { (zone.name()) } }
                            None => { (view.say("runs when it is asked or woken", "按需或被推送唤醒时运行")) }
                        }
                    }
                    dt { (view.say("Next run", "下次运行")) } dd { (next(view, flow)) }
                    dt { (view.say("Last run", "上次运行")) }
                    dd {
                        @match &flow.last_run {
                            Some(run) => { div.row { (components::run(view, run)) (time::at_and_ago(view, run.started_at, zone)) (outcome(view, run)) } }
                            None => { span.quiet { (view.say("never", "尚未运行")) } }
                        }
                    }
                    @if let Some(watermark) = flow.watermark {
                        dt { (view.say("Watermark", "水位")) } dd { (time::at_and_ago(view, watermark, zone)) }
                    }
                }
                @if view.operates() { (deeds(view, &flow.tenant, &flow.flow, flow)) }
            }
        }
    }
}

/// The actions an operator may take on a flow.
fn deeds(view: &View, tenant: &TenantId, flow: &FlowId, overview: &FlowOverview) -> Markup {
    let action = |what: &str| View::address(["flows", tenant.as_str(), flow.as_str(), what], []);
    let stopped = overview
        .schedule_state
        .as_ref()
        .is_some_and(|schedule_state| schedule_state.paused.is_some() || schedule_state.blocked.is_some());
    html! {
        div.actions.row {
            (components::deed(view, &action("run"), "primary", view.say("Run now", "立即运行"), None))
            @if stopped { (components::deed(view, &action("resume"), "", view.say("Resume", "恢复"), None)) } @else {
                details {
                    summary.button { (view.say("Pause…", "暂停…")) }
                    form.steps method="post" action=(action("pause")) {
                        (components::csrf(view))
                        (components::reason(view, &format!("pause-{flow}"), "why", false))
                        button type="submit" { (view.say("Pause", "暂停")) }
                    }
                }
            }
            details {
                summary.button { (view.say("Another run…", "其他运行…")) }
                form.steps method="post" action=(action("run")) {
                    (components::csrf(view))
                    div.field {
                        label for=(format!("what-{flow}")) { (view.say("What it does", "内容")) }
                        select id=(format!("what-{flow}")) name="what" {
                            @for (value, what) in
                                [("sync", RunMode::Sync), ("plan", RunMode::Plan), ("drift", RunMode::Drift)] {
                                option value=(value) { (view.word(what.label())) }
                            }
                        }
                    }
                    (tick(&format!("full-{flow}"), "full", view.say(
                        "Read the whole form, and try quarantined records again",
                        "读取整个表单，并重试待修正的记录",
                    )))
                    (tick(&format!("missing-{flow}"), "accept_missing", view.say(
                        "Believe the form even if most of its rows are missing",
                        "即使表单缺少大部分数据也照此处理",
                    )))
                    button type="submit" { (view.say("Run", "运行")) }
                }
            }
            details {
                summary.button { (view.say("Take over members…", "接管已有成员…")) }
                form.steps method="post" action=(action("run")) {
                    (components::csrf(view))
                    input type="hidden" name="what" value="adopt";
                    p.small {
                        (view.say(
                            "Makes a plan for the members who were in WeCom before ruzhi. Nothing is written before you apply that plan.",
                            "为此前已在企业微信中的成员生成接管计划；执行计划之前不会写入。",
                        ))
                    }
                    div.field {
                        label for=(format!("by-{flow}")) { (view.say("Recognised by", "识别方式")) }
                        select id=(format!("by-{flow}")) name="by" {
                            option value="either" { (view.say("account or mobile", "账号或手机号")) }
                            option value="userid" { (view.say("account", "账号")) }
                            option value="mobile" { (view.say("mobile", "手机号")) }
                        }
                    }
                    button type="submit" { (view.say("Make the plan", "生成计划")) }
                }
            }
        }
    }
}

/// A checkbox.
fn tick(id: &str, name: &str, word: &str) -> Markup {
    html! {
        div.check {
            input id=(id) type="checkbox" name=(name) value="1";
            label for=(id) { (word) }
        }
    }
}
