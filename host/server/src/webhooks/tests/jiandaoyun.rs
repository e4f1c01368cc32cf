//! Pushes of JianDaoYun.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::super::jiandaoyun::{PushReceiver, receive};
use super::super::known::SourceFields;
use super::super::outcome::{IdleReason, PushOutcome, PushRejection};
use super::{Running, SECRET, now, sha1_of};
use crate::tests::run_begun;
use ruzhi_model::{Decision, Digest, RunId};
use ruzhi_plan::Resolution;
use ruzhi_store::{ActivationKind, ActivationRow, Artifacts, RecordRow, RunKind};
use ruzhi_sync::Stage;

const ROW: &str = "6a0000000000000000000001";

/// A push under construction.
pub(super) struct Push {
    path: &'static str,
    body: Vec<u8>,
    secret: &'static str,
    nonce: &'static str,
    pub(super) timestamp: i64,
    delivery: Option<&'static str>,
}

impl Push {
    fn of(body: &Value) -> Self {
        Self {
            path: "/hooks/jiandaoyun/north/onboarding",
            body: body.to_string().into_bytes(),
            secret: SECRET,
            nonce: "2af421",
            timestamp: now().timestamp(),
            delivery: None,
        }
    }

    pub(super) fn update() -> Self {
        Self::of(&json!({ "op": "data_update", "data": { "_id": ROW, "name": "张三" } }))
    }

    fn delivered(mut self, id: &'static str) -> Self {
        self.delivery = Some(id);
        self
    }

    pub(super) fn signature(&self) -> String {
        let timestamp = self.timestamp.to_string();
        let (nonce, secret) = (self.nonce.as_bytes(), self.secret.as_bytes());
        sha1_of(&[nonce, b":", &self.body, b":", secret, b":", timestamp.as_bytes()])
    }

    fn request(&self) -> Request<Body> {
        self.signed_with(&self.signature())
    }

    fn signed_with(&self, signature: &str) -> Request<Body> {
        let Self { path, nonce, timestamp, .. } = self;
        let mut request = Request::post(format!("{path}?nonce={nonce}&timestamp={timestamp}"))
            .header("Content-Type", "application/json")
            .header("X-JDY-Signature", signature);
        if let Some(delivery) = self.delivery {
            request = request.header("X-JDY-DeliverId", delivery);
        }
        request.body(Body::from(self.body.clone())).unwrap()
    }
}

impl Running {
    pub(super) async fn receive(&self, request: Request<Body>) -> PushOutcome {
        self.receive_with(&SourceFields::default(), request).await
    }

    async fn receive_with(&self, fields: &SourceFields, request: Request<Body>) -> PushOutcome {
        let receiver = PushReceiver::find(self.state.app.deployment(), "north", "onboarding").unwrap();
        receive(&self.state, fields, &receiver, request).await
    }
}

#[tokio::test]
async fn a_signed_push_wakes_its_flow_and_is_answered_with_nothing() {
    let running = Running::start().await;
    let push = Push::update();
    assert_eq!(running.receive(push.request()).await, PushOutcome::Wake);
    let other = Push { nonce: "000001", ..Push::update() };
    assert_eq!(running.answer(other.request()).await, (StatusCode::OK, String::new()));
    assert_eq!(running.woken(), ["north/onboarding Push"]);
    assert_eq!(running.answer(other.request()).await, (StatusCode::OK, String::new()));
    let forged = other.signed_with(&"0".repeat(40));
    assert_eq!(running.answer(forged).await, (StatusCode::UNAUTHORIZED, String::new()));
    assert!(running.woken().is_empty(), "neither what comes again nor what is not genuine wakes");
}

#[tokio::test]
async fn a_signature_is_taken_in_each_of_its_writings() {
    let running = Running::start().await;
    for (nonce, written) in [("1", "sha1="), ("2", "")] {
        let push = Push { nonce, ..Push::update() };
        let signature = format!("{written}{}", push.signature().to_uppercase());
        assert_eq!(running.receive(push.signed_with(&signature)).await, PushOutcome::Wake, "{signature}");
    }
}

