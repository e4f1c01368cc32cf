//! The page of a run: its progress while under way, then its outcome.

use maud::{Markup, html};

use super::layout::{Area, HtmlPage};
use super::view::View;
use super::{components, drift, labels, time};
use ruzhi_app::LiveRun;
use ruzhi_app::RunView;
use ruzhi_message::Report;
use ruzhi_store::{RunKind, RunRow, RunState};
use ruzhi_sync::Stage;

/// The stages, in order.
const STAGES: [Stage; 4] = [Stage::Settle, Stage::Collect, Stage::Plan, Stage::Apply];

/// One run.
pub(super) fn page(view: &View, told: &RunView) -> HtmlPage {
    let run = &told.run;
    let zone = view.zone(&run.tenant);
    let is_check = run.kind == RunKind::Drift && run.plan.is_none();
    let events = View::address(["api", "v1", "runs", run.id.as_str(), "events"], []);
    let body = html! {
        @if let Some(live) = told.live.as_ref().filter(|live| live.stage.is_some()) {
            section.box #running data-events=(events) aria-labelledby="running-title" {
                header {
                    h2 #running-title { (view.say("Under way", "进行中")) }
                    span.quiet { (time::since(view, run.started_at)) }
                }
                div.body { (under_way(view, live)) }
            }
        }
        @if let Some(problem) = &run.problem {
            div.note.bad role="alert" {
                p { strong { bdi { (problem.in_lang(view.lang())) } } }
                @if let Some(hint) = run.failure.as_ref().and_then(Report::page_hint) {
                    p { bdi { (hint.in_lang(view.lang())) } }
                }
                p {
                    (view.say(
                        "What was done before is done and stored. The next run goes on from there.",
                        "此前完成的操作已保存，下一次运行会接着做。",
                    ))
                }
            }
        }
        @if let Some(plan) = &run.plan {
            div.note.(if run.state == RunState::Held { "warn" } else { "" }) {
                div.row.between {
                    div.row {
                        span { (view.say("Plan", "计划")) " " code { (plan) } }
                        @if let Some(state) = told.plan_state { (components::badge(labels::plan_state(view, state))) }
                        @if let Some(count) = told.operations {
                            span { (view.tell(format!("{} operations", components::number(count)), format!("{} 个操作", components::number(count)))) }
                        }
                    }
                    a.button href=(View::address(["plans", run.tenant.as_str(), plan.as_str()], [])) { (view.say("Read the plan", "查看计划")) }
                }
            }
        }
        @if let Some(drift) = &told.drift { (drift::differences(view, drift, false)) }
        @else if is_check && run.state == RunState::Done {
            div.note {
                div.row.between {
                    span { (view.say("A later comparison has replaced this one.", "已有更新的比对结果。")) }
                    a.button href=(View::address(["drift", run.tenant.as_str()], [])) { (view.say("See the latest", "查看最新结果")) }
                }
            }
        }
        @if told.may_revert && view.operates() { (undo(view, run)) }
        @if told.live.is_none() && !is_check {
            section.section aria-labelledby="outcome-title" {
                h2 #outcome-title {
                    @if matches!(run.kind, RunKind::Sync | RunKind::Apply) { (view.say("Outcome", "结果")) }
                    @else { (view.say("What would be done", "将要执行的内容")) }
                }
                (components::tally(view, &run.counts))
            }
        }
        div.columns {
            section.box aria-labelledby="facts-title" {
                header { h2 #facts-title { (view.say("About this run", "本次运行")) } }
                div.body {
                    dl.facts {
                        dt { (view.say("Flow", "同步流")) } dd { (components::flow(view, &run.tenant, &run.flow)) }
                        dt { (view.say("Kind", "类型")) } dd { (view.word(run.kind.label())) }
                        @if let Some(cause) = run.cause {
                            dt { (view.say("Cause", "起因")) } dd { (view.word(cause.label())) }
                        }
                        dt { (view.say("Began", "开始")) } dd { (time::exact(run.started_at, zone)) }
                        @if let Some(ended) = run.ended_at { dt { (view.say("Ended", "结束")) } dd { (time::exact(ended, zone)) } }
                        dt { (view.say("Took", "用时")) }
                        dd {
                            @if run.ended_at.is_none() { (time::since(view, run.started_at)) }
                            @else { (time::span(view.lang(), chrono::TimeDelta::seconds(told.seconds))) }
                        }
                        @if let Some(rules) = &told.rules {
                            dt { (view.say("Rules", "同步规则")) }
                            dd {
                                bdi { (rules.name) " " (rules.version) } " "
                                a href=(View::address(["rules", run.tenant.as_str(), run.flow.as_str()], [])) { "#" (rules.number) }
                                " " code title=(rules.rules.as_str()) { (rules.rules.short()) }
                            }
                        } @else if let Some(rules) = &run.rules {
                            dt { (view.say("Rules", "同步规则")) } dd { (components::digest(view, rules)) }
                        }
                        dt { (view.say("Run id", "运行编号")) } dd { code { (run.id) } " " (components::copy(view, run.id.as_str())) }
                    }
                }
            }
            // Calls are counted when the run ends.
            @if run.ended_at.is_some() {
            section.box aria-labelledby="calls-title" {
                header { h2 #calls-title { (view.say("Calls made", "接口调用")) } }
                @if run.calls.is_empty() { (components::empty(view.say("None.", "无。"))) } @else { (calls(view, run)) }
            }
            }
        }
    };
    let kind = view.word(run.kind.label());
    let title = view.tell(format!("Run: {kind}"), format!("运行：{kind}"));
    HtmlPage {
        badge: Some(components::badge(labels::run_state(view, run))),
        crumbs: vec![
            ("/runs".to_owned(), view.say("Runs", "运行").to_owned()),
            (View::address(["tenants", run.tenant.as_str()], []), view.name(&run.tenant).to_owned()),
        ],
        under: Some(html! {
            bdi { (view.name(&run.tenant)) } " " code { (run.flow) } " · " (time::at_and_ago(view, run.started_at, zone))
        }),
        reload: told.live.is_some().then_some(3),
        ..HtmlPage::new(Area::Runs, title, body)
    }
}

