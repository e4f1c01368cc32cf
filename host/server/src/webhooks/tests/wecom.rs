//! Callbacks of WeCom.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use secrecy::SecretString;

use super::super::outcome::{IdleReason, PushOutcome, PushRejection};
use super::super::wecom::{CallbackReceiver, echo, receive};
use super::{AES_KEY, Running, TOKEN, now, sha1_of};
use ruzhi_config::CallbackSettings;

const CORP: &str = "ww0123456789abcdef";

/// A callback as WeCom sends it.
struct Callback {
    path: &'static str,
    token: &'static str,
    corp_id: &'static str,
    message: String,
    salt: u8,
    timestamp: i64,
    nonce: &'static str,
}

impl Callback {
    fn of(event: &str) -> Self {
        let message = format!(
            "<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
             <CreateTime>1777622400</CreateTime><MsgType><![CDATA[event]]></MsgType>{event}</xml>"
        );
        Self {
            path: "/hooks/wecom/north",
            token: TOKEN,
            corp_id: CORP,
            message,
            salt: 7,
            timestamp: now().timestamp(),
            nonce: "1597212914",
        }
    }

    fn contact(kind: &str, of: &str) -> Self {
        Self::of(&format!(
            "<Event><![CDATA[change_contact]]></Event><ChangeType><![CDATA[{kind}]]></ChangeType>{of}"
        ))
    }

    fn update() -> Self {
        Self::contact("update_user", "<UserID><![CDATA[E1]]></UserID>")
    }

    fn ciphertext(&self) -> String {
        // AES_KEY, decoded by another program.
        let mut key = [0; 32];
        hex::decode_to_slice("8d69989bbaabe67328014c194631ad0719b3dca035b64023df292447aab60760", &mut key)
            .unwrap();
        let mut plain = vec![self.salt; 16];
        plain.extend(u32::try_from(self.message.len()).unwrap().to_be_bytes());
        plain.extend(self.message.as_bytes());
        plain.extend(self.corp_id.as_bytes());
        let filling = 32 - plain.len() % 32;
        plain.resize(plain.len() + filling, u8::try_from(filling).unwrap());
        let length = plain.len();
        let vector: [u8; 16] = key[..16].try_into().unwrap();
        let sealed = cbc::Encryptor::<Aes256>::new(&key.into(), &vector.into());
        STANDARD.encode(sealed.encrypt_padded::<NoPadding>(&mut plain, length).unwrap())
    }

    fn query(&self, ciphertext: &str) -> String {
        let timestamp = self.timestamp.to_string();
        let mut parts = [self.token, &timestamp, self.nonce, ciphertext];
        parts.sort_unstable();
        let signature = sha1_of(&[parts.concat().as_bytes()]);
        format!("msg_signature={signature}&timestamp={timestamp}&nonce={}", self.nonce)
    }

    fn post(&self) -> Request<Body> {
        let ciphertext = self.ciphertext();
        let body = format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><Encrypt><![CDATA[{ciphertext}]]></Encrypt>\
             <AgentID><![CDATA[]]></AgentID></xml>",
            self.corp_id
        );
        self.posted(body)
    }

    fn posted(&self, body: impl Into<Body>) -> Request<Body> {
        let query = self.query(&self.ciphertext());
        Request::post(format!("{}?{query}", self.path)).body(body.into()).unwrap()
    }

    fn get(&self) -> Request<Body> {
        let ciphertext = self.ciphertext();
        let echostr = ciphertext.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let query = self.query(&ciphertext);
        Request::get(format!("{}?{query}&echostr={echostr}", self.path)).body(Body::empty()).unwrap()
    }
}

impl Running {
    async fn called_back(&self, callback: &Callback) -> PushOutcome {
        let receiver = CallbackReceiver::find(self.state.app.deployment(), "north").unwrap();
        receive(&self.state, &receiver, callback.post()).await
    }
}

