//! Feeds an arbitrary answer of WeCom to every request. Time advances only while a task waits.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::client::{WecomClient, WecomClientSettings};
use super::csv::{BatchRow, csv_files};
use super::error::WecomError;
use super::rates::{RateLimits, Rates};
use super::redact::RedactedUrl;
use super::transport::{Payload, WecomReply, WecomTransport, WecomTransportError};
use super::write::{MemberWrite, WriteAnswer, WriteVerdict};
use ruzhi_model::{DepartmentId, FixedClock, UserId};

const SECRET: &str = "the-corp-secret-of-the-sync-assistant-00001";
const TOKEN: &str = "the-token-of-the-corp-that-no-message-holds";
/// The longest message: 200 characters from the service, in two languages, with our text around them.
const LONGEST: usize = 4_000;

/// A transport with one answer for everything.
struct WecomWire {
    status: u16,
    body: Vec<u8>,
    /// The token's answer is valid.
    lets_in: bool,
}

#[async_trait]
impl WecomTransport for WecomWire {
    async fn send(
        &self,
        url: &RedactedUrl,
        _: &Payload<'_>,
        _: usize,
    ) -> Result<WecomReply, WecomTransportError> {
        if self.lets_in && url.reveal().path().ends_with("/gettoken") {
            let body = json!({ "errcode": 0, "errmsg": "ok", "access_token": TOKEN, "expires_in": 7200 });
            return Ok(WecomReply { status: 200, body: body.to_string().into_bytes(), date: None });
        }
        Ok(WecomReply { status: self.status, body: self.body.clone(), date: None })
    }
}

/// Makes every request that ruzhi makes to WeCom. Panics on an error unfit to be displayed.
pub async fn answered(status: u16, body: &[u8], lets_in: bool) {
    let client = |at: &str| {
        let settings = WecomClientSettings {
            base_url: at.parse().expect("an address"),
            corp_id: "ww0123456789abcdef".to_owned(),
            secret: SECRET.into(),
            proxy: None,
            quit: CancellationToken::new(),
        };
        let wire = WecomWire { status, body: body.to_owned(), lets_in };
        let clock = Arc::new(FixedClock(chrono::DateTime::UNIX_EPOCH));
        WecomClient::over(Box::new(wire), settings, Rates::new(RateLimits::default()), clock, 1)
            .expect("a client")
    };
    let reader = client("https://wecom.invalid");
    let who: UserId = "e0001".parse().expect("a userid");
    if let Ok(members) = reader.listing().await {
        assert!(members.iter().all(|(key, listed)| *key == listed.userid.key()));
    }
    reader.department_ids().await.map(drop).unwrap_or_else(|error| fit(&error));
    reader.members_of(DepartmentId(1)).await.map(drop).unwrap_or_else(|error| fit(&error));
    reader.get_member(&who).await.map(drop).unwrap_or_else(|error| fit(&error));
    reader.userid_by_mobile("13800138000").await.map(drop).unwrap_or_else(|error| fit(&error));
    reader.ask().await.unwrap_or_else(|error| fit(&error));

    let Value::Object(body) =
        json!({ "userid": who, "name": "张三", "mobile": "13800138000", "department": [1] })
    else {
        return;
    };
    let create = MemberWrite::Create { userid: &who, body: &body };
    let update = MemberWrite::Update { userid: &who, body: &body };
    for write in [create, update, MemberWrite::Delete { userid: &who }] {
        told(&client("https://wecom.invalid").write(write).await);
    }
    let whole: Map<String, Value> = body.clone();
    let invited =
        Map::from_iter([("to_invite".to_owned(), Value::Bool(false))].into_iter().chain(body.clone()));
    for write in [MemberWrite::Create { userid: &who, body: &invited }, update] {
        let row = BatchRow { write, whole: &whole };
        for csv_file in csv_files(&[row]).files {
            let answers = client("https://wecom.invalid").write_csv_file(&csv_file, async |_| ()).await;
            assert_eq!(answers.len(), csv_file.rows().len());
            answers.iter().for_each(told);
        }
    }
}

fn told(answer: &WriteAnswer) {
    for attempt in &answer.attempts {
        fit_text(&attempt.errmsg);
    }
    match &answer.verdict {
        WriteVerdict::Unsure { error, .. } | WriteVerdict::Stopped(error) => fit(error),
        WriteVerdict::Rejected { errmsg, .. }
        | WriteVerdict::Warned { errmsg }
        | WriteVerdict::NoPlace { errmsg, .. } => {
            fit_text(errmsg);
        }
        _ => {}
    }
}

fn fit(error: &WecomError) {
    fit_text(&error.code());
    fit_text(&error.to_string());
    fit_text(&error.failure().to_string());
    let text = error.explain();
    fit_text(&text.en);
    fit_text(&text.zh);
}

fn fit_text(text: &str) {
    assert!(text.chars().count() <= LONGEST, "too long: {text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{text}");
}
