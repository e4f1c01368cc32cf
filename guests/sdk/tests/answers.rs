//! `guests/answers.json` contains every SDK function's answers to hundreds of inputs. The SDKs of other languages are
//! tested against that file; this test compares it with this crate.
//!
//! `RUZHI_BLESS=1 cargo test -p ruzhi-guest --test answers` rewrites the answers to the existing inputs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::fmt::Display;
use std::fs;
use std::path::Path;

use ruzhi_guest::contract::{Member, Violation};
use ruzhi_guest::date::{self, Moment};
use ruzhi_guest::fault::{Fault, show};
use ruzhi_guest::text::{self, Case, Cleaning};
use ruzhi_guest::zone::Zone;
use ruzhi_guest::{department, email, mobile, rule, value};
use serde_json::{Value, json};

#[test]
fn the_file_holds_what_the_sdk_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../answers.json");
    let asked: Vec<Vec<String>> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let answered: Vec<Vec<String>> = asked
        .iter()
        .map(|row| {
            let inputs = &row[1..row.len() - 1];
            let answer = answer(&row[0], inputs);
            [&[row[0].clone()], inputs, &[answer]].concat()
        })
        .collect();
    if std::env::var_os("RUZHI_BLESS").is_some() {
        let rows: Vec<String> = answered.iter().map(|row| json!(row).to_string()).collect();
        fs::write(&path, format!("[\n{}\n]\n", rows.join(",\n"))).unwrap();
        return;
    }
    assert!(asked.len() > 1_000);
    for (asked, answered) in asked.iter().zip(&answered) {
        assert_eq!(asked, answered, "RUZHI_BLESS=1 if the change is meant");
    }
}

fn said<T: Display>(answer: Result<T, Fault>) -> String {
    match answer {
        Ok(answer) => answer.to_string(),
        Err(fault) => format!("{}: {}", fault.rule, fault.message.both()),
    }
}

fn held(answer: Result<(), Fault>) -> String {
    said(answer.map(|()| ""))
}

fn moment(answer: Result<Moment, Fault>, zone: &Zone) -> String {
    let all = |moment: Moment| {
        format!("{} {} {}", moment.iso8601(), moment.timestamp_ms(), moment.start_of_day(zone).iso8601())
    };
    said(answer.map(all))
}

fn list(ids: Vec<u32>) -> String {
    json!(ids).to_string()
}

/// Calls the function of this name with these texts. A value is given as JSON text.
fn answer(function: &str, inputs: &[String]) -> String {
    let input = inputs[0].as_str();
    let value = || serde_json::from_str::<Value>(input);
    let of_value = |answer: &dyn Fn(&Value) -> String| match value() {
        Ok(value) => answer(&value),
        Err(error) => format!("not JSON at {}:{}", error.line(), error.column()),
    };
    match function {
        "json" => of_value(&value::json),
        "is-empty" => of_value(&|value| value::is_empty(value).to_string()),
        "value-text" => of_value(&|value| said(value::text(value))),
        "identity" => of_value(&|value| said(value::identity(value))),
        "placeholder" => of_value(&|value| value::placeholder(value).map_or("", |_| "nothing").to_owned()),
        "list" => of_value(&|value| {
            value::json(&Value::Array(value::list(value).into_iter().map(|item| item.into_owned()).collect()))
        }),
        "boolean" => of_value(&|value| said(value::boolean(value))),
        "integer" => of_value(&|value| said(value::integer(value))),
        "number" => of_value(&|value| said(value::number(value).map(|number| json!(number)))),
        "departments" => of_value(&|value| said(department::parse(value).map(list))),
        "date-value" => of_value(&|value| {
            let zone = Zone::named("Asia/Shanghai").unwrap();
            match date::parse_value(value, &zone) {
                Ok(None) => "empty".to_owned(),
                Ok(Some(found)) => moment(Ok(found), &zone),
                Err(fault) => moment(Err(fault), &zone),
            }
        }),
        "fold" => text::fold(input).into_owned(),
        "line" => text::line(input).into_owned(),
        "identifier" => text::identifier(input).into_owned(),
        "cleaning" => {
            let set = |letter: char| inputs[1].contains(letter);
            let case = if set('l') { Some(Case::Lower) } else { set('u').then_some(Case::Upper) };
            Cleaning { trim: set('t'), nfkc: set('n'), collapse: set('c'), case, strip: "-_１".to_owned() }
                .apply(input)
                .into_owned()
        }
        "show" => show(input),
        "mobile" => said(mobile::parse(input)),
        "mobile-at-home" => said(mobile::parse_in(input, inputs[1].parse().unwrap())),
        "mobile-check" => held(mobile::check(input)),
        "email" => said(email::parse(input)),
        "gender" => said(rule::parse_gender(input)),
        "telephone" => said(rule::parse_telephone(input)),
        "date" => Zone::named(&inputs[1]).map_or_else(
            |error| format!("{}: {}", error.code, error.message),
            |zone| moment(date::parse(input, &zone), &zone),
        ),
        "date-pattern" => {
            let zone = Zone::named("Asia/Shanghai").unwrap();
            moment(date::parse_pattern(input, &inputs[1], &zone), &zone)
        }
        "extra" => held(rule::extra::check(input, &inputs[1])),
        "member" => match serde_json::from_str::<Member>(input) {
            Ok(member) => {
                let line = |Violation { field, rule, message }| format!("{field} {rule}: {}", message.both());
                rule::check(&member).into_iter().map(line).collect::<Vec<_>>().join("\n")
            }
            Err(error) => panic!("{input}: {error}"),
        },
        other => panic!("no function {other}"),
    }
}
