//! Filters of JianDaoYun, and requests that it would not understand.

use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{APP, ENTRY, Service};

async fn service() -> Service {
    let widgets = json!([
        {"widgetName": "text", "label": "文本", "type": "text"},
        {"widgetName": "number", "label": "数字", "type": "number"},
        {"widgetName": "when", "label": "日期", "type": "datetime"},
        {"widgetName": "many", "label": "复选", "type": "checkboxgroup"},
        {"widgetName": "phone", "label": "手机", "type": "phone"},
        {"widgetName": "who", "label": "成员", "type": "user"},
        {"widgetName": "where", "label": "部门", "type": "dept"},
        {"widgetName": "photo", "label": "图片", "type": "image"},
    ]);
    let rows = json!([
        {"text": "a", "number": 1, "when": "2024-04-30T16:00:00.000Z", "many": ["x", "y"], "flowState": 0,
         "phone": {"phone": "13800138000", "verified": true}, "who": {"username": "li"}, "where": {"dept_no": 2}},
        {"text": "b", "number": 2.5, "when": "2024-05-02T00:00:00.000Z", "many": ["x"], "flowState": 1,
         "phone": {"phone": "13900139000", "verified": false}, "who": {"username": "wang"}, "where": {"dept_no": 3}},
        {"text": "", "number": null, "when": null, "many": [], "flowState": 1, "phone": {}, "who": null},
    ]);
    Service::with_form(widgets, rows).await
}

/// The matching rows among the three.
async fn passing(service: &Service, rel: &str, cond: Value) -> Vec<usize> {
    let all = service.listed(json!({})).await;
    let passed = service.listed(json!({ "filter": { "rel": rel, "cond": cond } })).await;
    passed.iter().map(|id| all.iter().position(|of| of == id).unwrap()).collect()
}

#[tokio::test]
async fn every_method_selects_what_it_says() {
    let service = service().await;
    service.simulator.set_limits(ruzhi_sim::Limits { enabled: false, ..ruzhi_sim::Limits::default() });
    let cases: [(&str, &str, Value, &[usize]); 34] = [
        ("text", "eq", json!(["a"]), &[0]),
        ("text", "eq", json!("a"), &[0]),
        ("text", "ne", json!(["a"]), &[1, 2]),
        ("text", "in", json!(["a", "b"]), &[0, 1]),
        ("text", "nin", json!(["a"]), &[1, 2]),
        ("text", "like", json!(["b"]), &[1]),
        ("text", "empty", json!(null), &[2]),
        ("text", "not_empty", json!(null), &[0, 1]),
        ("number", "eq", json!([2.5]), &[1]),
        ("number", "range", json!([1, 2.5]), &[0, 1]),
        ("number", "range", json!([2, null]), &[1]),
        ("number", "gt", json!([1]), &[1]),
        ("number", "lt", json!([2.5]), &[0]),
        ("number", "empty", json!(null), &[2]),
        ("when", "eq", json!(["2024-05-01"]), &[0]),
        ("when", "ne", json!(["2024-05-01"]), &[1, 2]),
        ("when", "range", json!(["2024-05-01", null]), &[0, 1]),
        ("when", "range", json!([null, "2024-05-01 00:00:00"]), &[0]),
        ("when", "range", json!(["2024-05-01T23:59:59Z", "2024-05-02T00:00:00.000Z"]), &[1]),
        ("many", "in", json!(["y", "z"]), &[0]),
        ("many", "all", json!(["x", "y"]), &[0]),
        ("many", "empty", json!(null), &[2]),
        ("phone", "like", json!(["139"]), &[1]),
        ("phone", "verified", json!(null), &[0]),
        ("phone", "unverified", json!(null), &[1]),
        ("who", "eq", json!(["li"]), &[0]),
        ("who", "nin", json!(["li"]), &[1, 2]),
        ("who", "nin", json!(["absent"]), &[0, 1, 2]),
        ("where", "in", json!([2, 3]), &[0, 1]),
        ("photo", "empty", json!(null), &[0, 1, 2]),
        ("flowState", "eq", json!([1]), &[1, 2]),
        ("flowState", "eq", json!(1), &[1, 2]),
        ("flowState", "ne", json!([1]), &[0]),
        ("createTime", "range", json!(["2020-01-01", null]), &[0, 1, 2]),
    ];
    for (field, method, value, expected) in cases {
        let mut condition = json!({ "field": field, "method": method });
        if !value.is_null() {
            condition["value"] = value;
        }
        assert_eq!(passing(&service, "and", json!([condition])).await, expected, "{condition}");
    }
    let a = json!({ "field": "text", "type": "text", "method": "eq", "value": ["a"] });
    let b = json!({ "field": "text", "method": "eq", "value": ["b"] });
    assert_eq!(passing(&service, "or", json!([a, b])).await, [0, 1]);
    assert!(passing(&service, "and", json!([a, b])).await.is_empty());
    assert_eq!(passing(&service, "and", json!([])).await, [0, 1, 2]);
    service.simulator.assert_understood();
}

