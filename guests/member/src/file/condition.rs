//! The items of `when`.

use ruzhi_guest::date;
use ruzhi_guest::zone::Zone;
use serde_json::Value;

use super::finding::{Findings, Keys};
use crate::rules::{Condition, Day, Test, Then};
use crate::template::Path;

const TESTS: [&str; 7] = ["equals", "in", "not_in", "empty", "not_empty", "before", "after"];
const THEN: [(&str, Then); 4] =
    [("upsert", Then::Upsert), ("leave", Then::Leave), ("ignore", Then::Ignore), ("reject", Then::Reject)];

pub(super) fn read(value: &Value, index: usize, findings: &mut Findings) -> Option<Condition> {
    let mut keys = Keys::read(value, format!("when[{index}]"), findings)?;
    let mut known = vec!["field", "label", "then", "message"];
    known.extend(TESTS);
    keys.refuse_unknown(&known, &[]);
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
    let message = keys.text("message");
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
        [test] => read_test(test, &mut keys),
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
    Some(Condition { path: path?, label, test: test?, then: then?, message })
}

fn read_test(test: &str, keys: &mut Keys<'_, '_>) -> Option<Test> {
    match test {
        "equals" => keys.scalar(test).map(|text| Test::In(vec![text])),
        "in" => keys.texts(test).map(Test::In),
        "not_in" => keys.texts(test).map(Test::NotIn),
        "empty" => keys.boolean(test).map(|empty| if empty { Test::Empty } else { Test::NotEmpty }),
        "not_empty" => keys.boolean(test).map(|filled| if filled { Test::NotEmpty } else { Test::Empty }),
        "before" => day(test, keys).map(Test::Before),
        _ => day(test, keys).map(Test::After),
    }
}

/// `now`, `today`, or a date as any form may hold it.
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
