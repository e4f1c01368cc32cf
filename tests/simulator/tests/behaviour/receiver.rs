//! An address that receives the services' messages, with configurable answers.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn parameter(&self, name: &str) -> &str {
        of(&self.query, name).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        of(&self.headers, name)
    }
}

fn of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The answer: a status and a body.
type Answer = dyn Fn(&Received) -> (u16, String) + Send + Sync;

#[derive(Default)]
struct Kept {
    received: Vec<Received>,
    /// Statuses for the next requests, before `answer` is asked.
    statuses: VecDeque<u16>,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    kept: Arc<Mutex<Kept>>,
    /// It ends when this is dropped.
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Receiver {
    /// Answers 200 and nothing.
    pub(crate) fn start() -> Self {
        Self::answering(|_| (200, String::new()))
    }

    /// On a separate thread: a test may block while it answers.
    pub(crate) fn answering(answer: impl Fn(&Received) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kept = Arc::new(Mutex::new(Kept::default()));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let served = serve(listener, Arc::clone(&kept), Arc::new(answer));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! { () = served => (), _ = stopped => () }
            });
        });
        Self { url, kept, _stop: stop }
    }

    /// Answers these statuses first.
    pub(crate) fn answer_first(&self, statuses: &[u16]) {
        self.kept.lock().unwrap().statuses.extend(statuses);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.kept.lock().unwrap().received.clone()
    }
}

async fn serve(listener: std::net::TcpListener, kept: Arc<Mutex<Kept>>, answer: Arc<Answer>) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
        let service = service_fn(move |request| respond(request, Arc::clone(&kept), Arc::clone(&answer)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn respond(
    request: Request<Incoming>,
    kept: Arc<Mutex<Kept>>,
    answer: Arc<Answer>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let query = head.uri.query().unwrap_or_default();
    let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let received = Received {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let first = {
        let mut kept = kept.lock().unwrap();
        kept.received.push(received.clone());
        kept.statuses.pop_front()
    };
    let (status, body) = first.map_or_else(|| answer(&received), |status| (status, String::new()));
    Ok(Response::builder().status(status).body(Full::new(Bytes::from(body))).unwrap())
}