#[tokio::test]
async fn a_filter_that_the_service_cannot_use_is_4815_and_noted() {
    let service = service().await;
    service.simulator.set_limits(ruzhi_sim::Limits { enabled: false, ..ruzhi_sim::Limits::default() });
    let many: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
    let filters = [
        json!({ "rel": "and", "cond_1": { "field": "text", "method": "eq", "value": "a" } }),
        json!({ "rel": "and", "cond": [], "cond_1": {} }),
        json!({ "rel": "xor", "cond": [] }),
        json!({ "cond": [] }),
        json!([]),
        json!({ "rel": "and", "cond": [{ "field": "text", "method": "equals", "value": ["a"] }] }),
        json!({ "rel": "and", "cond": [{ "field": "none", "method": "eq", "value": ["a"] }] }),
        json!({ "rel": "and", "cond": [{ "field": "text", "method": "in", "value": "a" }] }),
        json!({ "rel": "and", "cond": [{ "field": "text", "method": "in", "value": [] }] }),
        json!({ "rel": "and", "cond": [{ "field": "text", "method": "in", "value": many }] }),
        json!({ "rel": "and", "cond": [{ "field": "text", "method": "eq" }] }),
        json!({ "rel": "and", "cond": [{ "field": "text", "methods": "eq", "method": "eq", "value": ["a"] }] }),
        json!({ "rel": "and", "cond": [{ "field": "phone", "method": "eq", "value": ["138"] }] }),
        json!({ "rel": "and", "cond": [{ "field": "photo", "method": "eq", "value": ["a"] }] }),
        json!({ "rel": "and", "cond": [{ "field": "when", "method": "range", "value": ["yesterday", null] }] }),
        json!({ "rel": "and", "cond": [{ "field": "when", "method": "range", "value": ["2024-01-01", ""] }] }),
        json!({ "rel": "and", "cond": [{ "field": "when", "method": "range", "value": ["2024-01-01"] }] }),
        json!({ "rel": "and", "cond": [{ "field": "when", "method": "range", "value": [1704038400000_u64, null] }] }),
        json!({ "rel": "and", "cond": [{ "field": "flowState", "method": "eq", "value": ["1"] }] }),
        json!({ "rel": "and", "cond": [{ "rel": "or", "cond": [] }] }),
    ];
    for (place, filter) in filters.into_iter().enumerate() {
        let (code, noted) = service.refused(json!({ "filter": filter })).await;
        assert_eq!(code, 4815, "{filter}");
        assert_eq!(service.noted(), place + 1, "{filter}: {noted}");
    }
}

#[tokio::test]
async fn a_request_that_the_service_would_not_understand_is_refused_and_noted() {
    let service = service().await;
    let bodies = [
        json!({ "limit": "100" }),
        json!({ "limit": 0 }),
        json!({ "fields": "_widget_1675653229901,_id" }),
        json!({ "fields": [1] }),
        json!({ "data_id": "last" }),
        json!({ "filter": { "rel": "and", "cond": [
            { "field": "when", "method": "range", "value": ["{{LAST_SYNC_TIME|datetime}}", null] } ] } }),
    ];
    for (place, body) in bodies.into_iter().enumerate() {
        assert_eq!(service.refused(body.clone()).await.0, 17017, "{body}");
        assert_eq!(service.noted(), place + 1, "{body}");
    }
    let before = service.noted();
    let (_, short) =
        service.ask("/v5/app/entry/data/list", json!({ "app_id": "6399", "entry_id": ENTRY })).await;
    let (_, absent) = service.ask("/v5/app/entry/data/list", json!({ "app_id": APP })).await;
    let (_, text) = service.ask("/v5/app/entry/data/list", json!("text")).await;
    let get = service.send(Method::GET, "/api/v5/app/list", None).await.unwrap();
    assert_eq!((get.status().as_u16(), service.noted()), (400, before + 4));
    assert_eq!((&short["code"], &absent["code"], &text["code"]), (&json!(17017), &json!(1), &json!(17017)));

    let url = format!("{}/api/v5/app/list", service.simulator.url());
    let form =
        reqwest::Client::new().post(url).bearer_auth("key").header("content-type", "text/plain").body("{}");
    let plain: Value = form.send().await.unwrap().json().await.unwrap();
    assert_eq!((&plain["code"], service.noted()), (&json!(17017), before + 5));
}

#[tokio::test]
async fn a_body_key_that_would_silently_be_ignored_is_noted() {
    let service = service().await;
    assert_eq!(service.listed(json!({ "page_size": 100, "limit": 1 })).await.len(), 1);
    let noted = service.simulator.misunderstandings();
    assert_eq!(noted.len(), 1);
    assert!(noted[0].what.contains("page_size"), "{}", noted[0].what);
}

#[tokio::test]
#[should_panic(expected = "would not understand")]
async fn a_test_can_fail_loudly_on_it() {
    let service = service().await;
    service.refused(json!({ "limit": "100" })).await;
    service.simulator.assert_understood();
}
