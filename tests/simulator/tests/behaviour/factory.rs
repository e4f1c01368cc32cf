//! The invented factory.

use std::collections::HashSet;

use ruzhi_sim::factory::{CORP_ID, DEPARTMENT, Factory, SECRET, Verdict, hostile_kinds};
use serde_json::{Value, json};

use crate::service::Service;

#[test]
fn the_same_seed_gives_the_same_factory() {
    let of = |seed, people| serde_json::to_string(&Factory::new(seed, people).document()).unwrap();
    assert_eq!(of(7, 300), of(7, 300));
    assert_ne!(of(7, 300), of(8, 300));
}

#[test]
fn a_thousand_people_have_a_hundred_and_fifty_hostile_rows_of_every_kind() {
    let factory = Factory::new(7, 1000);
    assert_eq!(factory.rows().len(), 1000);
    let hostile: Vec<&str> =
        factory.rows().iter().map(|row| row.kind).filter(|kind| *kind != "good").collect();
    assert!((149..=150).contains(&hostile.len()), "{}", hostile.len());
    let kinds: HashSet<&str> = hostile.into_iter().collect();
    assert_eq!(kinds, hostile_kinds().collect());
    let small: HashSet<&str> = Factory::new(7, 300).rows().iter().map(|row| row.kind).collect();
    assert_eq!(small.len(), kinds.len() + 1, "three hundred people are enough for every kind");
    let refused: HashSet<&str> = factory.refused().map(|row| row.kind).collect();
    assert!(refused.len() >= 30, "{}", refused.len());
}

#[test]
fn members_are_unique_and_dates_rise_into_the_past() {
    let factory = Factory::new(3, 2000);
    let members = factory.members();
    let mobiles: HashSet<&str> =
        members.values().map(|member| member.mobile.as_str()).filter(|mobile| !mobile.is_empty()).collect();
    let with_mobile = members.values().filter(|member| !member.mobile.is_empty()).count();
    assert_eq!(mobiles.len(), with_mobile);
    let created: Vec<&str> =
        factory.rows().iter().map(|row| row.row["createTime"].as_str().unwrap()).collect();
    assert!(created.is_sorted());
    assert!(created.last().unwrap().starts_with("2025"), "{:?}", created.last());
}

#[test]
fn departments_come_in_every_shape() {
    let factory = Factory::new(7, 300);
    let shape = |value: &Value| match value {
        Value::String(text) if text.starts_with('[') => "text of a list",
        Value::String(text) if text.contains(',') => "commas",
        Value::String(text) if text.contains(';') => "semicolons",
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Object(_) => "object",
        Value::Array(items) if items.first().is_some_and(Value::is_object) => "objects",
        _ => "list",
    };
    let shapes: HashSet<&str> = factory
        .rows()
        .iter()
        .filter(|row| row.kind == "good")
        .map(|row| shape(&row.row[DEPARTMENT]))
        .collect();
    assert_eq!(shapes.len(), 8, "{shapes:?}");
}

#[test]
fn leavers_and_rules_without_email_are_said() {
    let factory = Factory::builder(7, 200).hostile(60).leavers(10).rules_without_email().build();
    let left = factory.rows().iter().filter(|row| matches!(row.verdict, Verdict::Left { .. })).count();
    assert_eq!(left, 10);
    let members = factory.members();
    let are_reached = members.values().all(|member| member.email.is_empty() && !member.mobile.is_empty());
    assert!(!members.is_empty() && are_reached);
    assert_ne!(factory.refused().count(), 0);
    assert!(
        factory.refused().all(|row| row.kind == "neither_mobile_nor_email" || !row.kind.contains("email"))
    );
}

#[tokio::test]
async fn wecom_takes_every_expected_member() {
    let service = Service::start().await;
    let factory = Factory::new(7, 600);
    service.simulator.load(factory.document()).unwrap();
    let token = service.get(&format!("/cgi-bin/gettoken?corpid={CORP_ID}&corpsecret={SECRET}")).await;
    let path = format!("/cgi-bin/user/create?access_token={}", token["access_token"].as_str().unwrap());
    for member in factory.members().values() {
        let body = json!({
            "userid": member.userid, "name": member.name, "mobile": member.mobile, "email": member.email,
            "department": member.department, "position": member.position, "to_invite": false,
        });
        let answer = service.post(&path, body).await;
        assert_eq!(answer, json!({ "errcode": 0, "errmsg": "created" }), "{member:?}");
    }
    assert_eq!(service.simulator.members(CORP_ID).len(), factory.members().len());
    service.simulator.assert_understood();
}
