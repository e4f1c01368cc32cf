//! A record in quarantine waits for something, and is planned again when that changes: without an edited row or
//! `--full`.

use chrono::TimeDelta;
use ruzhi_sim::FaultRule;
use ruzhi_sim::factory::CORP_ID;
use serde_json::json;

use super::stage::{DEPARTMENT, EMAIL, MOBILE, POSITION, Plan, Stage};

const HELD: &str = "13900000007";

fn stranger(fields: &[(&str, &str)]) -> serde_json::Value {
    let mut member = json!({ "userid": "old", "name": "旧账号", "mobile": "13900000099", "department": [3] });
    for (field, value) in fields {
        member[*field] = json!(value);
    }
    member
}

/// Only WeCom knows who holds a stranger's value, so it is tried again within the hour.
#[test]
fn a_value_that_a_stranger_gives_up_is_taken_within_the_hour() {
    for (field, column, held, deleted) in [
        ("mobile", MOBILE, HELD, true),
        ("mobile", MOBILE, HELD, false),
        ("email", EMAIL, "held@example.com", true),
    ] {
        let members = vec![stranger(&[(field, held)])];
        let mut stage = Plan { members, fields: &["email"], ..Plan::default() }.open();
        stage.write("W1", &[(column, json!(held))]);
        stage.write("W2", &[]);
        stage.sync();
        assert_eq!((stage.status("W1"), stage.status("W2")), (0, 4));
        assert!(!stage.refusals_of("W1").is_empty());
        stage.rest();
        match deleted {
            true => stage.delete_by_hand("old"),
            false => {
                let other = json!({ "userid": "old", "mobile": "13900000098" });
                stage.simulator.change_by_hand(CORP_ID, other.as_object().unwrap().clone()).unwrap();
            }
        }
        stage.pass(TimeDelta::minutes(61));
        stage.sync();
        assert_eq!(stage.status("W1"), 4, "{field}, deleted: {deleted}; {:?}", stage.refused());
        assert_eq!(stage.refused().len(), 0);
    }
}

#[test]
fn a_department_that_is_added_later_takes_its_people_by_the_next_run() {
    let mut stage = Plan::default().open();
    stage.knobs(|knobs| knobs.dept_autocreate = false);
    stage.write("W1", &[(DEPARTMENT, json!("77"))]);
    stage.write("W2", &[]);
    stage.sync();
    assert_eq!((stage.status("W1"), stage.status("W2")), (0, 4));
    assert!(!stage.refusals_of("W1").is_empty());
    stage.rest();
    stage.simulator.add_department(CORP_ID, 77, "热处理车间").unwrap();
    stage.sync();
    stage.sync();
    assert_eq!(stage.member("W1").unwrap().department, [77], "{:?}", stage.refused());
    assert_eq!(stage.refused().len(), 0);
}

#[test]
fn an_account_that_a_stranger_gives_up_is_taken_by_the_next_run() {
    let mut stage = Plan {
        members: vec![json!({ "userid": "w1", "name": "旧账号", "mobile": HELD, "department": [3] })],
        ..Plan::default()
    }
    .open();
    stage.write("W1", &[]);
    stage.sync();
    assert_eq!(stage.refusals_of("W1"), ["member.foreign"]);
    stage.delete_by_hand("w1");
    stage.sync();
    stage.sync();
    assert_eq!(stage.status("W1"), 4, "{:?}", stage.refused());
}

/// A write that WeCom refused for a reason no row shows is retried after an hour, six hours, a day, then daily.
#[test]
fn what_wecom_refused_is_tried_again_as_time_passes() {
    let mut stage = Stage::of(Plan::default(), &["W1", "W2"]);
    stage.sync();
    stage.faults(vec![FaultRule::refused(301_036).api("user/update").containing("W2").next(u64::MAX)]);
    stage.write("W2", &[(POSITION, json!("钳工"))]);
    stage.sync_anyhow();
    let tries = |stage: &Stage| stage.simulator.bodies("user/update").len();
    let after_first = tries(&stage);
    stage.sync_anyhow();
    assert_eq!(tries(&stage), after_first, "not by every run");
    let mut made = Vec::new();
    for hours in [2, 2, 5, 20, 20, 30, 30] {
        stage.pass(TimeDelta::hours(hours));
        let before = tries(&stage);
        stage.sync_anyhow();
        made.push(tries(&stage) - before);
    }
    assert!(made.iter().sum::<usize>() >= 4, "{made:?}");
    assert!(made.iter().all(|tries| *tries <= 1), "{made:?}");
    stage.faults(Vec::new());
    stage.pass(TimeDelta::hours(25));
    stage.sync();
    assert_eq!(stage.member("W2").unwrap().position, "钳工");
    assert_eq!(stage.refused().len(), 0);
}

/// A hundred rejected rows do not cost a hundred calls in every run.
#[test]
fn many_who_wait_take_a_bounded_number_of_calls() {
    let people: Vec<String> = (0..60).map(|number| format!("N{number:02}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let stage = Stage::of(Plan::default(), &people);
    stage.faults(vec![FaultRule::refused(301_036).api("user/create").next(u64::MAX)]);
    stage.sync_anyhow();
    let writes = stage.writes();
    for _ in 0..3 {
        stage.sync_anyhow();
    }
    assert_eq!(stage.writes(), writes);
    stage.faults(Vec::new());
    for _ in 0..12 {
        stage.pass(TimeDelta::hours(25));
        stage.sync();
    }
    assert_eq!(stage.refused().len(), 0);
}