#[tokio::test]
async fn the_signature_is_over_the_bytes_as_they_came() {
    let running = Running::start().await;
    let spaced = Push { body: b"{ \"op\" : \"data_update\",\n\"data\": {} }".to_vec(), ..Push::update() };
    assert_eq!(running.receive(spaced.request()).await, PushOutcome::Wake);
    let broken = Push { body: vec![0xff, 0x00, b'{'], ..Push::update() };
    assert_eq!(running.receive(broken.request()).await, PushOutcome::Wake, "genuine, whatever it says");
}

#[tokio::test]
async fn what_is_not_signed_by_who_knows_the_secret_is_refused_without_a_word() {
    let running = Running::start().await;
    let push = Push::update();
    let unsigned = Request::post(format!("{}?nonce=2af421&timestamp={}", push.path, push.timestamp));
    let twice =
        Request::post(format!("{}?nonce=2af421&nonce=2af421&timestamp={}", push.path, push.timestamp));
    let elsewhere = Request::post(push.path).header("X-JDY-Signature", push.signature());
    let wrong = "0".repeat(40);
    let other = Push { secret: "another-secret", ..Push::update() };
    let requests = [
        unsigned.body(Body::from(push.body.clone())).unwrap(),
        twice.header("X-JDY-Signature", push.signature()).body(Body::from(push.body.clone())).unwrap(),
        elsewhere.body(Body::from(push.body.clone())).unwrap(),
        push.signed_with(""),
        push.signed_with(&wrong),
        push.signed_with("sha1="),
        Push { body: b"{}".to_vec(), ..Push::update() }.signed_with(&push.signature()),
        Push { nonce: "2af422", ..Push::update() }.signed_with(&push.signature()),
        Push { timestamp: push.timestamp + 1, ..Push::update() }.signed_with(&push.signature()),
        other.request(),
    ];
    for request in requests {
        let shown = format!("{} {:?}", request.uri(), request.headers());
        assert_eq!(running.answer(request).await, (StatusCode::UNAUTHORIZED, String::new()), "{shown}");
    }
    assert_eq!(running.receive(other.request()).await, PushOutcome::Rejected(PushRejection::Signature));
    assert_eq!(running.receive(push.request()).await, PushOutcome::Wake, "none of these took its place");
}

#[tokio::test]
async fn a_push_that_was_not_signed_just_now_wakes_and_does_so_once() {
    let running = Running::start().await;
    let at = |seconds: i64| Push { timestamp: now().timestamp() + seconds, ..Push::update() };
    let duplicate = PushOutcome::Nothing(IdleReason::Duplicate);
    for late in [-601, 601, -86_400 * 30] {
        assert_eq!(running.receive(at(late).request()).await, PushOutcome::WakeLate, "{late}");
        assert_eq!(running.receive(at(late).request()).await, duplicate, "{late}");
        let named = at(late).delivered("d-9");
        assert_eq!(
            running.receive(named.request()).await,
            duplicate,
            "a name that is not signed is no other push"
        );
        assert_eq!(running.answer(at(late).request()).await, (StatusCode::OK, String::new()));
    }
    assert_eq!(running.receive(at(-600).request()).await, PushOutcome::Wake);
    assert_eq!(running.receive(at(600).request()).await, PushOutcome::Wake);
    let forged = at(-601).signed_with(&at(-602).signature());
    assert_eq!(running.receive(forged).await, PushOutcome::Rejected(PushRejection::Signature));
}

