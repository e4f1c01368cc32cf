//! A member deleted in the console is reported, and comes back only as the tenant or a person decides.

use chrono::TimeDelta;
use ruzhi_e2e::Tenant;
use ruzhi_sim::{FaultKind, FaultRule, Service};
use serde_json::json;

use super::stage::{MOBILE, POSITION, Plan, STATE, Stage};

fn top(text: &str, tenant: Tenant) -> Tenant {
    Tenant { top: text.to_owned(), ..tenant }
}

fn recreate(tenant: Tenant) -> Tenant {
    top("removed = \"recreate\"\n", tenant)
}

fn release(tenant: Tenant) -> Tenant {
    top("removed = \"release\"\n", tenant)
}

const PEOPLE: [&str; 3] = ["R1", "R2", "R3"];

fn removed(tenant: fn(Tenant) -> Tenant) -> Stage {
    let stage = Stage::of(Plan { tenant, ..Plan::default() }, &PEOPLE);
    stage.sync();
    stage.delete_by_hand("R1");
    stage
}

#[test]
fn a_member_removed_by_hand_waits_for_a_person() {
    let mut stage = removed(|tenant| tenant);
    stage.write("R1", &[(POSITION, json!("班组长"))]);
    stage.sync();
    assert!(stage.member("R1").is_none(), "created again by itself");
    assert_eq!(stage.refusals_of("R1"), ["member.removed"]);
    stage.write("R1", &[(MOBILE, json!("13731990001"))]);
    stage.rest();
    stage.json(0, &["sync", "jingxintai", "--full"]);
    assert!(stage.member("R1").is_none());
    assert_eq!(stage.refusals_of("R1"), ["member.removed"]);
    assert_eq!((stage.created("R1"), stage.invitations("R1")), (1, 1));
}

/// The row stands still: `drift` finds the removal all the same.
#[test]
fn a_member_removed_by_hand_is_told_of_though_the_row_stands_still() {
    let stage = removed(|tenant| tenant);
    let drift = stage.json(0, &["drift", "jingxintai"]).to_string();
    assert!(drift.contains("R1") && !drift.contains("R2"), "{drift}");
    assert!(stage.member("R1").is_none());
}

#[test]
fn a_member_removed_by_hand_is_created_again_without_an_invitation_if_the_tenant_says_so() {
    let mut stage = removed(recreate);
    stage.write("R1", &[(POSITION, json!("班组长"))]);
    stage.sync_anyhow();
    stage.rest();
    assert_eq!(stage.member("R1").unwrap().position, "班组长");
    assert_eq!((stage.created("R1"), stage.invitations("R1")), (2, 1));
    assert_eq!(stage.refused().len(), 0);
    // Owned as before: a leave is a leave.
    stage.write("R1", &[(STATE, json!("离职"))]);
    stage.sync();
    assert_eq!(stage.status("R1"), 2);
}

#[test]
fn a_member_removed_by_hand_is_let_go_if_the_tenant_says_so() {
    let mut stage = removed(release);
    stage.write("R1", &[(POSITION, json!("班组长"))]);
    stage.sync();
    stage.rest();
    assert!(stage.member("R1").is_none());
    stage.write("R1", &[(STATE, json!("离职"))]);
    stage.rest();
    assert_eq!((stage.created("R1"), stage.invitations("R1")), (1, 1));
}

/// A leaver whose account someone deletes before the grace period ends needs nothing further.
#[test]
fn a_leaver_removed_by_hand_is_nothing_to_ask_about() {
    let plan = Plan { tenant: |tenant| top("grace = \"30d\"\n", tenant), ..Plan::default() };
    let mut stage = Stage::of(plan, &PEOPLE);
    stage.sync();
    stage.write("R2", &[(STATE, json!("离职"))]);
    stage.sync();
    stage.delete_by_hand("R2");
    stage.rest();
    stage.pass(TimeDelta::days(31));
    stage.sync();
    stage.rest();
    assert!(stage.member("R2").is_none());
    assert_eq!(stage.refused().len(), 0, "{:?}", stage.refused());
}

