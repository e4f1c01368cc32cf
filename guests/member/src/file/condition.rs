//! The items of `when`.

use ruzhi_guest::date;
use ruzhi_guest::text::Cleaning;
use ruzhi_guest::zone::Zone;
use serde_json::Value;

use super::entry::{read_cleaning, read_date_input};
use super::finding::{Findings, Keys};
use crate::rules::{Choices, Condition, DateFormat, Day, Entry, Test, Then};
use crate::template::{Path, Template};

const TESTS: [&str; 7] = ["equals", "in", "not_in", "empty", "not_empty", "before", "after"];
const THEN: [(&str, Then); 4] =
    [("upsert", Then::Upsert), ("leave", Then::Leave), ("ignore", Then::Ignore), ("reject", Then::Reject)];

/// Reads a condition. If it does not define how its field is cleaned and its dates are read, the entry filled from
/// the same field alone does.
pub(super) fn read(
    value: &Value,
    index: usize,
    entries: &[Entry],
    findings: &mut Findings,
) -> Option<Condition> {
    let mut keys = Keys::read(value, format!("when[{index}]"), findings)?;
    let mut known = vec!["field", "label", "format", "then", "message"];
    known.extend(TESTS);
    keys.reject_unknown(&known, &[]);
    let path = match keys.text("field") {
        Some(name) => match Path::parse(name.trim().trim_start_matches('{').trim_end_matches('}')) {
            Ok(path) => Some(path),
            Err(_) => {
                keys.add(
                    "field",
                    "不是表单字段名，应如 flowState 或 _widget_1",
                    "is no name of a form field such as flowState or _widget_1",
                );
                None
            }
        },
        None => {
            keys.add("field", "缺少表单字段名", "the form field's name is missing");
            None
        }
    };
    let label = keys.text("label");
    let (cleaning, date) = format(&mut keys, reader(path.as_ref(), entries));
    let is_contact = readers(path.as_ref(), entries).any(|entry| entry.target.field().is_contact());
    let message = keys.told("message");
    let then = match keys.has("then") {
        true => keys.word("then", &THEN),
        false => {
            keys.add(
                "then",
                "缺少，应为 upsert、leave、ignore 或 reject",
                "is missing: upsert, leave, ignore or reject",
            );
            None
        }
    };
    let given: Vec<&str> = TESTS.into_iter().filter(|test| keys.has(test)).collect();
    let test = match given.as_slice() {
        [test] => read_test(test, &cleaning, &mut keys),
        _ => {
            let listed = TESTS.join(", ");
            keys.add(
                "",
                format_args!("应恰好有一个判断条件（{listed}）"),
                format_args!("needs exactly one test of {listed}"),
            );
            None
        }
    };
    Some(Condition { path: path?, label, cleaning, date, is_contact, test: test?, then: then?, message })
}

/// The entries filled from a single field alone.
fn readers<'e>(path: Option<&Path>, entries: &'e [Entry]) -> impl Iterator<Item = &'e Entry> {
    entries.iter().filter(move |entry| match &entry.template {
        Template::Single(read) => path == Some(read),
        Template::Constant(_) | Template::Mixture(_) => false,
    })
}

/// The first of them that defines how the field is read.
fn reader<'e>(path: Option<&Path>, entries: &'e [Entry]) -> Option<&'e Entry> {
    readers(path, entries).find(|entry| entry.is_formatted)
}

fn format(keys: &mut Keys<'_, '_>, reader: Option<&Entry>) -> (Cleaning, DateFormat) {
    let mut cleaning = Cleaning::identifier();
    let mut date = DateFormat::default();
    match (keys.part("format"), reader) {
        (Some(mut format), _) => {
            let known = ["trim", "nfkc", "collapse", "case", "strip", "input", "timezone"];
            format.reject_unknown(&known, &[]);
            read_cleaning(&mut format, &mut cleaning);
            read_date_input(&mut format, &mut date);
            (cleaning, date)
        }
        (None, Some(entry)) => (entry.cleaning.clone(), entry.date.clone()),
        (None, None) => (cleaning, date),
    }
}

fn read_test(test: &str, cleaning: &Cleaning, keys: &mut Keys<'_, '_>) -> Option<Test> {
    let choices = |texts| Choices::new(texts, cleaning);
    match test {
        "equals" => keys.scalar(test).map(|text| Test::In(choices(vec![text]))),
        "in" => keys.texts(test).map(|texts| Test::In(choices(texts))),
        "not_in" => keys.texts(test).map(|texts| Test::NotIn(choices(texts))),
        "empty" => keys.boolean(test).map(|empty| if empty { Test::Empty } else { Test::NotEmpty }),
        "not_empty" => keys.boolean(test).map(|filled| if filled { Test::NotEmpty } else { Test::Empty }),
        "before" => day(test, keys).map(Test::Before),
        _ => day(test, keys).map(Test::After),
    }
}

/// `now`, `today`, or a date in any form.
pub(super) fn day(key: &str, keys: &mut Keys<'_, '_>) -> Option<Day> {
    let text = keys.scalar(key)?;
    match text.as_str() {
        "now" => Some(Day::Now),
        "today" => Some(Day::Today),
        _ => match Zone::named("UTC").ok().map(|zone| date::parse(&text, &zone)) {
            Some(Ok(_)) => Some(Day::Written(text)),
            _ => {
                keys.add(
                    key,
                    "应为日期（如 2024-05-01）、now 或 today",
                    "must be a date such as 2024-05-01, now or today",
                );
                None
            }
        },
    }
}
