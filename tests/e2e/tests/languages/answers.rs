//! A guest's answers to rows, as comparable text.

use std::fmt::Write as _;

use ruzhi_guest::{Context, Mapping, Outcome, SourceRecord};
use ruzhi_guest_runtime::{BATCH, Guest};

use super::component::{engine, load};

/// The largest number of differences that are printed.
const MOST_SHOWN: usize = 12;

pub(crate) fn context() -> Context {
    Context { now: "2026-05-01T08:00:00Z".to_owned(), timezone: "Asia/Shanghai".to_owned() }
}

pub(crate) fn records(rows: &[String]) -> Vec<SourceRecord> {
    let record = |(place, json): (usize, &String)| SourceRecord {
        id: format!("row-{}", place + 1),
        json: json.clone(),
    };
    rows.iter().enumerate().map(record).collect()
}

/// One line of JSON for each row: the answers of the component of this name, given the rows in batches.
pub(crate) fn of_component(name: &str, rows: &[String]) -> Vec<String> {
    of_component_with(name, config(name), rows)
}

/// The same under a configuration.
pub(crate) fn of_component_with(name: &str, config: String, rows: &[String]) -> Vec<String> {
    let guest = Guest::new(load(&engine(), name), config).unwrap();
    let mut answers = Vec::with_capacity(rows.len());
    for batch in records(rows).chunks(BATCH) {
        answers.extend(guest.decide(&context(), batch).unwrap().iter().map(line));
    }
    answers
}

pub(crate) fn config(name: &str) -> String {
    if name == "member" { ruzhi_e2e::RULES.to_owned() } else { String::new() }
}

/// The same for rules compiled natively.
pub(crate) fn native<M: Mapping>(rows: &[String]) -> Vec<String> {
    ruzhi_guest::decide::<M>("", &context(), &records(rows)).unwrap().iter().map(line).collect()
}

/// The host removes every character of a guest's text that controls a terminal.
pub(crate) fn line(outcome: &Outcome) -> String {
    let text = serde_json::to_string(outcome).unwrap().replace("\\u0000", " ").replace("\\n", " ");
    text.chars().map(|c| if commands(c) { ' ' } else { c }).collect()
}

fn commands(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Fails with the first differences, row by row.
pub(crate) fn compare(rows: &[String], left: &str, lefts: &[String], right: &str, rights: &[String]) {
    assert_eq!((lefts.len(), rights.len()), (rows.len(), rows.len()));
    let different: Vec<usize> = (0..rows.len()).filter(|row| lefts[*row] != rights[*row]).collect();
    if different.is_empty() {
        return;
    }
    let width = left.len().max(right.len());
    let mut report = format!("{} of {} rows are decided differently", different.len(), rows.len());
    for row in different.iter().take(MOST_SHOWN) {
        let shown: String = rows[*row].escape_debug().take(600).collect();
        let _ = write!(
            report,
            "\n\nrow {}  {shown}\n{left:>width$}  {}\n{right:>width$}  {}",
            row + 1,
            lefts[*row],
            rights[*row]
        );
    }
    panic!("{report}");
}
