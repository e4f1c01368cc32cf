//! One HTTP request as the services see it, and the simulator's answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;

/// A request, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: hyper::Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) content_type: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Bytes,
    /// The parts of a multipart body.
    pub(crate) parts: Vec<Part>,
}

/// One part of a multipart body.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content: Bytes,
}

impl Request {
    pub(crate) fn is_post(&self) -> bool {
        self.method == hyper::Method::POST
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Path and query without the values that must never be kept: the token and the secret.
    pub(crate) fn safe_path(&self) -> String {
        let mut shown = self.path.clone();
        let kept = self
            .query
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "access_token" | "corpsecret" | "key"));
        for (index, (key, value)) in kept.enumerate() {
            shown.push(if index == 0 { '?' } else { '&' });
            shown.push_str(key);
            shown.push('=');
            shown.push_str(value);
        }
        shown
    }

    /// The body as text; a file shows as its size.
    pub(crate) fn body_text(&self) -> String {
        if self.parts.is_empty() {
            String::from_utf8_lossy(&self.body).into_owned()
        } else {
            format!("multipart of {} bytes", self.body.len())
        }
    }
}

/// The reaction sent over the connection.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    /// The connection is reset without an answer.
    Reset,
    /// No answer ever comes.
    Stall,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    /// WeCom repeats its verdict in the headers `Error-Code` and `Error-Msg`.
    pub(crate) verdict: Option<(i32, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) const JSON: &str = "application/json; charset=utf-8";
pub(crate) const WECOM_JSON: &str = "application/json; charset=UTF-8";

impl Answer {
    pub(crate) fn json(status: u16, body: Vec<u8>) -> Self {
        Self { status, content_type: JSON, verdict: None, body }
    }

    /// A proxy's answer in front of a service that is down.
    pub(crate) fn bad_gateway() -> Self {
        let body = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad \
            Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
        Self { status: 502, content_type: "text/html", verdict: None, body: body.to_vec() }
    }

    /// The answer of JianDaoYun's gateway when too many calls run at once.
    pub(crate) fn too_many_requests() -> Self {
        let body = "请求并发超限".as_bytes().to_vec();
        Self { status: 429, content_type: "text/plain; charset=utf-8", verdict: None, body }
    }

    /// The same answer, its body cut in the middle.
    pub(crate) fn truncated(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        self
    }
}

/// A reply, its delay, and the slot it occupies among the calls in flight until then.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) reply: Reply,
    pub(crate) delay_ms: u64,
    pub(crate) in_flight: Option<InFlight>,
}

impl Outcome {
    pub(crate) fn now(answer: Answer) -> Self {
        Self { reply: Reply::Answer(answer), delay_ms: 0, in_flight: None }
    }
}

/// One call in flight; dropped when its reply is on the way or its caller has gone.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<AtomicU32>);

impl InFlight {
    /// The number of calls in flight is `counter` before this one.
    pub(crate) fn enter(counter: &Arc<AtomicU32>) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counter))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
