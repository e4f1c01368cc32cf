//! A wire that answers from a script and records the requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::super::transport::{FormReply, FormTransport, FormTransportError};
use ruzhi_http::answer::Excess;

/// The reply to one request.
#[derive(Clone)]
pub(super) enum CannedFormReply {
    Reply(u16, String),
    Nothing,
    /// An answer over a limit.
    TooLarge,
    /// No connection, because this process has too many open files.
    OpenFiles,
}

pub(super) fn ok(body: Value) -> CannedFormReply {
    CannedFormReply::Reply(200, body.to_string())
}

pub(super) fn code(code: i64) -> CannedFormReply {
    CannedFormReply::Reply(400, json!({ "code": code, "msg": "说明" }).to_string())
}

/// A page of rows with these ids.
pub(super) fn page(ids: &[&str]) -> CannedFormReply {
    let rows: Vec<_> = ids.iter().map(|id| json!({ "_id": id, "appId": "a", "name": "张三" })).collect();
    ok(json!({ "data": rows }))
}

/// A request as sent.
#[derive(Clone, Debug)]
pub(super) struct SentFormCall {
    pub(super) at: Duration,
    pub(super) path: String,
    pub(super) body: Value,
}

struct FormScriptState {
    begin: Instant,
    answers: Mutex<VecDeque<CannedFormReply>>,
    always: Option<CannedFormReply>,
    seen: Mutex<Vec<SentFormCall>>,
}

#[derive(Clone)]
pub(super) struct FormScript(Arc<FormScriptState>);

impl FormScript {
    fn make(answers: Vec<CannedFormReply>, always: Option<CannedFormReply>) -> Self {
        let (answers, seen) = (Mutex::new(answers.into()), Mutex::default());
        Self(Arc::new(FormScriptState { begin: Instant::now(), answers, always, seen }))
    }

    /// These answers, once each.
    pub(super) fn of(answers: Vec<CannedFormReply>) -> Self {
        Self::make(answers, None)
    }

    /// These answers, then the last one repeatedly.
    pub(super) fn then(answers: Vec<CannedFormReply>, always: CannedFormReply) -> Self {
        Self::make(answers, Some(always))
    }

    pub(super) fn seen(&self) -> Vec<SentFormCall> {
        self.0.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl FormTransport for FormScript {
    async fn post(&self, url: &Url, body: &[u8]) -> Result<FormReply, FormTransportError> {
        self.0.seen.lock().unwrap().push(SentFormCall {
            at: self.0.begin.elapsed(),
            path: url.path().to_owned(),
            body: serde_json::from_slice(body).unwrap(),
        });
        let answer = self.0.answers.lock().unwrap().pop_front().or_else(|| self.0.always.clone());
        sleep(Duration::from_millis(10)).await;
        match answer.expect("nothing is scripted") {
            CannedFormReply::Reply(status, body) => {
                Ok(FormReply { status, body: body.into_bytes(), date: None })
            }
            CannedFormReply::Nothing => Err(FormTransportError::NoAnswer("connection closed".to_owned())),
            CannedFormReply::TooLarge => Err(FormTransportError::TooLarge(Excess::Bytes(16 << 20))),
            CannedFormReply::OpenFiles => {
                Err(FormTransportError::OpenFiles("Too many open files".to_owned()))
            }
        }
    }
}
