//! Charts as SVG. They contain no text that would shrink with them: labels are HTML beside them. Every chart is also a
//! table, for screen readers and for the exact numbers.

use maud::{Markup, html};

use super::components::number;
use super::view::View;

/// The size of a chart in its own units; it stretches to the available width.
const WIDTH: u64 = 1000;
const HEIGHT: u64 = 200;

/// Runs of one hour or day, by how they ended.
pub(super) struct ChartColumn {
    /// Its time as a person reads it.
    pub(super) label: String,
    /// Runs that completed.
    pub(super) done: u64,
    /// Runs whose plan is held by the guard.
    pub(super) held: u64,
    /// Runs that failed.
    pub(super) failed: u64,
}

impl ChartColumn {
    fn sum(&self) -> u64 {
        self.done + self.held + self.failed
    }
}

/// A chart of completed, held and failed runs, oldest first.
pub(super) fn runs(view: &View, title: &str, columns: &[ChartColumn]) -> Markup {
    let top = round_up(columns.iter().map(ChartColumn::sum).max().unwrap_or(0));
    let count = (columns.len() as u64).max(1);
    let step = WIDTH / count;
    let (done, held, failed) =
        (view.say("done", "完成"), view.say("held", "待审批"), view.say("failed", "失败"));
    let sum = |part: fn(&ChartColumn) -> u64| number(columns.iter().map(part).sum::<u64>());
    let (all_done, all_held, all_failed) =
        (sum(|column| column.done), sum(|column| column.held), sum(|column| column.failed));
    let said = view.tell(
        format!("{all_done} done, {all_held} held, {all_failed} failed in all."),
        format!("合计：完成 {all_done}，待审批 {all_held}，失败 {all_failed}。"),
    );
    html! {
        div.row.between {
            ul.legend {
                @for (class, word) in [("done", done), ("held", held), ("failed", failed)] {
                    li { svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true" { (swatch(class)) } (word) }
                }
            }
            span.quiet.small { (view.tell(format!("the line: {}", number(top)), format!("横线：{}", number(top)))) }
        }
        svg.chart.runs role="img" aria-labelledby="runs-title runs-desc" viewBox=(format!("0 0 {WIDTH} {HEIGHT}"))
            preserveAspectRatio="none" width="100%" height="180" {
            title #runs-title { (title) }
            desc #runs-desc { (said) }
            line.grid x1="0" x2=(WIDTH) y1="1" y2="1" {}
            line.grid x1="0" x2=(WIDTH) y1=(HEIGHT / 2) y2=(HEIGHT / 2) {}
            line.grid x1="0" x2=(WIDTH) y1=(HEIGHT - 1) y2=(HEIGHT - 1) {}
            @for (at, column) in columns.iter().enumerate() {
                @let left = at as u64 * WIDTH / count + step / 8;
                @let (high_done, high_held, high_failed) =
                    (height(column.done, top), height(column.held, top), height(column.failed, top));
                g {
                    title {
                        (column.label) ": " (done) " " (column.done) ", " (held) " " (column.held) ", " (failed) " " (column.failed)
                    }
                    (bar("done", left, step * 3 / 4, HEIGHT - high_done, high_done))
                    (bar("held", left, step * 3 / 4, HEIGHT - high_done - high_held, high_held))
                    (bar("failed", left, step * 3 / 4, HEIGHT - high_done - high_held - high_failed, high_failed))
                    rect x=(at as u64 * WIDTH / count) y="0" width=(step) height=(HEIGHT) fill="transparent" {}
                }
            }
        }
        div.row.between.quiet.small {
            @for column in [columns.first(), columns.get(columns.len() / 2), columns.last()].into_iter().flatten() {
                span { (column.label) }
            }
        }
        details.more {
            summary { (view.say("The same as a table", "以表格查看")) }
            div.scroll {
                table.table.keep {
                    caption.hidden { (title) }
                    thead {
                        tr {
                            th scope="col" { (view.say("When", "时间")) }
                            @for word in [done, held, failed] { th.number scope="col" { (word) } }
                        }
                    }
                    tbody {
                        @for column in columns.iter().rev().filter(|column| column.sum() > 0) {
                            tr {
                                th scope="row" { (column.label) }
                                @for count in [column.done, column.held, column.failed] { td.number { (number(count)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn swatch(class: &str) -> Markup {
    html! { rect.(class) width="12" height="12" rx="2" {} }
}

fn bar(class: &str, x: u64, width: u64, y: u64, height: u64) -> Markup {
    html! {
        @if height > 0 { rect.edge.(class) x=(x) y=(y) width=(width.max(1)) height=(height) {} }
    }
}

/// The height of a bar; every count above zero is visible.
fn height(count: u64, top: u64) -> u64 {
    if count == 0 { 0 } else { (count * (HEIGHT - 4) / top.max(1)).max(3) }
}

/// The end of a scale: the next of 1, 2, 3, 4, 5, 6, 8, 10, 20 …
fn round_up(count: u64) -> u64 {
    let powers = std::iter::successors(Some(1_u64), |power| power.checked_mul(10));
    let mut steps = powers.flat_map(|power| [1, 2, 3, 4, 5, 6, 8].map(|step| power.saturating_mul(step)));
    steps.find(|step| *step >= count).unwrap_or(count)
}

/// A bar that shows a part of a whole, for use beside the number.
pub(super) fn share(class: &str, part: u64, whole: u64) -> Markup {
    let filled = part.min(whole).saturating_mul(WIDTH).checked_div(whole).unwrap_or(0);
    html! {
        svg.chart.share viewBox=(format!("0 0 {WIDTH} 10")) preserveAspectRatio="none" width="100%" height="10"
            aria-hidden="true" focusable="false" {
            rect.track width=(WIDTH) height="10" {}
            @if part > 0 { rect.(class) width=(filled.max(4)) height="10" {} }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number_that_is_enough() {
        for (count, top) in [(0, 1), (1, 1), (3, 3), (7, 8), (9, 10), (11, 20), (288, 300), (1001, 2000)] {
            assert_eq!(round_up(count), top, "{count}");
        }
        assert_eq!(round_up(u64::MAX), u64::MAX);
    }

    #[test]
    fn what_is_not_nothing_is_seen_and_what_is_nothing_is_not() {
        assert_eq!(height(0, 1000), 0);
        assert!(height(1, 1_000_000) > 0);
        assert_eq!(height(1000, 1000), HEIGHT - 4);
    }
}
