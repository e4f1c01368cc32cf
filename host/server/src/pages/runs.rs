//! The runs, newest first.

use maud::html;

use super::layout::{Area, HtmlPage};
use super::view::View;
use super::{components, labels, time};
use ruzhi_app::RunsQuery;
use ruzhi_store::{RunKind, RunRow, RunState};

const STATES: [(&str, RunState); 4] = [
    ("running", RunState::Running),
    ("done", RunState::Done),
    ("held", RunState::Held),
    ("failed", RunState::Failed),
];

const KINDS: [(&str, RunKind); 6] = [
    ("sync", RunKind::Sync),
    ("plan", RunKind::Plan),
    ("apply", RunKind::Apply),
    ("adopt", RunKind::Adopt),
    ("revert", RunKind::Revert),
    ("drift", RunKind::Drift),
];

/// The matching runs.
pub(super) fn page(view: &View, runs: &ruzhi_app::Page<RunRow>, asked: &RunsQuery) -> HtmlPage {
    let state = STATES.iter().find(|(_, state)| Some(*state) == asked.state).map(|(word, _)| *word);
    let kind = KINDS.iter().find(|(_, kind)| Some(*kind) == asked.kind).map(|(word, _)| *word);
    let address = |cursor: Option<&str>| {
        View::address(
            ["runs"],
            [
                ("tenant", asked.tenant.as_ref().map(|tenant| tenant.as_str())),
                ("flow", asked.flow.as_ref().map(|flow| flow.as_str())),
                ("state", state),
                ("kind", kind),
                ("cursor", cursor),
            ],
        )
    };
    let body = html! {
        form.filters method="get" action="/runs" role="search" {
            (components::tenant_field(view, asked.tenant.as_ref()))
            (components::flow_field(view, asked.flow.as_ref()))
            div.field {
                label for="state" { (view.say("State", "状态")) }
                select #state name="state" {
                    option value="" { (view.say("all", "全部")) }
                    @for (value, state) in STATES {
                        option value=(value) selected[Some(state) == asked.state] { (state_word(view, state)) }
                    }
                }
            }
            div.field {
                label for="kind" { (view.say("Kind", "类型")) }
                select #kind name="kind" {
                    option value="" { (view.say("all", "全部")) }
                    @for (value, kind) in KINDS {
                        option value=(value) selected[Some(kind) == asked.kind] { (view.word(kind.label())) }
                    }
                }
            }
            button type="submit" { (view.say("Filter", "筛选")) }
        }
        div.box {
            @if runs.items.is_empty() {
                (components::empty(view.say("No run fits.", "没有符合条件的运行。")))
            } @else {
                table.table {
                    caption.hidden { (view.say("Runs, newest first", "运行，新的在前")) }
                    thead {
                        tr {
                            th scope="col" { (view.say("Began", "开始")) }
                            th scope="col" { (view.say("Flow", "同步流")) }
                            th scope="col" { (view.say("Kind", "类型")) }
                            th scope="col" { (view.say("State", "状态")) }
                            th scope="col" { (view.say("Outcome", "结果")) }
                            th.number scope="col" { (view.say("Took", "用时")) }
                        }
                    }
                    tbody { @for run in &runs.items { (line(view, run)) } }
                }
                (components::pager(view, asked.cursor.as_ref().map(|_| address(None)), runs.next_cursor.as_deref().map(|next| address(Some(next)))))
            }
        }
    };
    HtmlPage::new(Area::Runs, view.say("Runs", "运行"), body)
}

fn line(view: &View, run: &RunRow) -> maud::Markup {
    html! {
        tr {
            th scope="row" {
                a href=(View::address(["runs", run.id.as_str()], [])) { (time::at(view, run.started_at, view.zone(&run.tenant))) }
            }
            td data-label=(view.say("Flow", "同步流")) { div { (components::flow(view, &run.tenant, &run.flow)) } }
            td data-label=(view.say("Kind", "类型")) { (view.word(run.kind.label())) }
            td data-label=(view.say("State", "状态")) { div { (components::badge(labels::run_state(view, run))) } }
            td data-label=(view.say("Outcome", "结果")) {
                div.stack {
                    @if let Some(problem) = &run.problem { bdi.small { (problem.in_lang(view.lang())) } }
                    div { (components::counts(view, &run.counts)) }
                }
            }
            td.number data-label=(view.say("Took", "用时")) {
                @match run.ended_at {
                    Some(ended) => { (time::span(view.lang(), ended - run.started_at)) }
                    None => { (time::since(view, run.started_at)) }
                }
            }
        }
    }
}

fn state_word(view: &View, state: RunState) -> &'static str {
    match state {
        RunState::Running => view.say("running", "运行中"),
        RunState::Done => view.say("done", "完成"),
        RunState::Held => view.say("held", "待审批"),
        RunState::Failed => view.say("failed", "失败"),
    }
}
