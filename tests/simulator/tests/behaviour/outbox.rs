//! Messages that the services send by themselves.

use std::time::Duration;

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use reqwest::Method;
use ruzhi_sim::{CallbackTo, Delivery, OutboxKnobs, PushTo};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::receiver::{Received, Receiver};
use crate::service::{APP, CORP, ENTRY, Service, person};

const SECRET: &str = "pushed";
const TOKEN: &str = "QDG6eK";
/// The key of the official sample: its last symbol carries bits that are no part of the key.
const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
/// Longer than any delivery of these tests takes.
const MOST: Duration = Duration::from_secs(20);

impl Service {
    /// A form with one row, pushed to a receiver.
    async fn pushing_to(receiver: &Receiver) -> Self {
        let widgets = json!([{ "name": "", "widgetName": "_widget_1", "label": "工号", "type": "text" }]);
        let rows = json!([{ "_id": "6fe0706d0e33350008189999", "_widget_1": "E1", "flowState": 1 }]);
        let service = Self::with_form(widgets, rows).await;
        let to = PushTo {
            app_id: APP.to_owned(),
            entry_id: ENTRY.to_owned(),
            url: format!("{}/hook?of=ours", receiver.url),
            secret: Some(SECRET.to_owned()),
            test: false,
        };
        service.simulator.push_to(to).unwrap();
        service
    }

    /// A corp whose events are called back to a receiver that has been verified.
    async fn calling_back_to(receiver: &Receiver) -> Self {
        let service = Self::start().await;
        service.simulator.call_back_to(callback_to(&receiver.url)).unwrap();
        let verified = service.delivered(1);
        assert_eq!((verified[0].event.as_str(), verified[0].taken), ("verify", true));
        service
    }

    async fn rows(&self, upsert: Value, delete: Value) {
        let change = json!({ "app_id": APP, "entry_id": ENTRY, "upsert": upsert, "delete": delete });
        let answer = self.post("/sim/rows", change).await;
        assert!(answer["ids"].is_array(), "{answer}");
    }

    async fn by_hand(&self, action: &str, body: Value) {
        let answer = self.post(&format!("/sim/corp/{CORP}/{action}"), body).await;
        assert_eq!(answer, json!({ "ok": true }));
    }

    /// Waits for this many deliveries; there must be no more.
    fn delivered(&self, count: usize) -> Vec<Delivery> {
        let deliveries = self.simulator.wait_for_deliveries(count, MOST);
        assert_eq!(deliveries.len(), count, "{deliveries:?}");
        assert!(deliveries.iter().all(|delivery| delivery.ended), "{deliveries:?}");
        deliveries
    }
}

fn callback_to(url: &str) -> CallbackTo {
    CallbackTo {
        corp_id: CORP.to_owned(),
        url: format!("{url}/contacts"),
        token: TOKEN.to_owned(),
        aes_key: AES_KEY.to_owned(),
    }
}

/// Opens a message that WeCom sealed, after checking its signature.
fn opened(received: &Received, sealed: &str) -> String {
    let mut parts = [TOKEN, received.parameter("timestamp"), received.parameter("nonce"), sealed];
    parts.sort_unstable();
    assert_eq!(received.parameter("msg_signature"), hex::encode(Sha1::digest(parts.concat())));
    let lenient = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let base64 = GeneralPurpose::new(&STANDARD, lenient);
    let key: [u8; 32] = base64.decode(format!("{AES_KEY}=")).unwrap().try_into().unwrap();
    let mut bytes = base64.decode(sealed).unwrap();
    assert_eq!(bytes.len() % 32, 0);
    let vector: [u8; 16] = key[..16].try_into().unwrap();
    let plain = cbc::Decryptor::<Aes256>::new(&key.into(), &vector.into())
        .decrypt_padded::<NoPadding>(&mut bytes)
        .unwrap();
    let filling = usize::from(*plain.last().unwrap());
    let plain = &plain[..plain.len() - filling];
    let length = u32::from_be_bytes(plain[16..20].try_into().unwrap()) as usize;
    assert_eq!(&plain[20 + length..], CORP.as_bytes());
    String::from_utf8(plain[20..20 + length].to_vec()).unwrap()
}

fn contacts() -> Receiver {
    let answer = |received: &Received| match received.method.as_str() {
        "GET" => (200, opened(received, received.parameter("echostr"))),
        _ => (200, String::new()),
    };
    Receiver::answering(answer)
}

fn event(received: &Received) -> String {
    let sealed = received.body.split("<Encrypt><![CDATA[").nth(1).unwrap();
    opened(received, sealed.split("]]>").next().unwrap())
}