#[tokio::test]
async fn a_delivery_wakes_once_however_often_it_comes() {
    let running = Running::start().await;
    let duplicate = PushOutcome::Nothing(IdleReason::Duplicate);
    let first = Push::update().delivered("d-1");
    assert_eq!(running.receive(first.request()).await, PushOutcome::Wake);
    assert_eq!(running.receive(first.request()).await, duplicate);
    assert_eq!(running.answer(first.request()).await, (StatusCode::OK, String::new()));
    let again = Push { nonce: "000001", timestamp: now().timestamp() + 5, ..Push::update() }.delivered("d-1");
    assert_eq!(
        running.receive(again.request()).await,
        duplicate,
        "the service signs what it sends again anew"
    );
    let overheard = Push::update().delivered("d-2");
    assert_eq!(running.receive(overheard.request()).await, duplicate, "the name is not signed");
    let second = Push { nonce: "000002", ..Push::update() }.delivered("d-3");
    assert_eq!(running.receive(second.request()).await, PushOutcome::Wake);

    let nameless = Push { nonce: "000003", ..Push::update() };
    assert_eq!(running.receive(nameless.request()).await, PushOutcome::Wake);
    assert_eq!(running.receive(nameless.request()).await, duplicate);
    assert_eq!(running.receive(nameless.signed_with(&nameless.signature().to_uppercase())).await, duplicate);
}

#[tokio::test]
async fn a_push_that_is_sent_again_in_another_writing_wakes_no_flow() {
    let running = Running::start().await;
    let push = Push { nonce: "2a", body: b"f4:{\"op\":\"data_update\"}".to_vec(), ..Push::update() };
    assert_eq!(running.receive(push.request()).await, PushOutcome::Wake);
    let duplicate = PushOutcome::Nothing(IdleReason::Duplicate);
    let signature = push.signature();
    for written in [format!("sha1={signature}"), signature.to_uppercase(), format!(" {signature}")] {
        assert_eq!(running.receive(push.signed_with(&written)).await, duplicate, "{written}");
    }
    // The same text with another colon between nonce and body: the signed bytes are the same.
    let rest = b"{\"op\":\"data_update\"}".to_vec();
    let moved = Push { nonce: "2a:f4", body: rest, ..Push::update() };
    assert_eq!(moved.signature(), signature);
    assert_eq!(running.receive(moved.request()).await, PushOutcome::Rejected(PushRejection::Signature));
    assert_eq!(running.answer(moved.request()).await.0, StatusCode::UNAUTHORIZED);
    assert!(running.woken().is_empty());
}

#[tokio::test]
async fn what_a_push_wakes_is_kept_before_it_is_answered() {
    let running = Running::start().await;
    assert_eq!(running.answer(Push::update().request()).await.0, StatusCode::OK);
    assert_eq!(running.kept().await, ["north/onboarding Push 1"]);
    assert_eq!(running.answer(Push::update().request()).await.0, StatusCode::OK);
    assert_eq!(running.kept().await, ["north/onboarding Push 1"], "it was taken before");
    let second = Push { nonce: "000002", ..Push::update() };
    assert_eq!(running.answer(second.request()).await.0, StatusCode::OK);
    assert_eq!(running.kept().await, ["north/onboarding Push 2"]);
    let test = Push::of(&json!({ "op": "data_test" }));
    assert_eq!(running.answer(test.request()).await.0, StatusCode::OK);
    assert_eq!(running.kept().await, ["north/onboarding Push 2"]);
}

