//! A flow's schedule in words. A cron expression of a less usual form is shown as it is written.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::view::View;
use ruzhi_model::Lang;

/// The most times of a day, minutes of an hour or days of a month that are listed one by one.
const LISTED: usize = 6;

/// A schedule in words, with its expression as a tooltip; or the expression itself.
pub(super) fn schedule(view: &View, expression: &str) -> Markup {
    html! {
        @match words(expression, view.lang()) {
            Some(words) => { span title=(expression) { (words) } }
            None => { code { (expression) } }
        }
    }
}

/// A field of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    /// Every value.
    Any,
    /// Every so many, from the first on.
    Every(u32),
    /// These values.
    Some(BTreeSet<u32>),
}

/// A time of day: hour and minute.
type TimeOfDay = (u32, u32);

/// The moments of a day.
enum Moments {
    /// Times of day.
    Times(Vec<TimeOfDay>),
    /// An interval, in both languages, and the first and last time of day if it is not the whole day.
    Interval { en: String, zh: String, within: Option<(TimeOfDay, TimeOfDay)> },
}

/// The days of a schedule.
enum Days {
    All,
    /// From Monday, which is 1, to Sunday, which is 7.
    OfWeek(BTreeSet<u32>),
    OfMonth(BTreeSet<u32>),
}

/// A cron expression of five fields in words; none for a form that words would not make clearer.
fn words(expression: &str, lang: Lang) -> Option<String> {
    let mut fields = expression.split_whitespace();
    let [minute, hour, day, month, weekday] = std::array::from_fn(|_| fields.next());
    let minutes = field(minute?, 0, 59)?;
    let hours = field(hour?, 0, 23)?;
    let days = days(field(day?, 1, 31)?, weekdays(weekday?)?)?;
    if fields.next().is_some() || field(month?, 1, 12)? != Field::Any {
        return None;
    }
    let moments = moments(minutes, hours)?;
    Some(match lang {
        Lang::En => in_english(&moments, &days),
        Lang::Zh => in_chinese(&moments, &days),
    })
}

/// A field with values from `least` to `most`; none if it has anything but numbers, lists, ranges and steps.
fn field(text: &str, least: u32, most: u32) -> Option<Field> {
    if matches!(text, "*" | "?" | "*/1") {
        return Some(Field::Any);
    }
    let values = least..=most;
    if let Some(step) = text.strip_prefix("*/") {
        let step: u32 = step.parse().ok().filter(|step| *step > 0)?;
        let whole = least == 0 && step <= most && (most + 1).is_multiple_of(step);
        return Some(if whole { Field::Every(step) } else { Field::Some(stepped(least, most, step)) });
    }
    let mut all = BTreeSet::new();
    for part in text.split(',') {
        let (range, step): (&str, u32) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to): (u32, u32) = match range.split_once('-') {
            Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
            // A step after a single value has another meaning in each implementation.
            None if part.contains('/') => return None,
            None => (range.parse().ok()?, range.parse().ok()?),
        };
        if !values.contains(&from) || !values.contains(&to) || from > to {
            return None;
        }
        all.extend(stepped(from, to, step));
    }
    Some(if values.clone().all(|value| all.contains(&value)) { Field::Any } else { Field::Some(all) })
}

fn stepped(from: u32, to: u32, step: u32) -> BTreeSet<u32> {
    (from..=to).step_by(step as usize).collect()
}

/// The field of the weekdays, whose names are spelled out and in which Sunday is both 0 and 7.
fn weekdays(text: &str) -> Option<Field> {
    let mut text = text.to_ascii_lowercase();
    for (number, name) in ["sun", "mon", "tue", "wed", "thu", "fri", "sat"].iter().enumerate() {
        text = text.replace(name, &number.to_string());
    }
    let sunday_last = |day: u32| if day == 0 { 7 } else { day };
    Some(match field(&text, 0, 7)? {
        Field::Some(days) => {
            let days: BTreeSet<u32> = days.into_iter().map(sunday_last).collect();
            if days.len() == 7 { Field::Any } else { Field::Some(days) }
        }
        Field::Any => Field::Any,
        Field::Every(_) => return None,
    })
}

