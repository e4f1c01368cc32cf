//! A leader never keeps a person out: everyone is created first, and leaders are set once they exist.

use ruzhi_e2e::Tenant;
use ruzhi_sim::FaultRule;
use serde_json::json;

use super::stage::{LEADER, MOBILE, POSITION, Plan, STATE, Stage};

fn plan() -> Plan {
    Plan { fields: &["direct_leader"], ..Plan::default() }
}

/// People with their leaders, rows in this order; an empty leader means none.
fn led(plan: Plan, people: &[(&str, &str)]) -> Stage {
    let mut stage = plan.open();
    for (userid, leader) in people {
        stage.write(userid, &[(LEADER, json!(leader))]);
    }
    stage
}

/// Each of these exists after one run and has the leader after the second.
fn come_together(stage: &Stage, people: &[(&str, &str)]) {
    stage.sync();
    for (userid, _) in people {
        assert_eq!(stage.status(userid), 4, "{userid} is kept out: {:?}", stage.refused());
    }
    stage.sync();
    for (userid, leader) in people {
        if leader != userid {
            assert_eq!(stage.leader(userid).as_deref(), Some(*leader).filter(|leader| !leader.is_empty()));
        }
    }
    stage.rest();
}

#[test]
fn a_leader_of_oneself_and_a_ring_of_two_are_created() {
    let people = [("L1", "L1"), ("L2", "L3"), ("L3", "L2"), ("L4", "L1")];
    for (code, refused) in [(60111, false), (60111, true), (301_021, true)] {
        let stage = led(plan(), &people);
        stage.knobs(|knobs| {
            knobs.leader_unknown_code = code;
            knobs.leader_self_refused = refused;
        });
        come_together(&stage, &people);
    }
}

#[test]
fn a_ring_of_three_and_those_below_it_are_created() {
    let people = [("L5", "L1"), ("L1", "L2"), ("L2", "L3"), ("L3", "L1"), ("L4", "L3")];
    come_together(&led(plan(), &people), &people);
}

#[test]
fn a_chain_whose_first_row_is_the_lowest_is_created() {
    let people = [("L1", "L2"), ("L2", "L3"), ("L3", "L4"), ("L4", "L5"), ("L5", "")];
    come_together(&led(plan(), &people), &people);
}

/// Accounts match regardless of case.
#[test]
fn a_leader_in_other_letters_is_the_same_leader() {
    let stage = led(plan(), &[("L1", ""), ("L2", "l1")]);
    stage.sync();
    stage.sync();
    assert!(stage.leader("L2").unwrap().eq_ignore_ascii_case("L1"));
    stage.rest();
}

#[test]
fn those_of_a_job_get_their_leaders_too() {
    let by_file = |tenant| Tenant { wecom: "batch_from = 2\n".to_owned(), ..tenant };
    let people = [("L1", "L2"), ("L2", "L1"), ("L3", "L1"), ("L4", "")];
    come_together(&led(Plan { tenant: by_file, ..plan() }, &people), &people);
}

#[test]
fn those_below_a_leader_who_is_refused_are_created_and_led_once_the_leader_is_right() {
    let stranger = json!({ "userid": "old", "name": "旧账号", "mobile": "13900000001", "department": [3] });
    let mut stage = Plan { members: vec![stranger], ..plan() }.open();
    stage.write("L1", &[(MOBILE, json!("13900000001"))]);
    stage.write_all(&["L2", "L3"], &[(LEADER, json!("L1"))]);
    stage.write("L4", &[]);
    stage.sync();
    for (userid, status) in [("L1", 0), ("L2", 4), ("L3", 4), ("L4", 4)] {
        assert_eq!(stage.status(userid), status, "{userid}: {:?}", stage.refused());
    }
    assert_eq!(stage.refusals_of("L1"), ["mobile.held"]);
    stage.write("L1", &[(MOBILE, json!("13731990002"))]);
    stage.sync();
    stage.sync();
    for userid in ["L2", "L3"] {
        assert_eq!(stage.leader(userid).as_deref(), Some("L1"));
    }
    stage.rest();
    assert_eq!(stage.refused().len(), 0);
}

/// A typing mistake: the leader never appears, so the clerk is told, and the person is a member all the same.
#[test]
fn a_leader_who_does_not_exist_is_told_and_keeps_no_one_out() {
    let mut stage = led(plan(), &[("L1", ""), ("L2", "L11")]);
    stage.sync();
    stage.sync();
    assert_eq!((stage.status("L2"), stage.leader("L2")), (4, None));
    assert!(stage.trace("L2").contains("L11"), "{}", stage.trace("L2"));
    stage.write("L2", &[(POSITION, json!("钳工"))]);
    stage.sync();
    assert_eq!(stage.member("L2").unwrap().position, "钳工");
    stage.rest();
    stage.write("L2", &[(LEADER, json!("L1"))]);
    stage.sync();
    stage.rest();
    assert_eq!(stage.leader("L2").as_deref(), Some("L1"));
    assert_eq!(stage.refused().len(), 0, "{:?}", stage.refused());
}

/// Someone adds the leader in the console much later; no row changes.
#[test]
fn a_leader_who_is_added_by_hand_is_set_by_the_next_run() {
    let incremental = |tenant| {
        Tenant {
        source: r#"filter = { rel = "and", cond = [ { field = "updateTime", type = "datetime", method = "range", value = ["{{LAST_SYNC_TIME|datetime}}", ""] } ] }"#.to_owned(),
        ..tenant
    }
    };
    let stage = led(Plan { tenant: incremental, ..plan() }, &[("L2", "boss"), ("L3", "")]);
    stage.sync();
    stage.rest();
    assert_eq!(stage.leader("L2"), None);
    let boss = json!({ "userid": "boss", "name": "厂长", "mobile": "13900000002", "department": [3] });
    let boss = boss.as_object().unwrap().clone();
    stage.simulator.add_by_hand(ruzhi_sim::factory::CORP_ID, boss).unwrap();
    stage.sync();
    stage.rest();
    assert_eq!(stage.leader("L2").as_deref(), Some("boss"));
}

/// Those below are not written, rejected or reported because of it.
#[test]
fn a_leader_who_leaves_and_is_deleted_takes_no_one_along() {
    let no_grace = |tenant| Tenant { top: "grace = \"0s\"\n".to_owned(), ..tenant };
    let mut stage = led(Plan { tenant: no_grace, ..plan() }, &[("L1", ""), ("L2", "L1"), ("L3", "L1")]);
    stage.sync();
    stage.sync();
    stage.write("L1", &[(STATE, json!("离职"))]);
    stage.sync();
    stage.sync();
    assert!(stage.member("L1").is_none());
    stage.write("L2", &[(POSITION, json!("钳工"))]);
    stage.sync();
    assert_eq!(stage.member("L2").unwrap().position, "钳工");
    stage.write("L3", &[(MOBILE, json!("13731990003"))]);
    stage.json(0, &["sync", "jingxintai", "--full"]);
    assert_eq!(stage.member("L3").unwrap().mobile, "13731990003");
    stage.rest();
}

/// WeCom refuses the leader for a reason of the leader's own; the member is written all the same.
#[test]
fn a_leader_that_wecom_refuses_is_the_leader_s_matter() {
    let mut stage = led(plan(), &[("L1", ""), ("L2", "")]);
    stage.sync();
    stage.write("L2", &[(LEADER, json!("L1")), (POSITION, json!("钳工"))]);
    stage.faults(vec![FaultRule::refused(60257).containing("direct_leader").next(u64::MAX)]);
    stage.sync_anyhow();
    assert_eq!(stage.member("L2").unwrap().position, "钳工");
}
