//! Writing a row of JianDaoYun.

use ruzhi_sim::{Limits, Service as Of};
use serde_json::{Map, Value, json};

use crate::service::{APP, ENTRY, Service};

const ROW: &str = "66aaaaaaaaaaaaaaaaaaaaaa";

async fn service() -> Service {
    let widgets = json!([
        {"name": "result", "widgetName": "_widget_1", "label": "结果", "type": "text"},
        {"widgetName": "_widget_2", "label": "时间", "type": "datetime"},
        {"widgetName": "_widget_3", "label": "姓名", "type": "text"},
        {"widgetName": "_widget_4", "label": "流水号", "type": "sn"},
    ]);
    let row = json!({"_id": ROW, "_widget_3": "张三", "_widget_4": "00001", "updateTime": "2024-01-01T00:00:00.000Z"});
    Service::with_form(widgets, json!([row])).await
}

fn row(service: &Service) -> Map<String, Value> {
    service.simulator.row(APP, ENTRY, ROW).unwrap()
}

fn body(data: Value) -> Value {
    json!({ "app_id": APP, "entry_id": ENTRY, "data_id": ROW, "data": data, "is_start_trigger": false })
}

#[tokio::test]
async fn a_row_is_written_in_the_fields_given_and_no_others() {
    let service = service().await;
    let data = json!({ "result": { "value": "已开通" }, "_widget_2": { "value": "2026-05-01T08:00:00Z" } });
    let (status, answer) = service.ask("/v5/app/entry/data/update", body(data)).await;
    assert_eq!((status, &answer["data"]["result"]), (200, &json!("已开通")), "{answer}");
    let row = row(&service);
    assert_eq!(row["_widget_2"], "2026-05-01T08:00:00.000Z");
    assert_eq!(row["_widget_3"], "张三");
    assert_ne!(row["updateTime"], "2024-01-01T00:00:00.000Z");
    service.simulator.assert_understood();
}

#[tokio::test]
async fn every_version_writes_the_same_row() {
    let service = service().await;
    for version in ["v1", "v2", "v3", "v4"] {
        let path = format!("/{version}/app/{APP}/entry/{ENTRY}/data_update");
        let body = json!({ "data_id": ROW, "data": { "result": { "value": version } } });
        let (status, answer) = service.ask(&path, body).await;
        assert_eq!((status, &answer["data"]["result"]), (200, &json!(version)), "{answer}");
        assert_eq!(row(&service)["result"], version);
    }
    service.simulator.assert_understood();
}

#[tokio::test]
async fn what_a_field_does_not_take_is_emptied_and_told_to_the_test_alone() {
    let service = service().await;
    let data = json!({ "result": { "value": 7 }, "_widget_2": { "value": "2021/10/10" }, "_widget_4": { "value": "x" },
                       "nowhere": { "value": "x" } });
    let (status, _) = service.ask("/v5/app/entry/data/update", body(data)).await;
    assert_eq!(status, 200);
    let row = row(&service);
    assert_eq!(
        (&row["result"], &row["_widget_2"], &row["_widget_4"]),
        (&json!(""), &Value::Null, &json!(""))
    );
    assert!(!row.contains_key("nowhere"));
    assert_eq!(service.simulator.misunderstandings().len(), 4);
}

#[tokio::test]
async fn an_unwrapped_value_a_deleted_row_and_too_many_calls_are_refused() {
    let service = service().await;
    let (status, answer) = service.ask("/v5/app/entry/data/update", body(json!({ "result": "x" }))).await;
    assert_eq!((status, &answer["code"]), (400, &json!(17017)));
    let mut gone = body(json!({ "result": { "value": "x" } }));
    gone["data_id"] = json!("66aaaaaaaaaaaaaaaaaaaaab");
    let (_, answer) = service.ask("/v5/app/entry/data/update", gone).await;
    assert_eq!(answer["code"], 4001);
    service.simulator.set_limits(Limits { jdy_write_per_second: 2, ..Limits::default() });
    service.simulator.freeze(true);
    service.simulator.advance_ms(1000);
    for expected in [200, 200, 400] {
        let (status, _) =
            service.ask("/v5/app/entry/data/update", body(json!({ "result": { "value": "x" } }))).await;
        assert_eq!(status, expected);
    }
    assert_eq!(service.simulator.answers(Of::JianDaoYun)["8304"], 1);
}
