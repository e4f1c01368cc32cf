//! The gates before any meaning: token, address, permission, rate.

use reqwest::Method;
use ruzhi_sim::{FaultKind, FaultRule, Faults, Knobs, Limits, Service as Of};
use serde_json::json;

use crate::service::{CORP, Service, from, person};

async fn gettoken(service: &Service, query: &str) -> i64 {
    service.get(&format!("/cgi-bin/gettoken?{query}")).await["errcode"].as_i64().unwrap()
}

#[tokio::test]
async fn gettoken_tells_what_is_wrong() {
    let service = Service::start().await;
    let other = json!({ "wecom": { "corps": [{ "corp_id": "wwother", "secret": "other-secret" }] } });
    service.simulator.load(from(other)).unwrap();
    assert_eq!(gettoken(&service, "corpsecret=sync-secret").await, 41002);
    assert_eq!(gettoken(&service, &format!("corpid={CORP}")).await, 41004);
    assert_eq!(gettoken(&service, "corpid=wwnone&corpsecret=sync-secret").await, 40013);
    assert_eq!(gettoken(&service, &format!("corpid={CORP}&corpsecret=wrong")).await, 40001);
    assert_eq!(gettoken(&service, &format!("corpid={CORP}&corpsecret=other-secret")).await, 40091);
    assert_eq!(gettoken(&service, "corpid=wwother&corpsecret=other-secret").await, 0);
}

#[tokio::test]
async fn a_token_is_the_same_while_it_lives_and_another_after() {
    let service = Service::start().await;
    service.simulator.freeze(true);
    let first = service.token_of("sync-secret").await;
    assert!(first.len() > 200);
    service.simulator.advance_ms(1_000_000);
    let later = service.get(&format!("/cgi-bin/gettoken?corpid={CORP}&corpsecret=sync-secret")).await;
    assert_eq!(later["access_token"], first.as_str());
    assert!(later["expires_in"].as_u64().unwrap() <= 6200);
    service.simulator.advance_ms(6_200_000);
    assert_eq!(service.read("department/simplelist", "").await["errcode"], 42001);
    assert_ne!(service.token_of("sync-secret").await, first);
}

#[tokio::test]
async fn repeated_wrong_secrets_block_the_address_for_an_hour() {
    let service = Service::start().await;
    service.simulator.freeze(true);
    let wrong = format!("corpid={CORP}&corpsecret=wrong");
    for _ in 0..10 {
        assert_eq!(gettoken(&service, &wrong).await, 40001);
    }
    let right = format!("corpid={CORP}&corpsecret=sync-secret");
    assert_eq!(gettoken(&service, &right).await, 45009);
    service.simulator.advance_ms(3_600_000);
    assert_eq!(gettoken(&service, &right).await, 0);
}

#[tokio::test]
async fn the_gates_come_in_order() {
    let service = Service::start().await;
    let bogus = "/cgi-bin/user/get?userid=absent";
    assert_eq!(service.get(bogus).await["errcode"], 41001);
    let wrong = service.get(&format!("{bogus}&access_token=wrong")).await;
    assert_eq!(wrong["errcode"], 40014);
    assert_eq!(wrong["department"], json!([]), "an error carries the empty lists too");
    assert_eq!(service.noted(), 1, "a token that is not in the query is noted");

    service.simulator.set_knobs(Knobs { trusted_ip: false, ..Knobs::default() });
    assert_eq!(service.read("user/get", "&userid=absent").await["errcode"], 60020);
    assert_eq!(service.token_of("sync-secret").await.len(), 214, "gettoken passes the address gate");

    service.simulator.set_knobs(Knobs::default());
    for api in ["user/get", "user/simplelist", "user/list", "department/list", "department/get"] {
        assert_eq!(service.read(api, "&userid=absent").await["errcode"], 48009, "{api}");
    }
    service.simulator.set_knobs(Knobs { sync_ip_is_legacy: true, ..Knobs::default() });
    assert_eq!(service.read("user/get", "&userid=absent").await["errcode"], 60111);
}

