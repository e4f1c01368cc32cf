//! "Not found" may come from a late replica, or may concern another member that the write refers to. It counts only
//! once the listing confirms it.

use ruzhi_e2e::Tenant;
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{FaultRule, Service};
use serde_json::json;

use super::stage::{LEADER, POSITION, Plan, STATE, Stage};

/// WeCom's codes for an unknown account.
const UNKNOWN: [i32; 3] = [60111, 40003, 301_021];

fn once(errcode: i32, api: &str, userid: &str) -> Vec<FaultRule> {
    vec![FaultRule::refused(errcode).service(Service::WeCom).api(api).containing(userid).next(1)]
}

fn no_grace(tenant: Tenant) -> Tenant {
    Tenant { top: "grace = \"0s\"\n".to_owned(), ..tenant }
}

#[test]
fn a_disable_that_finds_no_one_is_made_again_while_the_member_is_listed() {
    for errcode in UNKNOWN {
        let mut stage = Stage::of(Plan::default(), &["P1", "P2", "P3"]);
        stage.sync();
        stage.write("P2", &[(STATE, json!("离职"))]);
        stage.faults(once(errcode, "user/update", "P2"));
        stage.sync_anyhow();
        stage.sync();
        assert_eq!(stage.status("P2"), 2, "after {errcode}");
        stage.rest();
        assert_eq!(stage.refused().len(), 0);
    }
}

#[test]
fn a_delete_that_finds_no_one_is_made_again_while_the_member_is_listed() {
    let mut stage = Stage::of(Plan { tenant: no_grace, ..Plan::default() }, &["P1", "P2", "P3"]);
    stage.sync();
    stage.write("P2", &[(STATE, json!("离职"))]);
    stage.sync();
    stage.faults(once(60111, "user/delete", "P2"));
    stage.sync_anyhow();
    stage.sync();
    assert!(stage.member("P2").is_none(), "the account of a leaver stays");
    stage.rest();
}

#[test]
fn an_update_that_finds_no_one_is_made_again_while_the_member_is_listed() {
    for errcode in UNKNOWN {
        let mut stage = Stage::of(Plan::default(), &["P1", "P2", "P3"]);
        stage.sync();
        stage.write_all(&["P1", "P3"], &[(POSITION, json!("钳工"))]);
        stage.faults(once(errcode, "user/update", "P3"));
        stage.sync_anyhow();
        assert_eq!(stage.member("P1").unwrap().position, "钳工");
        stage.sync();
        assert_eq!(stage.member("P3").unwrap().position, "钳工", "after {errcode}");
        stage.rest();
        assert_eq!(stage.refused().len(), 0);
    }
}

#[test]
fn an_enable_that_finds_no_one_is_made_again_while_the_member_is_listed() {
    let mut stage = Stage::of(Plan::default(), &["P1", "P2", "P3"]);
    stage.sync();
    stage.write("P1", &[(STATE, json!("离职"))]);
    stage.sync();
    stage.write("P1", &[(STATE, json!("在职"))]);
    stage.faults(once(60111, "user/update", "P1"));
    stage.sync_anyhow();
    stage.sync();
    assert_eq!(stage.status("P1"), 4);
    stage.rest();
    assert_eq!(stage.created("P1"), 1);
}

/// A replica does not know the leader yet: the rest is written at once, and the leader later.
#[test]
fn a_leader_who_is_not_found_keeps_nothing_else_from_being_written() {
    for errcode in [60111, 301_021] {
        let mut stage = Stage::of(Plan { fields: &["direct_leader"], ..Plan::default() }, &["P1", "P2"]);
        stage.sync();
        stage.write("P3", &[(LEADER, json!("P1"))]);
        stage.write("P2", &[(LEADER, json!("P1")), (POSITION, json!("钳工"))]);
        let late = |userid: &str| FaultRule { api: None, ..once(errcode, "", userid).remove(0) };
        // Every call that names the leader of these two is answered with "no such account".
        stage.faults(vec![late("\"P3\",\"direct_leader"), late("direct_leader")]);
        stage.sync_anyhow();
        assert_eq!(stage.status("P3"), 4, "created without the leader");
        assert_eq!(stage.member("P2").unwrap().position, "钳工");
        stage.faults(Vec::new());
        stage.sync();
        for userid in ["P2", "P3"] {
            assert_eq!(stage.leader(userid).as_deref(), Some("P1"), "{userid} after {errcode}");
        }
        stage.rest();
        assert_eq!(stage.refused().len(), 0);
    }
}

/// The listing itself is late: a member missing from it once is not lost.
#[test]
fn a_member_whom_a_late_listing_leaves_out_is_disabled_once_it_shows_them() {
    for removed in ["ask", "recreate", "release"] {
        let mut stage = Stage::of(
            Plan {
                tenant: match removed {
                    "ask" => |tenant| tenant,
                    "recreate" => |tenant| Tenant { top: "removed = \"recreate\"\n".to_owned(), ..tenant },
                    _ => |tenant| Tenant { top: "removed = \"release\"\n".to_owned(), ..tenant },
                },
                ..Plan::default()
            },
            &["P1", "P2", "P3"],
        );
        stage.sync();
        stage.write("P2", &[(POSITION, json!("钳工"))]);
        stage.simulator.list_late(CORP_ID, "P2", false).unwrap();
        stage.faults(once(60111, "user/update", "P2"));
        stage.sync_anyhow();
        stage.simulator.list_in_time(CORP_ID).unwrap();
        stage.faults(Vec::new());
        if removed == "release" {
            // The tenant has said that such a member no longer belongs to ruzhi: nothing is done without its knowledge.
            continue;
        }
        stage.sync();
        stage.write("P2", &[(STATE, json!("离职"))]);
        stage.sync();
        stage.sync();
        assert_eq!(stage.status("P2"), 2, "{removed}: the account of a leaver stays active");
        assert_eq!(stage.created("P2"), 1);
    }
}

/// Conversely, a removed member still listed is found to be removed once the listing has caught up.
#[test]
fn a_member_whom_a_late_listing_still_shows_is_found_removed_once_it_has_caught_up() {
    let mut stage = Stage::of(Plan::default(), &["P1", "P2", "P3"]);
    stage.sync();
    stage.simulator.list_late(CORP_ID, "P3", true).unwrap();
    stage.delete_by_hand("P3");
    stage.write("P3", &[(POSITION, json!("钳工"))]);
    stage.sync_anyhow();
    assert_eq!(stage.created("P3"), 1);
    stage.simulator.list_in_time(CORP_ID).unwrap();
    stage.sync();
    assert!(stage.refusals_of("P3").contains(&"member.removed".to_owned()), "{:?}", stage.refused());
    stage.rest();
    assert!(stage.member("P3").is_none());
}
