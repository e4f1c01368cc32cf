//! A directory whose listing is late or repeats, that is full, or that changes just before a call.

use ruzhi_sim::{FaultKind, FaultRule, Faults, Knobs, Limits};
use serde_json::{Value, json};

use crate::service::{CORP, Service, person};

async fn with_two() -> Service {
    let service = Service::start().await;
    for (userid, mobile) in [("E1", "13800138001"), ("E2", "13800138002")] {
        assert_eq!(service.code("user/create", person(userid, mobile)).await, 0);
    }
    service
}

fn userids(answer: &Value) -> Vec<&str> {
    answer["dept_user"].as_array().unwrap().iter().map(|row| row["userid"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_member_may_be_listed_late_either_way() {
    let service = with_two().await;
    service.simulator.list_late(CORP, "e1", true).unwrap();
    service.simulator.list_late(CORP, "E2", false).unwrap();
    service.simulator.delete_by_hand(CORP, "E1").unwrap();
    let listed = service.write("user/list_id", json!({})).await;
    assert_eq!(userids(&listed), ["E1"], "the one who is gone, not the one who is there");
    assert_eq!(service.read("user/delete", "&userid=E1").await["errcode"], 60111);
    assert_eq!(service.code("user/update", json!({ "userid": "E2", "name": "李四" })).await, 0);
    service.post(&format!("/sim/corp/{CORP}/list"), json!({})).await;
    assert_eq!(userids(&service.write("user/list_id", json!({})).await), ["E2"]);
}

#[tokio::test]
async fn a_late_replica_shows_the_directory_of_before() {
    let service = with_two().await;
    let rule = FaultRule::new(FaultKind::StaleList).next(1);
    service.simulator.set_faults(Faults { seed: 1, rules: vec![rule] });
    assert_eq!(service.code("user/create", person("E3", "13800138003")).await, 0);
    service.simulator.delete_by_hand(CORP, "E1").unwrap();
    assert_eq!(userids(&service.write("user/list_id", json!({})).await), ["E1", "E2"]);
    assert_eq!(userids(&service.write("user/list_id", json!({})).await), ["E2", "E3"]);
}

#[tokio::test]
async fn pages_may_go_round() {
    let service = with_two().await;
    let round = |period: u64| FaultRule { period, ..FaultRule::new(FaultKind::CursorCycle).next(u64::MAX) };
    for period in [1, 2, 3] {
        service.simulator.set_faults(Faults { seed: 1, rules: vec![round(period)] });
        let mut cursors = Vec::new();
        let mut cursor = json!("");
        for _ in 0..2 * period {
            let page = service.write("user/list_id", json!({ "cursor": cursor, "limit": 1 })).await;
            assert_eq!(userids(&page), ["E1"]);
            cursor = page["next_cursor"].clone();
            cursors.push(cursor.clone());
        }
        let (first, second) = cursors.split_at(period as usize);
        assert_eq!(first, second);
        assert!(first.iter().enumerate().all(|(place, cursor)| !first[..place].contains(cursor)));
    }
    let rows: Value = (0..7).map(|number| json!({ "flowState": number })).collect();
    let service = Service::with_form(json!([]), rows).await;
    service.simulator.set_faults(Faults { seed: 1, rules: vec![round(2)] });
    let mut pages = Vec::new();
    let mut last = String::new();
    for _ in 0..4 {
        let page = service.listed(json!({ "limit": 3, "data_id": last })).await;
        last.clone_from(page.last().unwrap());
        pages.push(page);
    }
    assert_eq!(pages[..2], pages[2..]);
    assert_ne!(pages[0], pages[1]);
}

#[tokio::test]
async fn a_member_may_be_removed_just_before_a_call() {
    let service = with_two().await;
    let rule = FaultRule::new(FaultKind::RemovedByHand).api("user/update").next(1);
    service.simulator.set_faults(Faults { seed: 1, rules: vec![rule] });
    for (userid, code) in [("E1", 60111), ("E2", 0)] {
        assert_eq!(service.code("user/update", json!({ "userid": userid, "position": "电工" })).await, code);
    }
    assert_eq!(service.simulator.members(CORP).len(), 1);
}

#[tokio::test]
async fn a_leader_who_is_not_there_or_oneself_has_the_code_that_is_set() {
    let service = with_two().await;
    let leads = |leader: &str| json!({ "userid": "E1", "direct_leader": [leader] });
    assert_eq!(service.code("user/update", leads("E9")).await, 60111);
    assert_eq!(service.code("user/update", leads("e1")).await, 0);
    let knobs = Knobs { leader_unknown_code: 301_021, leader_self_refused: true, ..Knobs::default() };
    service.simulator.set_knobs(knobs);
    assert_eq!(service.code("user/update", leads("E9")).await, 301_021);
    assert_eq!(service.code("user/update", leads("e1")).await, 301_021);
    assert_eq!(service.code("user/update", leads("E2")).await, 0);
}

#[tokio::test]
async fn a_disabled_member_takes_a_place_or_none() {
    let service = with_two().await;
    service.simulator.set_limits(Limits { wecom_members: 2, ..Limits::default() });
    assert_eq!(service.code("user/update", json!({ "userid": "E1", "enable": 0 })).await, 0);
    assert_eq!(service.code("user/create", person("E3", "13800138003")).await, 45024);
    service.simulator.set_knobs(Knobs { disabled_take_places: false, ..Knobs::default() });
    assert_eq!(service.code("user/create", person("E3", "13800138003")).await, 0);
    assert_eq!(service.code("user/create", person("E4", "13800138004")).await, 45024);
}