fn days(of_month: Field, of_week: Field) -> Option<Days> {
    match (of_month, of_week) {
        (Field::Any, Field::Any) => Some(Days::All),
        (Field::Any, Field::Some(days)) => Some(Days::OfWeek(days)),
        (Field::Some(days), Field::Any) if days.len() <= LISTED || range(&days).is_some() => {
            Some(Days::OfMonth(days))
        }
        _ => None,
    }
}

/// The first and the last of values without a gap, if there are at least three.
fn range(values: &BTreeSet<u32>) -> Option<(u32, u32)> {
    let (first, last) = (*values.first()?, *values.last()?);
    let is_whole = values.len() >= 3 && (last - first) as usize + 1 == values.len();
    is_whole.then_some((first, last))
}

fn moments(minutes: Field, hours: Field) -> Option<Moments> {
    let interval = |en: String, zh: String, within| Some(Moments::Interval { en, zh, within });
    match (minutes, hours) {
        (Field::Any, hours) => {
            let within = within(hours, 59)?;
            interval("every minute".to_owned(), "每分钟".to_owned(), within)
        }
        (Field::Every(step), hours) => {
            let within = within(hours, 60 - step)?;
            interval(format!("every {step} minutes"), format!("每 {step} 分钟"), within)
        }
        (Field::Some(minutes), Field::Any) => {
            let (en, zh) = past_the_hour(&minutes)?;
            interval(format!("every hour{en}"), format!("每小时{zh}"), None)
        }
        (Field::Some(minutes), Field::Every(step)) => {
            let (en, zh) = past_the_hour(&minutes)?;
            let zh = if zh == "整点" { zh } else { format!("的{zh}") };
            interval(format!("every {step} hours{en}"), format!("每 {step} 小时{zh}"), None)
        }
        (Field::Some(minutes), Field::Some(hours)) => {
            if minutes.len() * hours.len() <= LISTED {
                let of_hour = |hour: u32| minutes.iter().map(move |minute| (hour, *minute));
                return Some(Moments::Times(hours.iter().flat_map(|hour| of_hour(*hour)).collect()));
            }
            let ((from, to), 1) = (range(&hours)?, minutes.len()) else { return None };
            let minute = *minutes.first()?;
            let within = Some(((from, minute), (to, minute)));
            interval("every hour".to_owned(), "每小时一次".to_owned(), within)
        }
    }
}

/// The times between which something happens in these hours, the last one in this minute: none for the whole day, no
/// answer for hours with gaps.
fn within(hours: Field, last_minute: u32) -> Option<Option<(TimeOfDay, TimeOfDay)>> {
    match hours {
        Field::Any => Some(None),
        Field::Every(_) => None,
        Field::Some(hours) => {
            let (first, last) = (*hours.first()?, *hours.last()?);
            let is_whole = (last - first) as usize + 1 == hours.len();
            is_whole.then_some(Some(((first, 0), (last, last_minute))))
        }
    }
}

/// Minutes of an hour.
fn past_the_hour(minutes: &BTreeSet<u32>) -> Option<(String, String)> {
    if minutes.len() == 1 && minutes.contains(&0) {
        return Some((" on the hour".to_owned(), "整点".to_owned()));
    }
    if minutes.len() > LISTED {
        return None;
    }
    let noun = if minutes.len() == 1 { "minute" } else { "minutes" };
    let numbers: Vec<String> = minutes.iter().map(u32::to_string).collect();
    Some((format!(" at {noun} {}", and(&numbers)), format!("第 {} 分钟", numbers.join("、"))))
}

