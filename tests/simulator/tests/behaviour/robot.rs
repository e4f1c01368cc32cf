//! Group robots, and the address that accepts any JSON.

use reqwest::Method;
use ruzhi_sim::{FaultKind, FaultRule, Faults, Knobs, ROBOT_KEY};
use serde_json::{Value, json};

use crate::service::Service;

async fn say(service: &Service, key: &str, content: &str) -> Value {
    let body = json!({ "msgtype": "markdown", "markdown": { "content": content } });
    let answer = service.send(Method::POST, &format!("/cgi-bin/webhook/send?key={key}"), Some(body)).await;
    answer.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_robot_takes_twenty_messages_in_any_minute() {
    let service = Service::start().await;
    service.simulator.freeze(true);
    for _ in 0..20 {
        assert_eq!(say(&service, ROBOT_KEY, "你好").await["errcode"], 0);
    }
    assert_eq!(say(&service, ROBOT_KEY, "more").await["errcode"], 45009);
    service.simulator.add_robot("another");
    assert_eq!(say(&service, "another", "hello").await["errcode"], 0);
    service.simulator.advance_ms(60_000);
    assert_eq!(say(&service, ROBOT_KEY, "later").await["errcode"], 0);
    let messages = service.simulator.robot_messages();
    assert_eq!(messages.len(), 22);
    assert_eq!((messages[20].key.as_str(), messages[21].content.as_str()), ("another", "later"));
    service.simulator.assert_understood();
}

#[tokio::test]
async fn a_robot_that_is_gone_a_text_that_is_too_long_and_a_fault_are_refused() {
    let service = Service::start().await;
    assert_eq!(say(&service, "unknown", "x").await["errcode"], 93000);
    service.simulator.set_faults(Faults {
        seed: 1,
        rules: vec![FaultRule::new(FaultKind::BusyBefore).api("webhook/send").next(1)],
    });
    assert_eq!(say(&service, ROBOT_KEY, "x").await["errcode"], -1);
    assert_eq!(say(&service, ROBOT_KEY, &"字".repeat(1365)).await["errcode"], 0);
    service.simulator.assert_understood();
    assert_eq!(say(&service, ROBOT_KEY, &"字".repeat(1366)).await["errcode"], 40058);
    assert_eq!(service.simulator.misunderstandings().len(), 1);
    service.simulator.remove_robot(ROBOT_KEY);
    assert_eq!(say(&service, ROBOT_KEY, "x").await["errcode"], 93000);
    assert_eq!(service.simulator.robot_messages().len(), 1);
}

#[tokio::test]
async fn the_sink_keeps_what_it_takes() {
    let service = Service::start().await;
    let post =
        async |body: Value| service.send(Method::POST, "/sink", Some(body)).await.unwrap().status().as_u16();
    assert_eq!(post(json!({ "a": 1 })).await, 200);
    service.simulator.set_knobs(Knobs { sink_status: 503, ..Knobs::default() });
    assert_eq!(post(json!({ "a": 2 })).await, 503);
    assert_eq!(service.simulator.posted(), [json!({ "a": 1 })]);
}
