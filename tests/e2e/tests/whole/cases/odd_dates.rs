//! Dates as forms and spreadsheets have them: far ahead, zero, or not a date at all.

use serde_json::{Value, json};

use super::stage::{LEFT_ON, Plan, Stage};

fn left_before_today() -> Plan {
    Plan { when: json!([{ "field": LEFT_ON, "before": "today", "then": "leave" }]), ..Plan::default() }
}

/// Everyone is a member; then these values are written as leaving dates.
fn written(dates: &[Value]) -> (Stage, Vec<String>) {
    let people: Vec<String> = (0..dates.len()).map(|number| format!("O{number:02}")).collect();
    let mut stage = left_before_today().open();
    for userid in &people {
        stage.write(userid, &[]);
    }
    stage.sync();
    for (userid, date) in people.iter().zip(dates) {
        stage.write(userid, &[(LEFT_ON, date.clone())]);
    }
    stage.sync();
    (stage, people)
}

#[test]
fn a_day_far_ahead_is_a_day_that_has_not_come() {
    let dates = [
        json!("9999-12-31"),
        json!("9999-12-30T16:00:00.000Z"),
        json!("2999-12-31"),
        json!("9999/12/31 23:59:59"),
        json!("9999年12月31日"),
        json!("99991231"),
    ];
    let (stage, people) = written(&dates);
    for (userid, date) in people.iter().zip(&dates) {
        assert_eq!(stage.status(userid), 4, "{date}: {:?}", stage.refusals_of(userid));
        assert_eq!(stage.refusals_of(userid), Vec::<String>::new(), "{date}");
    }
}

#[test]
fn the_zero_days_of_spreadsheets_and_computers_are_no_days() {
    let dates = [
        json!("1900-01-01"),
        json!("1899-12-30"),
        json!("1899-12-31"),
        json!("1970-01-01T00:00:00.000Z"),
        json!("1970-01-01"),
        json!("1900/1/1 0:00:00"),
        json!("1899-12-30T00:00:00+08:00"),
        json!(""),
        Value::Null,
    ];
    let (stage, people) = written(&dates);
    for (userid, date) in people.iter().zip(&dates) {
        assert_eq!(stage.status(userid), 4, "{date}: {:?}", stage.refusals_of(userid));
        assert_eq!(stage.refusals_of(userid), Vec::<String>::new(), "{date}");
    }
    let note = stage.trace("O00");
    assert!(note.contains("1900-01-01"), "{note}");
}

#[test]
fn a_day_that_is_over_is_a_leave_however_it_is_written() {
    let dates = [
        json!("2024-5-1 9:00"),
        json!("2024/5/1 0:00:00"),
        json!("2024-05-01T16:00:00.000+0800"),
        json!("2024年5月1日"),
        json!("2024-05-01 00:00:00.0"),
        json!("20240501"),
    ];
    let (stage, people) = written(&dates);
    for (userid, date) in people.iter().zip(&dates) {
        assert_eq!(stage.status(userid), 2, "{date}: {:?}", stage.refusals_of(userid));
    }
}

/// An ambiguous text makes no one a leaver: it is reported to the clerk, or is known to mean nothing.
#[test]
fn what_is_no_date_makes_no_one_a_leaver() {
    let dates = [
        json!("待定"),
        json!("无"),
        json!("/"),
        json!("-"),
        json!("2024-02-30"),
        json!("24/5/1"),
        json!("May 1, 2024"),
        json!("0"),
        json!(0),
        json!("2024.05"),
    ];
    let (stage, people) = written(&dates);
    for (userid, date) in people.iter().zip(&dates) {
        assert_eq!(stage.status(userid), 4, "{date}");
    }
    assert!(!stage.refusals_of("O00").is_empty());
    assert!(!stage.refusals_of("O04").is_empty());
}