fn in_english(moments: &Moments, days: &Days) -> String {
    let days = match days {
        Days::All => None,
        Days::OfWeek(days) => {
            let name = |day: u32| match day {
                1 => "Monday",
                2 => "Tuesday",
                3 => "Wednesday",
                4 => "Thursday",
                5 => "Friday",
                6 => "Saturday",
                _ => "Sunday",
            };
            Some(match range(days) {
                Some((from, to)) => format!("{} to {}", name(from), name(to)),
                None => and(&days.iter().map(|day| name(*day).to_owned()).collect::<Vec<_>>()),
            })
        }
        Days::OfMonth(days) => {
            let noun = if days.len() == 1 { "day" } else { "days" };
            let list = match range(days) {
                Some((from, to)) => format!("{from} to {to}"),
                None => and(&days.iter().map(u32::to_string).collect::<Vec<_>>()),
            };
            Some(format!("{noun} {list} of each month"))
        }
    };
    match moments {
        Moments::Times(times) => {
            let times: Vec<String> = times.iter().map(|time| clock(*time)).collect();
            format!("{} at {}", days.as_deref().unwrap_or("every day"), and(&times))
        }
        Moments::Interval { en, within, .. } => {
            let within = within.map(|(from, to)| format!(" from {} to {}", clock(from), clock(to)));
            let days = days.map(|days| format!(", {days}"));
            format!("{en}{}{}", within.unwrap_or_default(), days.unwrap_or_default())
        }
    }
}

fn in_chinese(moments: &Moments, days: &Days) -> String {
    let days = match days {
        Days::All => None,
        Days::OfWeek(days) => {
            let name = |day: u32| match day {
                1 => "周一",
                2 => "周二",
                3 => "周三",
                4 => "周四",
                5 => "周五",
                6 => "周六",
                _ => "周日",
            };
            Some(match range(days) {
                Some((from, to)) => format!("每{}至{}", name(from), name(to)),
                None => format!("每{}", days.iter().map(|day| name(*day)).collect::<Vec<_>>().join("、")),
            })
        }
        Days::OfMonth(days) => Some(match range(days) {
            Some((from, to)) => format!("每月 {from} 至 {to} 日"),
            None => format!("每月 {} 日", days.iter().map(u32::to_string).collect::<Vec<_>>().join("、")),
        }),
    };
    match moments {
        Moments::Times(times) => {
            let times: Vec<String> = times.iter().map(|time| clock(*time)).collect();
            format!("{} {}", days.as_deref().unwrap_or("每天"), times.join("、"))
        }
        Moments::Interval { zh, within: None, .. } => {
            days.map_or_else(|| zh.clone(), |days| format!("{days}，{zh}"))
        }
        Moments::Interval { zh, within: Some((from, to)), .. } => {
            let days = days.as_deref().unwrap_or("每天");
            format!("{days} {} 至 {}，{zh}", clock(*from), clock(*to))
        }
    }
}

/// A time of day.
fn clock((hour, minute): TimeOfDay) -> String {
    format!("{hour:02}:{minute:02}")
}