#[tokio::test]
async fn a_flow_that_takes_no_pushes_looks_like_one_that_does_not_exist() {
    let running = Running::start().await;
    for path in [
        "/hooks/jiandaoyun/north/visitors",
        "/hooks/jiandaoyun/south/onboarding",
        "/hooks/jiandaoyun/north/nothing",
        "/hooks/jiandaoyun/unknown/onboarding",
        "/hooks/jiandaoyun/%2e%2e/onboarding",
        "/hooks/jiandaoyun/%ff/onboarding",
    ] {
        let push = Push { path, ..Push::update() };
        let (status, body) = running.answer(push.request()).await;
        assert_eq!((status, body.as_str()), (StatusCode::NOT_FOUND, ""), "{path}");
        let large = Push { path, body: vec![b' '; 5 << 20], ..Push::update() };
        assert_eq!(running.answer(large.request()).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_body_has_a_largest_size() {
    let running = Running::start().await;
    let largest = Push { body: vec![b' '; 4 << 20], ..Push::update() };
    assert_eq!(running.answer(largest.request()).await.0, StatusCode::OK);
    let larger = Push { body: vec![b' '; (4 << 20) + 1], ..Push::update() };
    assert_eq!(running.answer(larger.request()).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_store_that_is_busy_neither_delays_the_answer_nor_loses_the_push() {
    let running = Running::start().await;
    let _busy = running.kept_busy().await;
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    assert_eq!(running.answer(Push::update().request()).await, (StatusCode::OK, String::new()));
    assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(running.woken(), ["north/onboarding Push"]);
    tokio::time::resume();
    assert!(running.kept().await.is_empty(), "it is in memory alone");
}

#[tokio::test]
async fn a_push_that_changes_nothing_for_the_flow_does_not_wake_it() {
    let running = Running::start().await;
    let test = Push::of(&json!({ "op": "data_test" }));
    assert_eq!(running.receive(test.request()).await, PushOutcome::Nothing(IdleReason::Test));
    let other = json!({ "op": "data_update", "data": { "_id": ROW, "entryId": "000000000000000000000000" } });
    assert_eq!(
        running.receive(Push::of(&other).request()).await,
        PushOutcome::Nothing(IdleReason::OtherForm)
    );
    assert_eq!(running.answer(Push::of(&other).request()).await.0, StatusCode::OK);
}

/// The row as read, with its fields as the flow's rules read them.
fn row(name: &str, outcome: &str) -> Value {
    json!({
        "_id": ROW, "appId": "6399c24287cae90008d24e0b", "entryId": "63e0706d0e33350008189952",
        "formName": "员工入职登记", "name": name, "mobile": { "phone": "13800138000", "verified": false },
        "outcome": outcome, "updateTime": "2026-05-01T08:00:00.000Z", "deleter": null, "deleteTime": null,
    })
}

/// A process whose flow has read the row of 张三.
async fn having_read(resolution: Resolution) -> (Running, SourceFields) {
    let running = Running::start().await;
    let (tenant, flow) = ("north".parse().unwrap(), "onboarding".parse().unwrap());
    let artifacts = Artifacts { component: b"no component".to_vec(), config: String::new() };
    let activation = ActivationRow {
        tenant,
        flow,
        number: 1,
        kind: ActivationKind::First,
        at: now(),
        who: "cli".to_owned(),
        why: None,
        name: "member".to_owned(),
        version: "0.1.0".to_owned(),
        component: Digest::of(&artifacts.component),
        config: Digest::of(&artifacts.config),
        rules: artifacts.rules(),
        offered: artifacts.rules(),
        compared: 0,
        changed: 0,
        approved: false,
    };
    running.state.app.store.activation_put(&activation, &artifacts).await.unwrap();
    let content =
        format!(r#"{{"_id":"{ROW}","mobile":{{"phone":"13800138000","verified":false}},"name":"张三"}}"#);
    let record = RecordRow {
        id: ROW.parse().unwrap(),
        content_hash: Digest::of(&content),
        content,
        fetched_at: now(),
        updated_at: None,
        fetched_run: "r1".parse().unwrap(),
        decided_at: now(),
        rules: artifacts.rules(),
        resolution,
        notes: Vec::new(),
        context: ruzhi_sync::context(now(), "Asia/Shanghai"),
        holds_until: None,
    };
    let (tenant, flow) = (&activation.tenant, &activation.flow);
    running.state.app.store.records_put(tenant, flow, &[record]).await.unwrap();
    let fields = SourceFields::default();
    fields.keep(artifacts.rules(), ["name", "mobile", "email"].map(str::to_owned).into());
    (running, fields)
}

fn decided() -> Resolution {
    Resolution::Decided(Decision::Ignore("在别处".to_owned()))
}

#[tokio::test]
async fn a_row_that_was_read_already_wakes_no_flow() {
    let (running, fields) = having_read(decided()).await;
    for op in ["data_create", "data_update", "data_recover"] {
        let push = Push::of(&json!({ "op": op, "data": row("张三", "已开通") }));
        let received = running.receive_with(&fields, push.request()).await;
        assert_eq!(received, PushOutcome::Nothing(IdleReason::Known), "{op}");
    }
}

#[tokio::test]
async fn a_field_that_the_rules_read_wakes() {
    let (running, fields) = having_read(decided()).await;
    let mut with_email = row("张三", "");
    with_email["email"] = json!("zhang@example.com");
    let mut without_mobile = row("张三", "");
    without_mobile.as_object_mut().unwrap().remove("mobile");
    let mut another = row("张三", "");
    another["_id"] = json!("6a0000000000000000000002");
    for data in [row("张三丰", ""), with_email, without_mobile, another] {
        let push = Push::of(&json!({ "op": "data_update", "data": data }));
        assert_eq!(running.receive_with(&fields, push.request()).await, PushOutcome::Wake, "{data}");
    }
}

#[tokio::test]
async fn a_row_that_is_deleted_always_wakes() {
    let (running, fields) = having_read(decided()).await;
    let removed = json!({ "op": "data_remove", "data": row("张三", "") });
    assert_eq!(running.receive_with(&fields, Push::of(&removed).request()).await, PushOutcome::Wake);
}

#[tokio::test]
async fn a_row_without_a_decision_wakes() {
    let (running, fields) = having_read(Resolution::Failed("guest.trap".to_owned())).await;
    let push = Push::of(&json!({ "op": "data_update", "data": row("张三", "") }));
    assert_eq!(running.receive_with(&fields, push.request()).await, PushOutcome::Wake);
}

#[tokio::test]
async fn a_row_that_had_left_the_form_wakes() {
    let (running, fields) = having_read(decided()).await;
    let (tenant, flow) = ("north".parse().unwrap(), "onboarding".parse().unwrap());
    let ids = [ROW.parse().unwrap()];
    let store = &running.state.app.store;
    store.records_mark_absent(&tenant, &flow, ruzhi_store::Absence::Gone, &ids).await.unwrap();
    let push = Push::of(&json!({ "op": "data_recover", "data": row("张三", "") }));
    assert_eq!(running.receive_with(&fields, push.request()).await, PushOutcome::Wake);
}

#[tokio::test]
async fn rules_that_cannot_be_asked_what_they_read_wake() {
    let (running, _) = having_read(decided()).await;
    let push = Push::of(&json!({ "op": "data_update", "data": row("张三", "已开通") }));
    assert_eq!(running.receive(push.request()).await, PushOutcome::Wake, "`no component` cannot be loaded");
}

#[tokio::test]
async fn while_the_form_is_read_what_is_stored_says_nothing() {
    let (running, fields) = having_read(decided()).await;
    let live =
        running.state.app.live.progress(std::sync::Arc::clone(&running.state.app.clock), |_: RunId| ());
    live.began(&run_begun(&"north".parse().unwrap(), "r2", RunKind::Sync));
    let push = |nonce| Push { nonce, ..Push::of(&json!({ "op": "data_update", "data": row("张三", "") })) };
    for (nonce, stage, received) in [
        ("1", Stage::Collect, PushOutcome::Wake),
        ("2", Stage::Plan, PushOutcome::Nothing(IdleReason::Known)),
        ("3", Stage::Apply, PushOutcome::Nothing(IdleReason::Known)),
    ] {
        live.entered(stage);
        assert_eq!(running.receive_with(&fields, push(nonce).request()).await, received, "{stage:?}");
    }
}
