//! The account allows a limited number of members: leavers make room, newcomers without a place wait and are reported,
//! and the rest is done.

use ruzhi_e2e::Tenant;
use serde_json::json;

use super::stage::{POSITION, Plan, STATE, Stage};

fn waiting_too() -> Plan {
    Plan {
        when: json!([
            { "field": STATE, "equals": "待入职", "then": "ignore" },
            { "field": STATE, "equals": "离职", "then": "leave" },
        ]),
        ..Plan::default()
    }
}

const NEWCOMERS: [&str; 5] = ["A1", "A2", "A3", "A4", "A5"];
const THERE: [&str; 3] = ["B1", "B2", "B3"];

/// The newcomers' rows come before those of the members.
fn full(plan: Plan) -> Stage {
    let mut stage = plan.open();
    stage.write_all(&NEWCOMERS, &[(STATE, json!("待入职"))]);
    stage.write_all(&THERE, &[]);
    stage.sync();
    stage.limit(3);
    stage.write_all(&NEWCOMERS, &[(STATE, json!("在职"))]);
    stage.write("B1", &[(STATE, json!("离职"))]);
    stage.write("B2", &[(POSITION, json!("钳工"))]);
    stage
}

fn created(stage: &Stage) -> usize {
    NEWCOMERS.iter().filter(|userid| stage.status(userid) != 0).count()
}

#[test]
fn a_full_account_stops_newcomers_and_nothing_else() {
    let stage = full(waiting_too());
    stage.sync_anyhow();
    assert_eq!(stage.status("B1"), 2, "the leaver keeps the account");
    assert_eq!(stage.member("B2").unwrap().position, "钳工");
    assert_eq!(created(&stage), 0);
    stage.sync_anyhow();
    assert_eq!(created(&stage), 0);
    // Places are bought.
    stage.limit(100);
    stage.sync();
    stage.sync();
    assert_eq!(created(&stage), 5, "{:?}", stage.refused());
    stage.rest();
    assert_eq!(stage.refused().len(), 0, "{:?}", stage.refused());
}

/// If a disabled member takes no place, a leaver makes room for a newcomer in the same run.
#[test]
fn a_leaver_makes_room_in_the_same_run() {
    let stage = full(waiting_too());
    stage.knobs(|knobs| knobs.disabled_take_places = false);
    stage.sync_anyhow();
    assert_eq!(stage.status("B1"), 2);
    assert_eq!(created(&stage), 1);
}

/// If a disabled member takes a place, the deletion at the end of the grace period makes room.
#[test]
fn a_deletion_makes_room_in_the_same_run() {
    let no_grace = |tenant| Tenant { top: "grace = \"0s\"\n".to_owned(), ..tenant };
    let stage = full(Plan { tenant: no_grace, ..waiting_too() });
    stage.sync_anyhow();
    stage.sync_anyhow();
    assert!(stage.member("B1").is_none());
    stage.sync_anyhow();
    assert_eq!(created(&stage), 1);
    assert_eq!(stage.member("B2").unwrap().position, "钳工");
}