/// Between the listing and the call.
#[test]
fn a_member_removed_while_a_run_goes_on_is_neither_lost_nor_invited_again() {
    for tenant in [(|tenant| tenant) as fn(Tenant) -> Tenant, recreate] {
        for state in ["在职", "离职"] {
            let mut stage = Stage::of(Plan { tenant, ..Plan::default() }, &PEOPLE);
            stage.sync();
            stage.write_all(&PEOPLE, &[(POSITION, json!("班组长"))]);
            stage.write("R3", &[(STATE, json!(state))]);
            let removed = FaultRule::new(FaultKind::RemovedByHand).containing("R3").next(1);
            stage.faults(vec![removed]);
            stage.sync_anyhow();
            stage.faults(Vec::new());
            stage.sync_anyhow();
            stage.rest();
            for userid in ["R1", "R2"] {
                assert_eq!(stage.member(userid).unwrap().position, "班组长");
            }
            match (state, stage.member("R3")) {
                ("离职", None) => assert_eq!(stage.refused().len(), 0),
                (_, None) => assert_eq!(stage.refusals_of("R3"), ["member.removed"]),
                (_, Some(member)) => assert_eq!(member.position, "班组长"),
            }
            assert_eq!(stage.invitations("R3"), 1);
        }
    }
}

/// A job upserts: it creates members removed after the listing, who must not be invited.
#[test]
fn a_member_removed_before_a_job_is_not_invited_again() {
    let mut stage = Stage::of(Plan { tenant: by_file, ..Plan::default() }, &PEOPLE);
    stage.sync();
    stage.write_all(&PEOPLE, &[(POSITION, json!("班组长"))]);
    let slow = FaultRule { delay_ms: 500, ..FaultRule::new(FaultKind::Slow).api("media/upload").next(1) };
    stage.faults(vec![slow]);
    let uploads = |stage: &Stage| stage.calls(Service::WeCom, "media/upload");
    let before = uploads(&stage);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| stage.sync_anyhow());
        while uploads(&stage) == before && !run.is_finished() {
            std::thread::yield_now();
        }
        stage.delete_by_hand("R3");
        run.join().unwrap();
    });
    stage.sync_anyhow();
    stage.rest();
    for userid in ["R1", "R2"] {
        assert_eq!(stage.member(userid).unwrap().position, "班组长");
    }
    assert_eq!(stage.invitations("R3"), 1);
}

fn by_file(tenant: Tenant) -> Tenant {
    Tenant { wecom: "batch_from = 2\n".to_owned(), ..tenant }
}

/// A job creates members it does not find.
#[test]
fn a_job_does_not_bring_back_a_member_removed_by_hand() {
    let mut stage = removed(by_file);
    stage.write_all(&PEOPLE, &[(POSITION, json!("班组长"))]);
    stage.sync_anyhow();
    stage.rest();
    assert!(stage.member("R1").is_none());
    assert_eq!(stage.refusals_of("R1"), ["member.removed"]);
    assert_eq!(stage.member("R2").unwrap().position, "班组长");
}

/// Deleted by mistake and added again by hand: the same person is adopted or asked about, without repeated overwriting.
#[test]
fn a_member_removed_and_added_again_by_hand_is_not_created_over() {
    let mut stage = removed(|tenant| tenant);
    stage.write("R1", &[(POSITION, json!("班组长"))]);
    stage.sync();
    let mobile = "13731000001";
    let again = json!({ "userid": "R1", "name": "陈远舟", "mobile": mobile, "department": [3] });
    let again = again.as_object().unwrap().clone();
    stage.simulator.add_by_hand(ruzhi_sim::factory::CORP_ID, again).unwrap();
    stage.sync();
    stage.rest();
    assert_eq!(stage.created("R1"), 1);
    assert_eq!(stage.invitations("R1"), 1);
}
