//! The control routes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{APP, CORP, ENTRY, Service, person};

async fn refusal(service: &Service, path: &str, body: Value) -> String {
    let answer = service.send(Method::POST, path, Some(body)).await.unwrap();
    assert_eq!(answer.status(), 400);
    answer.json::<Value>().await.unwrap()["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn everything_is_reached_over_http() {
    let service = Service::start().await;
    service.post("/sim/knobs", json!({ "log_requests": true })).await;
    let row = json!({ "_id": "6fe0706d0e33350008189999", "emp": "E1" });
    let form = json!({ "app_id": APP, "entry_id": ENTRY, "rows": [row] });
    service.post("/sim/load", json!({ "jiandaoyun": { "forms": [form] } })).await;
    let changed = service
        .post("/sim/rows", json!({ "app_id": APP, "entry_id": ENTRY, "upsert": [{ "emp": "E2" }] }))
        .await;
    assert_eq!(changed, json!({ "ids": ["6fe0706d0e3335000818999a"] }), "a new row comes after every other");
    service.post("/sim/limits", json!({ "wecom_in_flight": 3 })).await;
    let rules = json!([{ "kind": "busy_before", "service": "wecom", "api": "user/create", "next": 1 }]);
    service.post("/sim/faults", json!({ "seed": 3, "rules": rules })).await;

    assert_eq!(service.code("user/create", person("E1", "13800138000")).await, -1);
    assert_eq!(service.code("user/create", person("E1", "13800138000")).await, 0);
    service.post(&format!("/sim/corp/{CORP}/activate"), json!({ "userid": "E1" })).await;
    let state = service.get("/sim/state").await;
    assert_eq!(state["requests"]["wecom"], json!({ "gettoken": 1, "user/create": 2 }));
    assert_eq!(state["answers"]["wecom"], json!({ "-1": 1, "0": 2 }));
    assert_eq!(state["faults"], json!({ "busy_before": 1 }));
    assert_eq!(state["jiandaoyun"]["forms"][0]["rows"], 2);
    let corp = &state["wecom"]["corps"][CORP];
    let member = &corp["members"][0];
    assert_eq!(
        (&member["userid"], &member["status"], &member["mobile"]),
        (&json!("E1"), &json!(1), &json!("13800138000"))
    );
    assert_eq!((&corp["created"], &corp["invitations"]), (&json!({ "e1": 1 }), &json!({})));
    assert_eq!(corp["writes"], json!({ "user/create": 1 }));
    assert_eq!(state["misunderstandings"], json!([]));

    service.post(&format!("/sim/corp/{CORP}/quit"), json!({ "userid": "e1" })).await;
    assert_eq!(service.simulator.members(CORP)["e1"].status(), 5);
    let logged = service.get("/sim/requests?since=1").await;
    assert_eq!(logged["requests"].as_array().unwrap().len(), 1);
    assert_eq!(logged["requests"][0]["number"], 2);
    assert_eq!(logged["requests"][0]["path"], "/cgi-bin/user/create");
    assert!(logged["requests"][0]["body"].as_str().unwrap().contains("13800138000"));

    let before = service.post("/sim/clock", json!({ "frozen": true })).await["now_ms"].as_u64().unwrap();
    let after = service.post("/sim/clock", json!({ "advance_ms": 5000 })).await["now_ms"].as_u64().unwrap();
    assert_eq!(after, before + 5000);

    service.post("/sim/reset", json!({})).await;
    let state = service.get("/sim/state").await;
    assert_eq!(state["wecom"]["corps"], json!({}));
    assert_eq!(state["requests"]["wecom"], json!({}));
}

#[tokio::test]
async fn a_control_request_that_is_wrong_is_refused_by_name() {
    let service = Service::start().await;
    assert!(
        refusal(&service, "/sim/knobs", json!({ "dept_autocreat": true })).await.contains("dept_autocreat")
    );
    assert!(
        refusal(&service, "/sim/faults", json!({ "rules": [{ "kind": "nothing" }] }))
            .await
            .contains("nothing")
    );
    assert!(refusal(&service, "/sim/load", json!({ "wecon": {} })).await.contains("wecon"));
    assert!(refusal(&service, "/sim/nothing", json!({})).await.contains("/sim/nothing"));
    assert!(refusal(&service, "/sim/corp/none/quit", json!({ "userid": "E1" })).await.contains("none"));
    let bad = json!({ "app_id": APP, "entry_id": ENTRY, "rows": [{ "updateTime": "yesterday" }] });
    assert!(
        refusal(&service, "/sim/load", json!({ "jiandaoyun": { "forms": [bad] } }))
            .await
            .contains("yesterday")
    );
    let member = json!({ "userid": "E1", "name": "张三" });
    let corp = json!({ "corp_id": "ww2", "secret": "s", "members": [member] });
    assert!(refusal(&service, "/sim/load", json!({ "wecom": { "corps": [corp] } })).await.contains("60129"));
}

#[tokio::test]
async fn corps_do_not_know_of_each_other() {
    let service = Service::start().await;
    let member =
        json!({ "userid": "E1", "name": "张三", "mobile": "13800138000", "status": 1, "department": [1] });
    let corp = json!({ "corp_id": "ww2", "secret": "second", "members": [member] });
    service.post("/sim/load", json!({ "wecom": { "corps": [corp] } })).await;
    assert_eq!(service.code("user/create", person("E1", "13800138000")).await, 0);
    assert_eq!(service.simulator.members("ww2")["e1"].status(), 1);
    assert_eq!(service.simulator.members(CORP)["e1"].status(), 4);
    assert!(service.simulator.created("ww2").is_empty(), "a loaded member does not count as created");
}

#[tokio::test]
async fn the_server_ends_with_its_handle() {
    let service = Service::start().await;
    let address = service.simulator.url().replace("http://", "");
    drop(service);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn what_is_done_by_hand_in_the_console_is_no_call() {
    let service = Service::start().await;
    let by_hand = |action: &str| format!("/sim/corp/{CORP}/{action}");
    service.post(&by_hand("add"), person("E1", "13800138000")).await;
    service.post(&by_hand("add"), person("E2", "13800138001")).await;
    service.post(&by_hand("change"), json!({ "userid": "e1", "position": "厂长" })).await;
    service.post(&by_hand("delete"), json!({ "userid": "E2" })).await;
    let members = service.simulator.members(CORP);
    assert_eq!(members.keys().collect::<Vec<_>>(), ["e1"]);
    assert_eq!(members["e1"].position, "厂长");
    let corp = service.get("/sim/state").await["wecom"]["corps"][CORP].clone();
    assert_eq!((&corp["writes"], &corp["invitations"]), (&json!({}), &json!({})));
    assert_eq!(corp["deleted"], json!({ "e2": 1 }));
    let taken = refusal(&service, &by_hand("add"), person("E3", "13800138000")).await;
    assert!(taken.starts_with("60104"), "{taken}");
    refusal(&service, &by_hand("delete"), json!({ "userid": "E9" })).await;
}

#[tokio::test]
async fn the_clock_is_the_services_own_and_every_answer_tells_it() {
    let service = Service::with_form(json!([]), json!([])).await;
    let date = async || {
        let answer = service.send(Method::GET, "/cgi-bin/gettoken", None).await.unwrap();
        answer.headers().get("date").map(|date| date.to_str().unwrap().to_owned())
    };
    let behind = async || {
        let date = chrono::DateTime::parse_from_rfc2822(&date().await.unwrap()).unwrap();
        (chrono::Utc::now() - date.with_timezone(&chrono::Utc)).num_minutes()
    };
    assert_eq!(behind().await, 0);
    service.post("/sim/clock", json!({ "ahead_ms": -1_800_000 })).await;
    assert_eq!(behind().await, 30);
    let row = json!({ "app_id": APP, "entry_id": ENTRY, "upsert": [{ "emp": "E1" }] });
    let changed = service.post("/sim/rows", row).await;
    let row = service.simulator.row(APP, ENTRY, changed["ids"][0].as_str().unwrap()).unwrap();
    let updated = chrono::DateTime::parse_from_rfc3339(row["updateTime"].as_str().unwrap()).unwrap();
    assert_eq!((chrono::Utc::now() - updated.with_timezone(&chrono::Utc)).num_minutes(), 30, "rows too");
    service.post("/sim/knobs", json!({ "clock_ahead_s": 3600 })).await;
    assert_eq!(behind().await, -29, "the answers alone are an hour ahead of that");
    service.post("/sim/knobs", json!({ "date": "" })).await;
    assert_eq!(date().await, None);
    service.post("/sim/knobs", json!({ "date": "yesterday" })).await;
    assert_eq!(date().await.unwrap(), "yesterday");
}
