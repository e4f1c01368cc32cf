//! Times and durations as a person reads them, in the tenant's time zone.

use chrono::{DateTime, Datelike as _, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use maud::{Markup, html};

use super::view::View;
use ruzhi_model::Lang;

/// A time: without the date if it is today. The full time shows on hover.
pub(super) fn at(view: &View, moment: DateTime<Utc>, zone: Tz) -> Markup {
    let (local, today) = (moment.with_timezone(&zone), view.now.with_timezone(&zone));
    let short = if local.date_naive() == today.date_naive() {
        "%H:%M"
    } else if local.year() == today.year() {
        "%m-%d %H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    time(moment, zone, &local.format(short).to_string())
}

/// A time with seconds, for lists read line by line.
pub(super) fn exact(moment: DateTime<Utc>, zone: Tz) -> Markup {
    time(moment, zone, &moment.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string())
}

fn time(moment: DateTime<Utc>, zone: Tz, shown: &str) -> Markup {
    let whole = moment.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S");
    html! { time.nowrap datetime=(stamp(moment)) title=(format!("{whole} {}", zone.name())) { (shown) } }
}

/// A time and how long ago it was.
pub(super) fn at_and_ago(view: &View, moment: DateTime<Utc>, zone: Tz) -> Markup {
    html! { (at(view, moment, zone)) " " span.quiet.small { (ago(view, moment)) } }
}

/// The distance of a time from now, past or future.
pub(super) fn ago(view: &View, moment: DateTime<Utc>) -> Markup {
    html! { span.nowrap data-ago=(stamp(moment)) { (relative(view, moment)) } }
}

/// The duration from a time until now.
pub(super) fn since(view: &View, moment: DateTime<Utc>) -> Markup {
    html! { span.nowrap data-since=(stamp(moment)) { (span(view.lang(), view.now - moment)) } }
}

fn stamp(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn relative(view: &View, moment: DateTime<Utc>) -> String {
    let delta = moment - view.now;
    let seconds = delta.num_seconds().unsigned_abs();
    let (count, en, zh) = match seconds {
        0..60 => (seconds, "second", "秒钟"),
        60..3600 => (seconds / 60, "minute", "分钟"),
        3600..86_400 => (seconds / 3600, "hour", "小时"),
        _ => (seconds / 86_400, "day", "天"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if delta > TimeDelta::zero() {
        view.tell(format!("in {count} {en}{plural}"), format!("{count}{zh}后"))
    } else {
        view.tell(format!("{count} {en}{plural} ago"), format!("{count}{zh}前"))
    }
}

/// A duration in its two largest units.
pub(super) fn span(lang: Lang, span: TimeDelta) -> String {
    if span < TimeDelta::seconds(1) && span > TimeDelta::zero() {
        return match lang {
            Lang::En => format!("{} ms", span.num_milliseconds()),
            Lang::Zh => format!("{}毫秒", span.num_milliseconds()),
        };
    }
    let seconds = span.num_seconds().max(0);
    let (hours, minutes, rest) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
    match (lang, hours, minutes) {
        (Lang::En, 0, 0) => format!("{rest} sec"),
        (Lang::Zh, 0, 0) => format!("{rest}秒"),
        (Lang::En, 0, _) if rest == 0 => format!("{minutes} min"),
        (Lang::Zh, 0, _) if rest == 0 => format!("{minutes}分钟"),
        (Lang::En, 0, _) => format!("{minutes} min {rest} sec"),
        (Lang::En, ..) => format!("{hours} hr {minutes} min"),
        (Lang::Zh, 0, _) => format!("{minutes}分钟{rest}秒"),
        (Lang::Zh, ..) => format!("{hours}小时{minutes}分钟"),
    }
}
