//! A wire that answers from a script and records the requests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::super::redact::RedactedUrl;
use super::super::transport::{Payload, WecomReply, WecomTransport, WecomTransportError};

/// The reply to one request.
#[derive(Clone)]
pub(super) enum CannedWecomReply {
    Json(Value),
    Raw(u16, &'static str),
    Lost,
    NotSent,
    /// No connection, because this process has too many open files.
    OpenFiles,
}

/// An answer with a code.
pub(super) fn code(errcode: i64, errmsg: &str) -> CannedWecomReply {
    CannedWecomReply::Json(json!({ "errcode": errcode, "errmsg": errmsg }))
}

pub(super) fn ok() -> CannedWecomReply {
    code(0, "ok")
}

/// A request as sent.
#[derive(Clone, Debug)]
pub(super) struct SentWecomCall {
    pub(super) at: Duration,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) body: Option<Value>,
    pub(super) file: Option<String>,
}

struct WecomScriptState {
    begin: Instant,
    latency: Duration,
    queues: Mutex<BTreeMap<&'static str, VecDeque<CannedWecomReply>>>,
    always: Mutex<BTreeMap<&'static str, CannedWecomReply>>,
    seen: Mutex<Vec<SentWecomCall>>,
}

#[derive(Clone)]
pub(super) struct WecomScript(Arc<WecomScriptState>);

impl WecomScript {
    /// A wire with this latency. By default `gettoken` returns TOKEN-1, TOKEN-2 and so on.
    pub(super) fn with_latency(latency: Duration) -> Self {
        Self(Arc::new(WecomScriptState {
            begin: Instant::now(),
            latency,
            queues: Mutex::default(),
            always: Mutex::default(),
            seen: Mutex::default(),
        }))
    }

    pub(super) fn new() -> Self {
        Self::with_latency(Duration::from_millis(10))
    }

    /// Adds answers for a call, used once each, in order.
    pub(super) fn on(self, path: &'static str, answers: impl IntoIterator<Item = CannedWecomReply>) -> Self {
        self.0.queues.lock().unwrap().entry(path).or_default().extend(answers);
        self
    }

    /// The answer to a call once its scripted answers are used up.
    pub(super) fn always(self, path: &'static str, answer: CannedWecomReply) -> Self {
        self.0.always.lock().unwrap().insert(path, answer);
        self
    }

    /// The requests of a call.
    pub(super) fn seen(&self, path: &str) -> Vec<SentWecomCall> {
        self.0.seen.lock().unwrap().iter().filter(|seen| seen.path == path).cloned().collect()
    }
}

#[async_trait]
impl WecomTransport for WecomScript {
    async fn send(
        &self,
        url: &RedactedUrl,
        payload: &Payload<'_>,
        _: usize,
    ) -> Result<WecomReply, WecomTransportError> {
        let url = url.reveal();
        let path = url.path().strip_prefix("/cgi-bin/").unwrap().to_owned();
        let canned = self.0.queues.lock().unwrap().get_mut(path.as_str()).and_then(VecDeque::pop_front);
        let canned = canned.or_else(|| self.0.always.lock().unwrap().get(path.as_str()).cloned());
        let (body, file) = match payload {
            Payload::Nothing => (None, None),
            Payload::Json(body) => (Some(serde_json::from_slice(body).unwrap()), None),
            Payload::File(content) => (None, Some(String::from_utf8(content.to_vec()).unwrap())),
        };
        self.0.seen.lock().unwrap().push(SentWecomCall {
            at: self.0.begin.elapsed(),
            path: path.clone(),
            query: url.query_pairs().into_owned().collect(),
            body,
            file,
        });
        let tokens = self.seen("gettoken").len();
        sleep(self.0.latency).await;
        match canned {
            Some(CannedWecomReply::Json(body)) => {
                Ok(WecomReply { status: 200, body: body.to_string().into_bytes(), date: None })
            }
            Some(CannedWecomReply::Raw(status, body)) => {
                Ok(WecomReply { status, body: body.as_bytes().to_vec(), date: None })
            }
            Some(CannedWecomReply::Lost) => Err(WecomTransportError::Lost("connection closed".to_owned())),
            Some(CannedWecomReply::OpenFiles) => {
                Err(WecomTransportError::OpenFiles("Too many open files".to_owned()))
            }
            Some(CannedWecomReply::NotSent) => {
                Err(WecomTransportError::NotSent("connection refused".to_owned()))
            }
            None if path == "gettoken" => {
                let body = json!({ "errcode": 0, "errmsg": "ok", "access_token": format!("TOKEN-{tokens}"),
                                   "expires_in": 7200 });
                Ok(WecomReply { status: 200, body: body.to_string().into_bytes(), date: None })
            }
            None => panic!("nothing is scripted for {path}"),
        }
    }
}