/// An English list.
fn and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_schedules_are_told_in_both_languages() {
        for (expression, en, zh) in [
            ("* * * * *", "every minute", "每分钟"),
            ("*/1 * * * *", "every minute", "每分钟"),
            ("0-59 * * * *", "every minute", "每分钟"),
            ("*/5 * * * *", "every 5 minutes", "每 5 分钟"),
            ("*/15 * * * *", "every 15 minutes", "每 15 分钟"),
            (" */15  *  * * * ", "every 15 minutes", "每 15 分钟"),
            ("*/45 * * * *", "every hour at minutes 0 and 45", "每小时第 0、45 分钟"),
            ("0 * * * *", "every hour on the hour", "每小时整点"),
            ("*/60 * * * *", "every hour on the hour", "每小时整点"),
            ("7 * * * *", "every hour at minute 7", "每小时第 7 分钟"),
            ("5,35 * * * *", "every hour at minutes 5 and 35", "每小时第 5、35 分钟"),
            ("5-59/15 * * * *", "every hour at minutes 5, 20, 35 and 50", "每小时第 5、20、35、50 分钟"),
            ("0 */2 * * *", "every 2 hours on the hour", "每 2 小时整点"),
            ("30 */6 * * *", "every 6 hours at minute 30", "每 6 小时的第 30 分钟"),
            (
                "0 */5 * * *",
                "every day at 00:00, 05:00, 10:00, 15:00 and 20:00",
                "每天 00:00、05:00、10:00、15:00、20:00",
            ),
            ("30 8 * * *", "every day at 08:30", "每天 08:30"),
            ("30 8,18 * * *", "every day at 08:30 and 18:30", "每天 08:30、18:30"),
            (
                "0,30 8,18 * * *",
                "every day at 08:00, 08:30, 18:00 and 18:30",
                "每天 08:00、08:30、18:00、18:30",
            ),
            ("0 8-18/5 * * *", "every day at 08:00, 13:00 and 18:00", "每天 08:00、13:00、18:00"),
            ("0 8-18 * * *", "every hour from 08:00 to 18:00", "每天 08:00 至 18:00，每小时一次"),
            ("*/15 8-18 * * *", "every 15 minutes from 08:00 to 18:45", "每天 08:00 至 18:45，每 15 分钟"),
            ("* 8 * * *", "every minute from 08:00 to 08:59", "每天 08:00 至 08:59，每分钟"),
            ("30 8 * * 1-5", "Monday to Friday at 08:30", "每周一至周五 08:30"),
            ("30 8 * * MON-FRI", "Monday to Friday at 08:30", "每周一至周五 08:30"),
            ("30 8 * * 1,3", "Monday and Wednesday at 08:30", "每周一、周三 08:30"),
            ("30 8 * * 0", "Sunday at 08:30", "每周日 08:30"),
            ("30 8 * * 7", "Sunday at 08:30", "每周日 08:30"),
            ("30 8 * * 6,0", "Saturday and Sunday at 08:30", "每周六、周日 08:30"),
            ("30 8 * * 0-6", "every day at 08:30", "每天 08:30"),
            ("*/10 * * * 1-5", "every 10 minutes, Monday to Friday", "每周一至周五，每 10 分钟"),
            (
                "*/10 8-19 * * 1-6",
                "every 10 minutes from 08:00 to 19:50, Monday to Saturday",
                "每周一至周六 08:00 至 19:50，每 10 分钟",
            ),
            ("0 3 1 * *", "day 1 of each month at 03:00", "每月 1 日 03:00"),
            ("0 3 1,15 * ?", "days 1 and 15 of each month at 03:00", "每月 1、15 日 03:00"),
            ("0 3 1-10 * *", "days 1 to 10 of each month at 03:00", "每月 1 至 10 日 03:00"),
        ] {
            assert_eq!(words(expression, Lang::En).as_deref(), Some(en), "{expression}");
            assert_eq!(words(expression, Lang::Zh).as_deref(), Some(zh), "{expression}");
        }
    }

    #[test]
    fn any_other_schedule_is_shown_as_it_is_written() {
        for expression in [
            "",
            "* * * *",
            "* * * * * *",
            "0 8 1 1 *",
            "0 8 1 * 1",
            "0 8 L * *",
            "0 8 15W * *",
            "0 8 * * 1#2",
            "0 8 * * 1L",
            "0 8 * JAN *",
            "5/15 * * * *",
            "60 * * * *",
            "0 24 * * *",
            "0 8-6 * * *",
            "*/0 * * * *",
            "*/7 * * * *",
            "*/15 */2 * * *",
            "*/15 8,18 * * *",
            "0,10,20,30 8-18 * * *",
            "1,2,3,5,8,13,21 * * * *",
            "0 8 */2 * *",
            "@daily",
        ] {
            assert_eq!(words(expression, Lang::Zh), None, "{expression}");
        }
    }
}