#[tokio::test]
async fn the_official_sample_verifies_an_address() {
    let then = DateTime::from_timestamp(1_409_659_600, 0).unwrap();
    let running = Running::at(then, |config| {
        let north = config.tenants.iter_mut().find(|tenant| tenant.id.as_str() == "north").unwrap();
        north.wecom.corp_id = "wx5823bf96d3bd56c7".to_owned();
        let (token, aes_key) = (SecretString::from("QDG6eK"), SecretString::from(AES_KEY));
        north.wecom.callback = Some(CallbackSettings { token, aes_key });
    })
    .await;
    let query = "msg_signature=5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3&timestamp=1409659589&nonce=263014780";
    // As WeCom escapes it, and as forwarded by a proxy that reads a plus sign as a space.
    for echostr in [
        "P9nAzCzyDtyTWESHep1vC5X9xho%2FqYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp%2B4RPcs8TgAE7OaBO%2BFZXvnaqQ%3D%3D",
        "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
    ] {
        let request = Request::get(format!("/hooks/wecom/north?{query}&echostr={echostr}"));
        let answer = running.answer(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer, (StatusCode::OK, "1616140317555161061".to_owned()));
    }
}

#[tokio::test]
async fn a_verification_that_is_not_genuine_learns_nothing() {
    let running = Running::start().await;
    let genuine = || Callback { message: "5432".to_owned(), ..Callback::update() };
    assert_eq!(running.answer(genuine().get()).await, (StatusCode::OK, "5432".to_owned()));
    let old = Callback { timestamp: now().timestamp() - 601, ..genuine() };
    let unauthorized = (StatusCode::UNAUTHORIZED, String::new());
    assert_eq!(running.answer(old.get()).await, unauthorized);
    assert_eq!(running.answer(Callback { token: "another", ..genuine() }.get()).await, unauthorized);
    let bare = Request::get("/hooks/wecom/north").body(Body::empty()).unwrap();
    assert_eq!(running.answer(bare).await, unauthorized);
    let corp = Callback { corp_id: "ww0123456789abcde0", ..genuine() };
    assert_eq!(running.answer(corp.get()).await, (StatusCode::BAD_REQUEST, String::new()));
    let receiver = CallbackReceiver::find(running.state.app.deployment(), "north").unwrap();
    assert_eq!(echo(&running.state, &receiver, old.get().uri()), Err(PushRejection::Stale));
    for path in ["/hooks/wecom/south", "/hooks/wecom/unknown", "/hooks/wecom/%2e"] {
        for request in [Callback { path, ..genuine() }.get(), Callback { path, ..genuine() }.post()] {
            assert_eq!(running.answer(request).await, (StatusCode::NOT_FOUND, String::new()), "{path}");
        }
    }
}

#[tokio::test]
async fn a_callback_that_was_not_signed_just_now_wakes_and_does_so_once() {
    let running = Running::start().await;
    for (late, of) in [(-601, "E1"), (601, "E2")] {
        let event = Callback::contact("update_user", &format!("<UserID>{of}</UserID>"));
        let old = Callback { timestamp: now().timestamp() + late, ..event };
        assert_eq!(running.called_back(&old).await, PushOutcome::WakeLate, "{late}");
        assert_eq!(running.called_back(&old).await, PushOutcome::Nothing(IdleReason::Duplicate), "{late}");
        assert_eq!(running.answer(old.post()).await, (StatusCode::OK, String::new()));
    }
}

#[tokio::test]
async fn a_change_of_the_directory_wakes_and_is_answered_with_nothing() {
    let running = Running::start().await;
    for (kind, of) in [
        ("create_user", "<UserID>E1</UserID><Department>1,2</Department>"),
        ("update_user", "<UserID>E1</UserID><NewUserID>E2</NewUserID>"),
        ("delete_user", "<UserID>E1</UserID>"),
        ("create_party", "<Id>7</Id><ParentId>1</ParentId>"),
        ("update_party", "<Id>7</Id><ParentId>2</ParentId>"),
        ("delete_party", "<Id>7</Id>"),
    ] {
        assert_eq!(running.called_back(&Callback::contact(kind, of)).await, PushOutcome::Wake, "{kind}");
    }
    let another = Callback::contact("delete_user", "<UserID>E2</UserID>");
    assert_eq!(running.answer(another.post()).await, (StatusCode::OK, String::new()));
    assert_eq!(running.woken(), ["north/onboarding Callback"]);
    assert_eq!(running.answer(another.post()).await, (StatusCode::OK, String::new()));
    let tag = Callback::contact("update_tag", "<TagId>1</TagId>");
    assert_eq!(running.answer(tag.post()).await, (StatusCode::OK, String::new()));
    assert!(running.woken().is_empty(), "neither what comes again nor what is of no member wakes");
    assert_eq!(running.kept().await, ["north/onboarding Callback 7"]);
}

