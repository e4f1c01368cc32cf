//! Changes made by hand: the differences between directory and ledger, and the three ways to settle them.

use maud::{Markup, html};

use super::layout::{Area, HtmlPage};
use super::view::View;
use super::{components, time};
use ruzhi_app::{DriftQuery, DriftView};
use ruzhi_model::{Origin, TenantId};
use ruzhi_plan::drift::DriftFinding;

/// The differences of a tenant.
pub(super) fn page(
    view: &View,
    tenant: &TenantId,
    drift: Option<&DriftView>,
    asked: &DriftQuery,
) -> HtmlPage {
    let body = html! {
        @match drift {
            Some(drift) => (differences(view, drift, asked.cursor.is_some()))
            None => (components::empty(view.say(
                "The directory has not been compared with the ledger yet.",
                "尚未与通讯录比对过。",
            )))
        }
    };
    HtmlPage {
        badge: None,
        crumbs: vec![(View::address(["tenants", tenant.as_str()], []), view.name(tenant).to_owned())],
        ..HtmlPage::new(Area::Overview, view.say("Changes made by hand", "手工改动"), body)
    }
}

/// A page of differences with the ways to settle all of them. `further` says that it is not the first page.
pub(super) fn differences(view: &View, drift: &DriftView, further: bool) -> Markup {
    let zone = view.zone(&drift.tenant);
    let here = |cursor: Option<&str>| View::address(["drift", drift.tenant.as_str()], [("cursor", cursor)]);
    let next = drift.next_cursor.map(|next| next.to_string());
    html! {
        section.box aria-labelledby="drift-title" {
            header {
                h2 #drift-title {
                    (view.tell(
                        format!("{} differences from what ruzhi wrote", components::number(drift.total)),
                        format!("与 ruzhi 写入的内容有 {} 处不同", components::number(drift.total)),
                    ))
                }
                span.quiet.small {
                    (view.say("compared", "比对于")) " " (time::at_and_ago(view, drift.at, zone)) " · "
                    a href=(View::address(["runs", drift.run.as_str()], [])) { (view.say("the run", "查看运行")) }
                }
            }
            @if drift.items.is_empty() {
                (components::empty(view.say("No differences are left.", "没有差异。")))
            } @else {
                table.table.keep {
                    caption.hidden { (view.say("Differences", "差异")) }
                    thead {
                        tr {
                            th scope="col" { (view.say("Account", "账号")) }
                            th scope="col" { (view.say("Difference", "差异")) }
                            th scope="col" { (view.say("Record", "记录")) }
                        }
                    }
                    tbody { @for finding in &drift.items { (row(view, &drift.tenant, finding)) } }
                }
                (components::pager(view, further.then(|| here(None)), next.as_deref().map(|next| here(Some(next)))))
            }
        }
        @if drift.total > 0 && view.operates() { (settle(view, drift)) }
    }
}

fn row(view: &View, tenant: &TenantId, finding: &DriftFinding) -> Markup {
    let text = finding.text(str::to_owned);
    html! {
        tr {
            th scope="row" { code { (finding.userid()) } }
            td { bdi { (text.in_lang(view.lang())) } }
            td {
                @match finding.owner() {
                    Some(Origin { flow, record, .. }) => {
                        a href=(View::address(["records", tenant.as_str(), flow.as_str(), record.as_str()], [])) {
                            code { (record) }
                        }
                    }
                    None => { "–" }
                }
            }
        }
    }
}

/// Each way makes a plan of its own, which waits to be applied or approved.
fn settle(view: &View, drift: &DriftView) -> Markup {
    let action = View::address(["flows", drift.tenant.as_str(), drift.flow.as_str(), "run"], []);
    let ways = [
        (
            "keep",
            view.say("Keep the changes", "保留改动"),
            view.say(
                "The directory stays as it is, and ruzhi remembers it.",
                "通讯录保持现状，ruzhi 以此为准。",
            ),
        ),
        (
            "overwrite",
            view.say("Restore ruzhi's values", "恢复为 ruzhi 写入的内容"),
            view.say(
                "The members are written again as ruzhi last wrote them.",
                "按 ruzhi 上次写入的内容重新写入。",
            ),
        ),
        (
            "adopt",
            view.say("Take over", "接管成员"),
            view.say(
                "Members that a record names and ruzhi does not manage become ruzhi's.",
                "由记录指名、但尚未由 ruzhi 管理的成员，改由 ruzhi 管理。",
            ),
        ),
    ];
    html! {
        section.box aria-labelledby="settle-title" {
            header { h2 #settle-title { (view.say("Settle the differences", "处理差异")) } }
            div.body {
                p {
                    (view.say(
                        "Each choice makes a plan for all of them. Nothing is written before you apply that plan.",
                        "每种方式都会为全部差异生成一个计划，执行计划之前不会写入。",
                    ))
                }
                dl.facts {
                    @for (settle, word, told) in ways {
                        dt {
                            form method="post" action=(action) {
                                (components::csrf(view))
                                input type="hidden" name="what" value="drift";
                                input type="hidden" name="settle" value=(settle);
                                button type="submit" { (word) }
                            }
                        }
                        dd { (told) }
                    }
                }
            }
        }
    }
}
