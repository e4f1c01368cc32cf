//! Tests of the alerts' guarantees.

mod answers;
mod notifier;
mod state;
mod text;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::condition::AlertCondition;
use super::delivery::{AlertTransport, PostError, PostReply};
use ruzhi_model::{Clock, Text};
use ruzhi_store::AlertRow;

fn noon() -> DateTime<Utc> {
    "2026-05-01T12:00:00Z".parse().unwrap()
}

/// A clock that a test moves.
#[derive(Clone)]
struct Hand(Arc<Mutex<DateTime<Utc>>>);

impl Hand {
    fn at_noon() -> Self {
        Self(Arc::new(Mutex::new(noon())))
    }

    fn on(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

fn condition(key: &str) -> AlertCondition {
    AlertCondition {
        key: key.to_owned(),
        kind: "run.late",
        tenant: None,
        flow: None,
        text: Text::new(format!("{key} is late"), format!("{key} 已逾期")),
        hint: None,
        page: None,
    }
}

fn row(key: &str, kind: &str) -> AlertRow {
    AlertRow {
        key: key.to_owned(),
        kind: kind.to_owned(),
        tenant: None,
        flow: None,
        text: Text::new("something is so", "有情况"),
        hint: Some(Text::new("do something", "请处理")),
        page: None,
        since: noon(),
        last_seen: noon(),
        seen: 1,
        notified_at: None,
        resolved_at: None,
        resolution_notified_at: None,
    }
}

/// The posts, in order: address and body.
type SentMessage = Vec<(String, Value)>;

/// A transport that answers as scripted, and keeps the posts.
#[derive(Clone)]
struct Script {
    posted: Arc<Mutex<SentMessage>>,
    /// Status and body; none for no answer.
    answer: Arc<Mutex<Option<(u16, String)>>>,
}

impl Script {
    fn taking() -> Self {
        let answer = Some((200, r#"{"errcode":0,"errmsg":"ok"}"#.to_owned()));
        Self { posted: Arc::default(), answer: Arc::new(Mutex::new(answer)) }
    }

    fn answer(&self, answer: Option<(u16, &str)>) {
        *self.answer.lock().unwrap() = answer.map(|(status, body)| (status, body.to_owned()));
    }

    fn posted(&self) -> SentMessage {
        std::mem::take(&mut self.posted.lock().unwrap())
    }
}

#[async_trait]
impl AlertTransport for Script {
    async fn post(&self, url: &SecretString, body: Vec<u8>) -> Result<PostReply, PostError> {
        let body = serde_json::from_slice(&body).unwrap();
        self.posted.lock().unwrap().push((url.expose_secret().to_owned(), body));
        match self.answer.lock().unwrap().clone() {
            Some((status, body)) => Ok(PostReply { status, body: Ok(body.into()) }),
            None => Err(PostError::NoAnswer("timeout".to_owned())),
        }
    }
}