#[tokio::test]
async fn a_row_that_is_changed_is_pushed_and_signed() {
    let receiver = Receiver::start();
    let service = Service::pushing_to(&receiver).await;
    service.rows(json!([{ "_id": "6fe0706d0e33350008189999", "_widget_1": "E2" }]), json!([])).await;
    service.rows(json!([{ "_widget_1": "E3" }]), json!([])).await;
    service.rows(json!([]), json!(["6fe0706d0e33350008189999", "6fe0706d0e33350008180000"])).await;
    let deliveries = service.delivered(3);
    let events: Vec<&str> = deliveries.iter().map(|delivery| delivery.event.as_str()).collect();
    assert_eq!(events, ["data_update", "data_create", "data_remove"]);
    assert!(deliveries.iter().all(|delivery| delivery.taken && delivery.answers == ["200"]));

    let mut received = receiver.received();
    received.sort_by_key(|received| received.header("x-jdy-deliverid").map(str::to_owned));
    let first = &received[0];
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/hook"));
    assert_eq!(first.parameter("of"), "ours");
    let (nonce, timestamp) = (first.parameter("nonce"), first.parameter("timestamp"));
    let signed = format!("{nonce}:{}:{SECRET}:{timestamp}", first.body);
    assert_eq!(first.header("x-jdy-signature"), Some(hex::encode(Sha1::digest(signed)).as_str()));
    let push: Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!(push["op"], "data_update");
    let data = &push["data"];
    assert_eq!((&data["_widget_1"], &data["flowState"]), (&json!("E2"), &json!(1)), "the whole row");
    assert_eq!((&data["appId"], &data["entryId"]), (&json!(APP), &json!(ENTRY)));
    assert!(data["deleter"].is_null() && data["formName"].is_string());
    let removed: Value = serde_json::from_str(&received[2].body).unwrap();
    assert_eq!(removed["data"]["_id"], "6fe0706d0e33350008189999");
    assert!(removed["data"].get("_widget_1").is_none());
}

#[tokio::test]
async fn what_is_not_taken_is_sent_five_times_more_under_its_name() {
    let receiver = Receiver::start();
    let service = Service::pushing_to(&receiver).await;
    receiver.answer_first(&[500, 404]);
    service.rows(json!([{ "_widget_1": "E2" }]), json!([])).await;
    assert_eq!(service.delivered(1)[0].answers, ["500", "404", "200"]);
    let names: Vec<_> = receiver
        .received()
        .iter()
        .map(|received| received.header("x-jdy-deliverid").map(str::to_owned))
        .collect();
    assert!(names[0].is_some() && names.iter().all(|name| *name == names[0]), "{names:?}");
    let nonces: Vec<_> = receiver.received().iter().map(|r| r.parameter("nonce").to_owned()).collect();
    assert_ne!(nonces[0], nonces[1], "each attempt is signed anew");

    receiver.answer_first(&[500; 6]);
    service.rows(json!([{ "_widget_1": "E3" }]), json!([])).await;
    let given_up = &service.delivered(2)[1];
    assert_eq!((given_up.answers.len(), given_up.taken), (6, false));
}

#[tokio::test]
async fn the_knobs_send_twice_in_reverse_and_unsigned() {
    let receiver = Receiver::start();
    let service = Service::pushing_to(&receiver).await;
    service.simulator.set_outbox(OutboxKnobs { duplicates: 1, reversed: true, ..OutboxKnobs::default() });
    service.rows(json!([{ "_widget_1": "E2" }, { "_widget_1": "E3" }]), json!([])).await;
    service.delivered(2);
    let bodies: Vec<bool> = receiver.received().iter().map(|r| r.body.contains("E3")).collect();
    assert_eq!(bodies, [true, true, false, false]);

    service.post("/sim/outbox", json!({ "duplicates": 0, "unsigned": true })).await;
    service.rows(json!([{ "_widget_1": "E4" }]), json!([])).await;
    service.delivered(3);
    assert_eq!(receiver.received()[4].header("x-jdy-signature"), None);

    service.post("/sim/outbox", json!({ "unsigned": false, "bad_signature": true, "age_s": 3600 })).await;
    service.rows(json!([{ "_widget_1": "E5" }]), json!([])).await;
    service.delivered(4);
    let last = &receiver.received()[5];
    let timestamp = last.parameter("timestamp");
    let signed = format!("{}:{}:{SECRET}:{timestamp}", last.parameter("nonce"), last.body);
    let signature = last.header("x-jdy-signature").unwrap();
    assert!(signature.len() == 40 && signature != hex::encode(Sha1::digest(signed)));
    let now = chrono::Utc::now().timestamp();
    assert!((3595..3700).contains(&(now - timestamp.parse::<i64>().unwrap())), "{timestamp}");
}

#[tokio::test]
async fn what_the_api_writes_is_pushed_only_on_request() {
    let receiver = Receiver::start();
    let service = Service::pushing_to(&receiver).await;
    let update = async |value: &str| {
        let data = json!({ "_widget_1": { "value": value } });
        let body =
            json!({ "app_id": APP, "entry_id": ENTRY, "data_id": "6fe0706d0e33350008189999", "data": data });
        let path = format!("{}/api/v5/app/entry/data/update", service.simulator.url());
        let request = reqwest::Client::new().post(path).bearer_auth("key").json(&body);
        assert_eq!(request.send().await.unwrap().status(), 200);
    };
    update("E2").await;
    service.post("/sim/outbox", json!({ "for_api_writes": true })).await;
    update("E3").await;
    assert_eq!(service.delivered(1)[0].event, "data_update");
    assert!(receiver.received()[0].body.contains("E3"));
}

