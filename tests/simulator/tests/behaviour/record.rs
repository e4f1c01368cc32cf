//! Reading records of JianDaoYun: pages, projection, versions, authorisation, rates.

use ruzhi_sim::{Knobs, Limits, RowChange, Service as Of};
use serde_json::{Value, json};

use crate::service::{APP, ENTRY, Service, from};

fn widgets() -> Value {
    json!([
        {"name": "emp_no", "widgetName": "_widget_1529400746031", "label": "工号", "type": "text"},
        {"widgetName": "_widget_1529400746032", "label": "姓名", "type": "text"},
        {"widgetName": "_widget_1529400746033", "label": "部门", "type": "deptgroup"},
    ])
}

fn rows(count: usize) -> Value {
    (0..count)
        .map(|number| json!({ "_widget_1529400746031": format!("E{number}"), "flowState": 1 }))
        .collect()
}

#[tokio::test]
async fn pages_follow_the_cursor_in_the_order_of_creation_and_end_short() {
    let service = Service::with_form(widgets(), rows(25)).await;
    let mut all = Vec::new();
    let mut cursor = String::new();
    let mut sizes = Vec::new();
    loop {
        let page = service.listed(json!({ "data_id": cursor, "limit": 10 })).await;
        sizes.push(page.len());
        cursor = page.last().cloned().unwrap_or_default();
        all.extend(page);
        if sizes.last() != Some(&10) {
            break;
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    assert!(all.is_sorted());
    all.dedup();
    assert_eq!(all.len(), 25);
    service.simulator.assert_understood();
}

#[tokio::test]
async fn a_last_page_that_is_full_is_followed_by_an_empty_one() {
    let service = Service::with_form(widgets(), rows(20)).await;
    let page = service.listed(json!({ "limit": 20 })).await;
    assert_eq!(page.len(), 20);
    assert!(service.listed(json!({ "limit": 20, "data_id": page.last() })).await.is_empty());
}

#[tokio::test]
async fn the_limit_is_ten_by_default_and_clamped_or_refused_above_a_hundred() {
    let service = Service::with_form(widgets(), rows(120)).await;
    assert_eq!(service.listed(json!({})).await.len(), 10);
    assert_eq!(service.listed(json!({ "limit": 1000 })).await.len(), 100);
    service.simulator.set_knobs(Knobs { limit_over_100_is_error: true, ..Knobs::default() });
    assert_eq!(service.refused(json!({ "limit": 101 })).await.0, 17017);
    service.simulator.assert_understood();
}

#[tokio::test]
async fn a_deleted_row_is_still_a_cursor() {
    let service = Service::with_form(widgets(), rows(5)).await;
    let ids = service.listed(json!({})).await;
    let delete = RowChange {
        app_id: APP.to_owned(),
        entry_id: ENTRY.to_owned(),
        delete: vec![ids[1].clone()],
        ..RowChange::default()
    };
    service.simulator.change_rows(delete).unwrap();
    assert_eq!(service.listed(json!({ "data_id": ids[1] })).await, ids[2..]);
}

#[tokio::test]
async fn a_projection_keeps_the_three_ids_and_nothing_that_was_not_asked_for() {
    let service = Service::with_form(widgets(), rows(1)).await;
    let body = json!({ "app_id": APP, "entry_id": ENTRY, "fields": ["emp_no"] });
    let (_, answer) = service.ask("/v5/app/entry/data/list", body).await;
    let row = answer["data"][0].as_object().unwrap();
    assert_eq!(row.keys().map(String::as_str).collect::<Vec<_>>(), ["_id", "appId", "emp_no", "entryId"]);
    assert_eq!(row["emp_no"], "E0");
}

#[tokio::test]
async fn an_alias_names_the_field_everywhere_and_the_widget_list_says_so() {
    let service = Service::with_form(widgets(), rows(1)).await;
    let body = json!({ "app_id": APP, "entry_id": ENTRY });
    let (_, described) = service.ask("/v5/app/entry/widget/list", body).await;
    assert_eq!(described["widgets"][0]["name"], "emp_no");
    assert_eq!(described["widgets"][0]["widgetName"], "_widget_1529400746031");
    assert_eq!(described["widgets"][1]["name"], "_widget_1529400746032");
    assert!(described["dataModifyTime"].is_string());
    let (_, legacy) = service.ask(&format!("/v1/app/{APP}/entry/{ENTRY}/widgets"), json!({})).await;
    assert!(legacy.get("dataModifyTime").is_none());
}

#[tokio::test]
async fn older_routes_take_the_ids_in_the_path_and_show_members_as_they_were_then() {
    let dept = json!([{"name": "生产部", "dept_no": 2, "type": 0, "parent_no": 1, "status": 1}]);
    let creator = json!({"name": "李", "username": "li", "status": 1, "type": 0, "departments": [2]});
    let rows = json!([{ "_widget_1529400746033": dept, "creator": creator }]);
    let service = Service::with_form(widgets(), rows).await;
    let path = format!("/v2/app/{APP}/entry/{ENTRY}/data");
    let (status, old) = service.ask(&path, json!({})).await;
    assert_eq!(status, 200);
    let old = &old["data"][0];
    assert_eq!(old["_widget_1529400746033"][0]["_id"].as_str().unwrap().len(), 24);
    assert_eq!(old["_widget_1529400746033"][0]["dept_no"], 2);
    assert!(old["creator"].get("type").is_none() && old["creator"]["_id"].is_string());

    let data_id = &old["_id"];
    let path = format!("/v4/app/{APP}/entry/{ENTRY}/data_retrieve");
    let (_, newer) = service.ask(&path, json!({ "data_id": data_id })).await;
    assert_eq!(newer["data"]["creator"]["type"], 0);
    assert!(newer["data"]["creator"].get("_id").is_none());
    let (status, _) = service.ask(&format!("/v3/app/{APP}/entry/{ENTRY}/data"), json!({})).await;
    assert_eq!((status, service.noted()), (404, 1), "there is no v3 read");
}

#[tokio::test]
async fn apps_and_forms_are_listed_within_the_scope_of_the_key() {
    let service = Service::with_form(widgets(), rows(0)).await;
    let other = "5f0000000000000000000001";
    service
        .simulator
        .load(from(json!({ "jiandaoyun": {
            "keys": [{"key": "key", "apps": [APP]}],
            "forms": [{"app_id": other, "entry_id": other, "name": "别的"}],
        } })))
        .unwrap();
    let (_, apps) = service.ask("/v5/app/list", json!({})).await;
    assert_eq!(apps, json!({ "apps": [{"name": APP, "app_id": APP}] }));
    let (_, forms) = service.ask("/v5/app/entry/list", json!({ "app_id": APP })).await;
    assert_eq!(forms["forms"][0]["entry_id"], ENTRY);
    let (_, forbidden) = service.ask("/v5/app/entry/list", json!({ "app_id": other })).await;
    assert_eq!(forbidden["code"], 17053);
}

#[tokio::test]
async fn what_does_not_exist_has_its_code_with_http_400() {
    let service = Service::with_form(widgets(), rows(1)).await;
    let none = "5f0000000000000000000009";
    for (app, entry, data, code) in
        [(none, ENTRY, none, 2004), (APP, none, none, 3000), (APP, ENTRY, none, 4001)]
    {
        let body = json!({ "app_id": app, "entry_id": entry, "data_id": data });
        let (status, answer) = service.ask("/v5/app/entry/data/get", body).await;
        assert_eq!((status, answer["code"].as_i64()), (400, Some(code)));
    }
    service.simulator.assert_understood();
}

#[tokio::test]
async fn a_missing_header_and_an_unknown_key_are_told_apart() {
    let service = Service::with_form(widgets(), rows(0)).await;
    let missing = service.post("/api/v5/app/list", json!({})).await;
    assert_eq!(missing["code"], 8301);
    assert_eq!(service.noted(), 1);
    let url = format!("{}/api/v5/app/list", service.simulator.url());
    let request = reqwest::Client::new().post(url).bearer_auth("other").json(&json!({}));
    let unknown: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(unknown["code"], 17018);
}

#[tokio::test]
async fn a_second_holds_thirty_calls_of_an_endpoint_five_on_older_routes_fifty_of_a_company() {
    let service = Service::with_form(widgets(), rows(0)).await;
    service.simulator.freeze(true);
    let list = json!({ "app_id": APP, "entry_id": ENTRY });
    let old = format!("/v2/app/{APP}/entry/{ENTRY}/data");
    for _ in 0..5 {
        assert_eq!(service.ask(&old, json!({})).await.0, 200);
    }
    assert_eq!(service.ask(&old, json!({})).await.1["code"], 8304);
    for _ in 0..30 {
        assert_eq!(service.ask("/v5/app/entry/data/list", list.clone()).await.0, 200);
    }
    assert_eq!(service.ask("/v5/app/entry/data/list", list.clone()).await.1["code"], 8304);
    for _ in 0..15 {
        assert_eq!(service.ask("/v5/app/entry/widget/list", list.clone()).await.0, 200);
    }
    assert_eq!(service.ask("/v5/app/entry/widget/list", list.clone()).await.1["code"], 8303);

    service.simulator.advance_ms(999);
    assert_eq!(service.ask(&old, json!({})).await.1["code"], 8303, "the window slides, it does not refill");
    service.simulator.advance_ms(1);
    assert_eq!(service.ask(&old, json!({})).await.0, 200);

    service.simulator.set_limits(Limits { enabled: false, ..Limits::default() });
    for _ in 0..60 {
        assert_eq!(service.ask(&old, json!({})).await.0, 200);
    }
    assert_eq!(service.simulator.answers(Of::JianDaoYun)["8304"], 2);
}

#[tokio::test]
async fn a_changed_row_keeps_its_other_fields_and_gets_a_new_time() {
    let service =
        Service::with_form(widgets(), json!([{ "emp_no": "E1", "updateTime": "2024-01-01T00:00:00.000Z" }]))
            .await;
    let id = service.listed(json!({})).await.remove(0);
    let change: RowChange = serde_json::from_value(json!({
        "app_id": APP, "entry_id": ENTRY,
        "upsert": [{ "_id": id, "_widget_1529400746032": "李四" }, { "emp_no": "E2" }],
    }))
    .unwrap();
    let written = service.simulator.change_rows(change).unwrap();
    assert_eq!(written[0], id);
    assert!(written[1] > id);
    let changed = json!({ "field": "updateTime", "type": "datetime", "method": "range", "value": ["2024-06-01", null] });
    let filter = json!({ "rel": "and", "cond": [changed] });
    assert_eq!(service.listed(json!({ "filter": filter })).await, written);
    let body = json!({ "app_id": APP, "entry_id": ENTRY, "data_id": id });
    let (_, row) = service.ask("/v5/app/entry/data/get", body).await;
    assert_eq!(row["data"]["emp_no"], "E1");
    assert_eq!(row["data"]["_widget_1529400746032"], "李四");
    assert_eq!(row["data"]["createTime"], "2024-01-01T00:00:00.000Z");
}
