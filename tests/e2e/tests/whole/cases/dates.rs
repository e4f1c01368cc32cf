//! A date entered ahead of time takes effect when it comes, without another edit of the row.

use std::fs;

use chrono::TimeDelta;
use ruzhi_e2e::Tenant;
use serde_json::json;

use super::stage::{LEFT_ON, POSITION, Plan, STARTS_ON, Stage};

/// A day in the future for every machine, at ten in the morning in Shanghai.
const MORNING: &str = "2036-03-10T02:00:00Z";

fn by(moment: &str) -> Plan {
    Plan {
        when: json!([
            { "field": STARTS_ON, "after": moment, "then": "ignore" },
            { "field": LEFT_ON, "before": moment, "then": "leave" },
        ]),
        ..Plan::default()
    }
}

/// D1 leaves, D2 stays, D3 starts; read by one run in the morning.
fn in_the_morning(plan: Plan, leaves: &str, starts: &str) -> Stage {
    let mut stage = plan.open();
    stage.pass_until(MORNING);
    stage.write("D1", &[(LEFT_ON, json!(leaves))]);
    stage.write("D2", &[]);
    stage.write("D3", &[(STARTS_ON, json!(starts))]);
    stage.sync();
    standing(&stage, [4, 4, 0]);
    stage
}

fn standing(stage: &Stage, statuses: [u8; 3]) {
    let found = ["D1", "D2", "D3"].map(|userid| stage.status(userid));
    assert_eq!(found, statuses, "at {}", stage.now());
}

fn incremental(tenant: Tenant) -> Tenant {
    let source = r#"filter = { rel = "and", cond = [ { field = "updateTime", type = "datetime", method = "range", value = ["{{LAST_SYNC_TIME|datetime}}", ""] } ] }"#;
    Tenant { source: source.to_owned(), ..tenant }
}

#[test]
fn a_moment_ahead_acts_at_the_first_run_after_it() {
    // Half past ten in Shanghai, as the form returns it.
    let half_past = "2036-03-10T02:30:00.000Z";
    let stage = in_the_morning(Plan { tenant: incremental, ..by("now") }, half_past, half_past);
    stage.pass(TimeDelta::minutes(25));
    stage.sync();
    standing(&stage, [4, 4, 0]);
    stage.pass(TimeDelta::minutes(6));
    stage.sync();
    standing(&stage, [2, 4, 4]);
    stage.rest();
}

#[test]
fn a_day_ahead_acts_when_it_is_over_or_has_come() {
    let stage = in_the_morning(Plan { tenant: incremental, ..by("today") }, "2036-03-11", "2036-03-11");
    // Late in the evening of the tenth.
    stage.pass_until("2036-03-10T15:50:00Z");
    stage.sync();
    standing(&stage, [4, 4, 0]);
    stage.pass_until("2036-03-10T16:10:00Z");
    stage.sync();
    standing(&stage, [4, 4, 4]);
    stage.pass_until("2036-03-11T15:50:00Z");
    stage.sync();
    standing(&stage, [4, 4, 4]);
    stage.pass_until("2036-03-11T16:10:00Z");
    stage.sync();
    standing(&stage, [2, 4, 4]);
    stage.rest();
}

/// No run for a month: the first one after it acts on both.
#[test]
fn a_day_that_passed_while_no_one_ran_acts_at_the_first_run_after_it() {
    let stage = in_the_morning(Plan { tenant: incremental, ..by("today") }, "2036-03-20", "2036-03-25");
    stage.pass(TimeDelta::days(30));
    stage.sync();
    standing(&stage, [2, 4, 4]);
}

/// A contract's end date that is extended beforehand: only the current row counts.
#[test]
fn a_date_that_is_put_off_acts_at_the_new_one_alone() {
    let mut stage = in_the_morning(Plan { tenant: incremental, ..by("today") }, "2036-03-12", "2036-06-01");
    stage.write("D1", &[(LEFT_ON, json!("2036-03-16"))]);
    stage.sync();
    stage.pass_until("2036-03-14T02:00:00Z");
    stage.sync();
    standing(&stage, [4, 4, 0]);
    stage.pass_until("2036-03-17T02:00:00Z");
    stage.sync();
    standing(&stage, [2, 4, 0]);
}

/// On this day Beirut's clocks go from 23:59 to 1:00, so the day has no midnight; in New York an hour of the night is
/// missing; in Lord Howe half of one.
#[test]
fn a_day_is_the_zone_s_own_where_clocks_go_forward() {
    /// A zone, and the dates in it.
    type Case<'a> = (fn(Tenant) -> Tenant, &'a str, [&'a str; 2], [&'a str; 2]);
    let cases: [Case<'_>; 3] = [
        (
            |tenant| Tenant { timezone: "Asia/Beirut".to_owned(), ..incremental(tenant) },
            "2036-03-30",
            ["2036-03-29T21:50:00Z", "2036-03-29T22:10:00Z"],
            ["2036-03-30T20:50:00Z", "2036-03-30T21:10:00Z"],
        ),
        (
            |tenant| Tenant { timezone: "America/New_York".to_owned(), ..incremental(tenant) },
            "2036-11-02",
            ["2036-11-02T03:50:00Z", "2036-11-02T04:10:00Z"],
            ["2036-11-03T04:50:00Z", "2036-11-03T05:10:00Z"],
        ),
        (
            |tenant| Tenant { timezone: "Australia/Lord_Howe".to_owned(), ..incremental(tenant) },
            "2036-04-06",
            ["2036-04-05T12:50:00Z", "2036-04-05T13:10:00Z"],
            ["2036-04-06T13:20:00Z", "2036-04-06T13:40:00Z"],
        ),
    ];
    for (tenant, day, begins, ends) in cases {
        let stage = in_the_morning(Plan { tenant, ..by("today") }, day, day);
        for (moment, statuses) in
            [(begins[0], [4, 4, 0]), (begins[1], [4, 4, 4]), (ends[0], [4, 4, 4]), (ends[1], [2, 4, 4])]
        {
            stage.pass_until(moment);
            stage.sync();
            standing(&stage, statuses);
        }
    }
}

/// A component built for contract 0.1 cannot say until when its decision holds.
#[test]
fn a_component_of_the_first_contract_acts_at_the_first_run_of_the_day() {
    let first = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guests/fixtures/v0.1/member-0.1.wasm");
    let mut stage = Plan { tenant: incremental, ..by("today") }.open();
    let toml = stage.deployment.path().join("tenants/jingxintai.toml");
    let text = fs::read_to_string(&toml).unwrap();
    let component = text.lines().find(|line| line.starts_with("component")).unwrap();
    fs::write(&toml, text.replace(component, &format!("component = \"{first}\""))).unwrap();
    stage.pass_until(MORNING);
    stage.write("D1", &[(LEFT_ON, json!("2036-03-11"))]);
    stage.write("D2", &[]);
    stage.write("D3", &[(STARTS_ON, json!("2036-03-11"))]);
    stage.sync();
    standing(&stage, [4, 4, 0]);
    stage.pass_until("2036-03-10T15:50:00Z");
    stage.sync();
    standing(&stage, [4, 4, 0]);
    stage.pass_until("2036-03-10T16:10:00Z");
    stage.sync();
    standing(&stage, [4, 4, 4]);
    stage.pass_until("2036-03-11T23:00:00Z");
    stage.write("D2", &[(POSITION, json!("钳工"))]);
    stage.sync();
    standing(&stage, [2, 4, 4]);
    assert_eq!(stage.member("D2").unwrap().position, "钳工");
    stage.rest();
}
