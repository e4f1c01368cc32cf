//! Failures as pages, with advice on the next step and a code to look up.

use axum::response::Response;
use maud::{Markup, html};

use super::components;
use super::layout::{self, Area, HtmlPage};
use super::view::View;
use crate::api::answer::status;
use ruzhi_message::{Report, ReportKind, exit};
use ruzhi_model::{Lang, Text};

/// A page for a failure.
pub(super) fn page(view: &View, report: &Report) -> Response {
    let mut answer = drawn(view, report).answer(view);
    *answer.status_mut() = status(report);
    answer
}

pub(super) fn drawn(view: &View, report: &Report) -> HtmlPage {
    let title = view.say("That could not be done", "未能完成");
    let body = html! {
        div.note.bad role="alert" {
            (components::report(view, report))
            @if let Some(problems) = report.problems() { pre { (problems.render(view.lang()).trim_end()) } }
            p.quiet.small { (view.say("Code", "代码")) " " code { (report.code()) } }
        }
        p { a href="/" { (view.say("Back to the overview", "返回概览")) } }
    };
    HtmlPage::new(Area::Overview, title, body)
}

/// The page for an unknown address.
pub(super) async fn missing(view: View) -> Response {
    let report = Report::new(
        exit::USAGE,
        "page.unknown",
        Text::new("there is no such page", "没有这个页面"),
        Some(Text::new("begin at the overview", "请从概览开始")),
    )
    .of_kind(ReportKind::Unknown);
    page(&view, &report)
}

/// The page for access denied before the caller is known.
pub(crate) fn at_the_door(lang: Lang, report: &Report) -> Markup {
    let body = html! {
        div.login {
            main {
                h1 { "ruzhi " span lang="zh-CN" { "入职" } }
                div.note.bad role="alert" {
                    p { strong { (report.text().in_lang(lang)) } }
                    @if let Some(hint) = report.page_hint() { p { (hint.in_lang(lang)) } }
                    p.quiet.small { code { (report.code()) } }
                }
            }
        }
    };
    layout::document(lang, report.text().in_lang(lang), None, &body)
}