#[tokio::test]
async fn a_store_that_is_busy_neither_delays_the_answer_nor_loses_the_event() {
    let running = Running::start().await;
    let _busy = running.kept_busy().await;
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    assert_eq!(running.answer(Callback::update().post()).await, (StatusCode::OK, String::new()));
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(running.woken(), ["north/onboarding Callback"]);
}

#[tokio::test]
async fn an_event_that_changes_no_member_and_no_department_wakes_no_flow() {
    let running = Running::start().await;
    let other = PushOutcome::Nothing(IdleReason::OtherEvent);
    let tag = Callback::contact("update_tag", "<TagId>1</TagId>");
    assert_eq!(running.called_back(&tag).await, other);
    let job = Callback::of("<Event>batch_job_result</Event><BatchJob><JobId>j1</JobId></BatchJob>");
    assert_eq!(running.called_back(&job).await, other);
    assert_eq!(running.answer(job.post()).await, (StatusCode::OK, String::new()));
}

#[tokio::test]
async fn an_event_wakes_once_however_often_it_comes() {
    let running = Running::start().await;
    let duplicate = PushOutcome::Nothing(IdleReason::Duplicate);
    assert_eq!(running.called_back(&Callback::update()).await, PushOutcome::Wake);
    assert_eq!(running.called_back(&Callback::update()).await, duplicate);
    assert_eq!(running.answer(Callback::update().post()).await, (StatusCode::OK, String::new()));
    let sealed_anew = Callback { salt: 8, nonce: "2", ..Callback::update() };
    assert_eq!(running.called_back(&sealed_anew).await, duplicate);
    let another = Callback::contact("update_user", "<UserID>E2</UserID>");
    assert_eq!(running.called_back(&another).await, PushOutcome::Wake);
}

#[tokio::test]
async fn what_is_not_genuine_is_refused_and_takes_nothings_place() {
    let running = Running::start().await;
    let unauthorized = (StatusCode::UNAUTHORIZED, String::new());
    let unreadable = (StatusCode::BAD_REQUEST, String::new());
    let unknown = Callback { token: "another", ..Callback::update() };
    assert_eq!(running.answer(unknown.post()).await, unauthorized);
    let corp = Callback { corp_id: "wx5823bf96d3bd56c7", ..Callback::update() };
    assert_eq!(running.answer(corp.post()).await, unreadable);
    let entity = "<!DOCTYPE x [<!ENTITY e \"x\">]><xml><Encrypt>&e;</Encrypt></xml>";
    for body in ["", "{}", "<xml></xml>", "<xml><Encrypt>a</Encrypt>", entity] {
        assert_eq!(running.answer(Callback::update().posted(body)).await, unreadable, "{body}");
    }
    let nothing = Callback::update().posted("<xml><Encrypt></Encrypt></xml>");
    assert_eq!(running.answer(nothing).await, unauthorized);
    let large = Callback::update().posted(vec![b' '; (1 << 20) + 1]);
    assert_eq!(running.answer(large).await, (StatusCode::PAYLOAD_TOO_LARGE, String::new()));
    assert_eq!(running.called_back(&Callback::update()).await, PushOutcome::Wake);
}

#[tokio::test]
async fn an_event_whose_signature_is_written_otherwise_wakes_no_flow() {
    let running = Running::start().await;
    // An unreadable event is identified only by its signature.
    let event = Callback { message: "no XML".to_owned(), ..Callback::update() };
    let query = event.query(&event.ciphertext());
    let (path, body) = (event.path, format!("<xml><Encrypt>{}</Encrypt></xml>", event.ciphertext()));
    let sent = async |query: &str| {
        let receiver = CallbackReceiver::find(running.state.app.deployment(), "north").unwrap();
        let request = Request::post(format!("{path}?{query}")).body(Body::from(body.clone())).unwrap();
        receive(&running.state, &receiver, request).await
    };
    assert_eq!(sent(&query).await, PushOutcome::Wake);
    let (signature, rest) = query.split_once('&').unwrap();
    let upper = signature.trim_start_matches("msg_signature=").to_uppercase();
    let duplicate = PushOutcome::Nothing(IdleReason::Duplicate);
    assert_eq!(sent(&format!("msg_signature={upper}&{rest}")).await, duplicate);
    // Sorted and joined, the last digit of the timestamp may as well be the first of the nonce.
    let moment = event.timestamp.to_string();
    let (head, last) = moment.split_at(moment.len() - 1);
    let moved = format!("{signature}&timestamp={}{last}&nonce={head}", event.nonce);
    assert_ne!(sent(&moved).await, PushOutcome::Wake, "{moved}");
}