fn calls(view: &View, run: &RunRow) -> Markup {
    html! {
        table.table.keep {
            caption.hidden { (view.say("Calls by API", "按接口统计的调用")) }
            thead { tr { th scope="col" { (view.say("API", "接口")) } th.number scope="col" { (view.say("Calls", "次数")) } } }
            tbody {
                @for (api, count) in &run.calls { tr { th scope="row" { code { (api) } } td.number { (components::number(*count)) } } }
            }
        }
    }
}

/// The form that plans to undo a run.
fn undo(view: &View, run: &RunRow) -> Markup {
    let action = View::address(["flows", run.tenant.as_str(), run.flow.as_str(), "run"], []);
    html! {
        details.more {
            summary.button { (view.say("Undo this run…", "撤销本次运行…")) }
            form.steps method="post" action=(action) {
                (components::csrf(view))
                input type="hidden" name="what" value="revert";
                input type="hidden" name="run" value=(run.id);
                p {
                    (view.say(
                        "This makes a plan that gives each member of this run the former values. Nothing is written before you apply that plan. A member who was changed since is left out.",
                        "将生成一个计划，把本次运行涉及的成员恢复为之前的内容；执行计划之前不会写入。此后又被改动的成员不会恢复。",
                    ))
                }
                button type="submit" { (view.say("Plan the undo", "生成撤销计划")) }
            }
        }
    }
}

fn under_way(view: &View, live: &LiveRun) -> Markup {
    let at = STAGES.iter().position(|stage| Some(*stage) == live.stage);
    let said = view.say(
        "{stage}: {rows} rows read, {settled} of {planned} operations done.",
        "{stage}：已读取 {rows} 行，已完成 {settled}/{planned} 个操作。",
    );
    html! {
        ol.stages {
            @for (place, stage) in STAGES.into_iter().enumerate() {
                @let (id, word) = (stage.as_str(), view.word(stage.label()));
                li.past[at.is_some_and(|at| place < at)] data-stage=(id) aria-current=[(Some(place) == at).then_some("step")] {
                    span.dot aria-hidden="true" {}
                    span.name { (word) }
                }
            }
        }
        (bar(view, live))
        dl.tally {
            div { dt { (view.say("rows read", "已读取行")) } dd data-live="rows" { (components::number(live.rows)) } }
            div {
                dt { (view.say("operations done", "已完成操作")) }
                dd { span data-live="settled" { (components::number(live.settled)) } span.quiet.small { " / " span data-live="planned" { (components::number(live.planned)) } } }
            }
            div { dt { (view.say("a second", "每秒")) } dd data-live="rate" { (rate(live.per_second)) } }
            div {
                dt { (view.say("left", "预计剩余")) }
                dd data-live="eta" {
                    @match live.eta_seconds.and_then(|seconds| i64::try_from(seconds).ok()).and_then(chrono::TimeDelta::try_seconds) {
                        Some(left) => { (time::span(view.lang(), left)) }
                        None => { "–" }
                    }
                }
            }
        }
        p.hidden role="status" aria-live="polite" data-say=(said) {}
        noscript { p.quiet { (view.say("This page is loaded again every three seconds.", "本页每三秒自动刷新。")) } }
    }
}

fn rate(per_second: f64) -> String {
    if per_second > 0.0 { format!("{per_second:.1}") } else { "–".to_owned() }
}

/// The progress of a plan; indeterminate while it is unknown.
pub(super) fn bar(view: &View, live: &LiveRun) -> Markup {
    html! {
        progress data-live-bar max=(live.planned.max(1)) value=[(live.planned > 0).then_some(live.settled)]
            aria-label=(view.say("Operations done", "已完成操作")) {}
    }
}

/// The progress of a run in words.
pub(super) fn progress(view: &View, live: &LiveRun) -> String {
    let (rows, settled, planned) =
        (components::number(live.rows), components::number(live.settled), components::number(live.planned));
    if live.planned > 0 {
        view.tell(format!("{settled} of {planned} operations"), format!("操作 {settled}/{planned}"))
    } else {
        view.tell(format!("{rows} rows read"), format!("已读取 {rows} 行"))
    }
}