#[tokio::test]
async fn a_test_of_the_connection_is_pushed_on_request() {
    let receiver = Receiver::start();
    let service = Service::pushing_to(&receiver).await;
    let to = json!({ "app_id": APP, "entry_id": ENTRY, "url": receiver.url, "secret": SECRET, "test": true });
    assert_eq!(service.post("/sim/push", to).await, json!({ "ok": true }));
    assert_eq!(service.delivered(1)[0].event, "data_test");
    let listed = service.get("/sim/deliveries").await;
    assert_eq!(listed["deliveries"][0]["answers"], json!(["200"]));
    for (path, body) in [
        ("/sim/push", json!({ "app_id": APP, "entry_id": ENTRY, "url": "nowhere" })),
        ("/sim/callback", json!({ "corp_id": CORP, "url": receiver.url, "token": "t", "aes_key": "short" })),
        ("/sim/outbox", json!({ "duplicate": 1 })),
    ] {
        assert_eq!(service.send(Method::POST, path, Some(body)).await.unwrap().status(), 400, "{path}");
    }
    service.post("/sim/reset", json!({})).await;
    assert_eq!(service.get("/sim/deliveries").await, json!({ "deliveries": [] }));
}

#[tokio::test]
async fn members_that_are_changed_by_hand_are_called_back() {
    let receiver = contacts();
    let service = Service::calling_back_to(&receiver).await;
    service.by_hand("add", person("E1", "13800138000")).await;
    service.by_hand("change", json!({ "userid": "e1", "position": "厂长" })).await;
    service.by_hand("change", json!({ "userid": "E1", "department": [5] })).await;
    service.by_hand("delete", json!({ "userid": "E1" })).await;
    let events: Vec<String> = service.delivered(4).iter().map(|delivery| delivery.event.clone()).collect();
    assert_eq!(
        events,
        ["verify", "create_user", "update_user", "delete_user"],
        "a position is not told slim"
    );
    let all: Vec<String> = receiver.received().iter().filter(|r| r.method == "POST").map(event).collect();
    let updated = all.iter().find(|event| event.contains("update_user")).unwrap();
    assert!(
        updated.contains("<UserID><![CDATA[E1]]></UserID><Department><![CDATA[5]]></Department>"),
        "{updated}"
    );
    assert!(all.iter().all(|event| event.contains("<Event><![CDATA[change_contact]]></Event>")));
    assert!(all.iter().all(|event| !event.contains("13800138000")), "slim");
}

#[tokio::test]
async fn a_full_callback_says_what_has_changed() {
    let receiver = contacts();
    let service = Service::calling_back_to(&receiver).await;
    service.simulator.set_outbox(OutboxKnobs { full_callbacks: true, ..OutboxKnobs::default() });
    service.by_hand("add", person("E1", "13800138000")).await;
    service.by_hand("change", json!({ "userid": "E1", "position": "厂长" })).await;
    service.delivered(3);
    let all: Vec<String> = receiver.received().iter().filter(|r| r.method == "POST").map(event).collect();
    let of = |kind: &str| all.iter().find(|event| event.contains(kind)).unwrap();
    assert!(of("create_user").contains("<Mobile><![CDATA[13800138000]]></Mobile>"));
    assert!(of("update_user").contains("<Position><![CDATA[厂长]]></Position>"));
    assert!(!of("update_user").contains("Mobile"), "only what has changed");
}

#[tokio::test]
async fn what_the_sync_secret_writes_is_not_called_back() {
    let receiver = contacts();
    let service = Service::calling_back_to(&receiver).await;
    assert_eq!(service.code("user/create", person("E1", "13800138000")).await, 0);
    service.by_hand("delete", json!({ "userid": "E1" })).await;
    assert_eq!(service.delivered(2)[1].event, "delete_user");
}

#[tokio::test]
async fn an_address_that_does_not_verify_is_sent_nothing() {
    let receiver = Receiver::start();
    let service = Service::start().await;
    service.simulator.call_back_to(callback_to(&receiver.url)).unwrap();
    let verify = &service.delivered(1)[0];
    assert_eq!((verify.answers.as_slice(), verify.taken), (["200".to_owned()].as_slice(), false));
    service.by_hand("add", person("E1", "13800138000")).await;
    service.delivered(1);
}

#[tokio::test]
async fn a_callback_is_sent_again_only_if_nothing_is_answered() {
    let receiver = contacts();
    let service = Service::calling_back_to(&receiver).await;
    receiver.answer_first(&[500]);
    service.by_hand("add", person("E1", "13800138000")).await;
    assert_eq!(service.delivered(2)[1].answers, ["500"]);
}
