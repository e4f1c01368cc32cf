//! Paging stops as soon as a page repeats.

use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{FaultKind, FaultRule, Service};
use serde_json::json;

use super::stage::{POSITION, Plan, Stage};

fn round(api: &str, period: u64) -> FaultRule {
    FaultRule { period, ..FaultRule::new(FaultKind::CursorCycle).api(api).next(u64::MAX) }
}

#[test]
fn a_listing_of_members_that_goes_round_ends_the_run_with_a_message() {
    for period in [1, 2, 3] {
        let mut stage = Stage::of(Plan::default(), &["K1", "K2"]);
        stage.sync();
        stage.write("K3", &[]);
        stage.faults(vec![round("user/list_id", period)]);
        let before = stage.calls(Service::WeCom, "user/list_id");
        let run = stage.run(&["sync", "jingxintai"]);
        assert_eq!(run.code, Some(1), "period {period}: {}", run.stderr);
        assert!(run.stderr.contains("wecom.endless"), "{}", run.stderr);
        assert!(stage.calls(Service::WeCom, "user/list_id") - before <= period + 2, "period {period}");
        stage.faults(Vec::new());
        stage.sync();
        assert_eq!(stage.status("K3"), 4);
        stage.rest();
    }
}

#[test]
fn a_form_whose_pages_go_round_ends_the_run_with_a_message() {
    let people: Vec<String> = (0..320).map(|number| format!("K{number:03}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let mut stage = Stage::of(Plan::default(), &people);
    stage.sync();
    stage.write("K310", &[(POSITION, json!("钳工"))]);
    for period in [1, 2, 3] {
        stage.faults(vec![round("data/list", period)]);
        let before = stage.calls(Service::JianDaoYun, "data/list");
        let run = stage.run(&["sync", "jingxintai", "--full"]);
        assert_eq!(run.code, Some(1), "period {period}: {}", run.stderr);
        assert!(stage.calls(Service::JianDaoYun, "data/list") - before <= period + 2, "period {period}");
    }
    stage.faults(Vec::new());
    stage.sync();
    assert_eq!(stage.member("K310").unwrap().position, "钳工");
    assert_eq!(stage.simulator.members(CORP_ID).len(), 320);
    stage.rest();
}