#[tokio::test]
async fn an_app_reads_a_member_without_mobile_and_writes_nothing() {
    let service = Service::start().await;
    assert_eq!(service.code("user/create", person("E1", "13800138000")).await, 0);
    let app = service.token_of("app-secret").await;
    let seen = service.get(&format!("/cgi-bin/user/get?access_token={app}&userid=e1")).await;
    assert_eq!((&seen["userid"], &seen["status"], &seen["errcode"]), (&json!("E1"), &json!(4), &json!(0)));
    assert!(seen.get("mobile").is_none() && seen.get("email").is_none() && seen.get("gender").is_none());
    for (method, api) in [
        (Method::POST, "user/create"),
        (Method::POST, "user/update"),
        (Method::GET, "user/delete"),
        (Method::POST, "user/list_id"),
        (Method::POST, "department/create"),
        (Method::POST, "batch/syncuser"),
    ] {
        let path = format!("/cgi-bin/{api}?access_token={app}&userid=E1");
        let answer = service.send(method, &path, Some(json!({}))).await.unwrap();
        assert_eq!(answer.headers()["error-code"], "48002", "{api}");
    }
}

#[tokio::test]
async fn a_full_minute_parks_the_api_of_the_corp_for_a_minute() {
    let service = Service::start().await;
    service.simulator.freeze(true);
    service.simulator.set_limits(Limits { wecom_per_minute: 3, ..Limits::default() });
    for _ in 0..3 {
        assert_eq!(service.read("department/simplelist", "").await["errcode"], 0);
    }
    assert_eq!(service.read("department/simplelist", "").await["errcode"], 45009);
    assert_eq!(service.code("user/list_id", json!({})).await, 0, "another API goes on");
    service.simulator.advance_ms(59_999);
    assert_eq!(service.read("department/simplelist", "").await["errcode"], 45009);
    service.simulator.advance_ms(1);
    assert_eq!(service.read("department/simplelist", "").await["errcode"], 0);
}

#[tokio::test]
async fn more_calls_in_flight_than_allowed_are_45033() {
    const API: &str = "department/simplelist";
    let service = Service::start().await;
    service.simulator.set_limits(Limits { wecom_in_flight: 1, ..Limits::default() });
    let mut slow = FaultRule::new(FaultKind::Slow).next(1);
    slow.delay_ms = 3_600_000;
    service.simulator.set_faults(Faults { seed: 0, rules: vec![slow] });
    let url = format!("{}{}", service.simulator.url(), service.path(API));
    let unanswered = tokio::spawn(async move { reqwest::get(url).await.is_ok() });
    while !service.simulator.requests(Of::WeCom).contains_key(API) {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.read(API, "").await["errcode"], 45033);
    assert_eq!(service.code("user/list_id", json!({})).await, 0, "another API has its own places");
    unanswered.abort();
    while service.read(API, "").await["errcode"] == 45033 {}
    assert_eq!(service.read(API, "").await["errcode"], 0, "a caller that hangs up gives its place back");
}

#[tokio::test]
async fn a_call_that_the_service_would_not_understand_is_noted() {
    let service = Service::start().await;
    let unknown = service.send(Method::POST, &service.path("user/creat"), Some(json!({}))).await.unwrap();
    assert_eq!((unknown.status().as_u16(), service.noted()), (404, 1));
    assert_eq!(service.read("user/create", "").await["errcode"], 40003);
    assert_eq!(service.code("user/delete", json!({ "userid": "E1" })).await, 40058);
    assert_eq!(service.noted(), 3);
    let url = format!("{}{}", service.simulator.url(), service.path("department/create"));
    let form = reqwest::Client::new().post(url).body("name=a&parentid=1").send().await.unwrap();
    let answer: serde_json::Value = form.json().await.unwrap();
    assert_eq!(answer["errcode"], 60001);
    assert!(answer["errmsg"].as_str().unwrap().starts_with("Warning: wrong json format. "), "{answer}");
    assert_eq!(service.noted(), 4);
    for noted in service.simulator.misunderstandings() {
        assert!(!noted.path.contains("access_token"), "{}", noted.path);
    }
}
