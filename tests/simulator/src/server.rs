//! HTTP on a loopback port: reads a whole request, has the world answer it, and resets the connection if the answer is
//! to be lost.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use futures::stream;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderName, HeaderValue, SERVER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::message::{Answer, Part, Reply, Request};
use crate::world::{Shared, World};

/// WeCom takes files of 20 MB; a load document for the control routes may be larger.
const LARGEST_BODY: usize = 256 * 1024 * 1024;

/// Serves until the future is dropped.
pub(crate) async fn serve(listener: TcpListener, world: Arc<Shared>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream, Arc::clone(&world)));
    }
}

/// Reason for a connection to end without an answer.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the connection is reset on purpose")]
    Reset,
    #[error("the request could not be read")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
}

async fn connection(stream: TcpStream, world: Arc<Shared>) {
    // An answer is one small write; waiting for more would only delay it. A failure to set this changes no behaviour.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, Arc::clone(&world)));
    // The service has a clock of its own.
    let mut http = http1::Builder::new();
    http.auto_date_header(false);
    let mut connection = http.serve_connection(TokioIo::new(stream), service);
    if (&mut connection).await.is_err() {
        let stream = connection.into_parts().io.into_inner();
        // With no time to linger, closing sends a reset; the peer sees the connection break either way.
        let _ = stream.set_zero_linger();
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    world: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Ended> {
    let request = read(request).await?;
    let outcome = world.answer(&request);
    if outcome.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(outcome.delay_ms)).await;
    }
    drop(outcome.in_flight);
    match outcome.reply {
        Reply::Answer(answer) => Ok(respond(answer, &date(&world.lock()))),
        Reply::Reset => Err(Ended::Reset),
        // The connection ends when the caller gives up.
        Reply::Stall => std::future::pending().await,
    }
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, Ended> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(Ended::Read)?.to_bytes();
    let text_of = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let content_type = text_of(CONTENT_TYPE).unwrap_or_default();
    let parts = match multer::parse_boundary(&content_type) {
        Ok(boundary) => parts_of(body.clone(), boundary).await,
        Err(_) => Vec::new(),
    };
    let query = head.uri.query().unwrap_or_default();
    Ok(Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        content_type,
        authorization: text_of(AUTHORIZATION),
        body,
        parts,
    })
}

/// The parts up to the first malformed one, as a server that parses a form as it arrives.
async fn parts_of(body: Bytes, boundary: String) -> Vec<Part> {
    let mut form = multer::Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let mut parts = Vec::new();
    while let Ok(Some(field)) = form.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let Ok(content) = field.bytes().await else { break };
        parts.push(Part { name, file_name, content });
    }
    parts
}

/// The `Date` of an answer given now; empty for none.
fn date(world: &World) -> String {
    if let Some(date) = &world.knobs.date {
        return date.clone();
    }
    let milliseconds = i64::try_from(world.clock.now_ms()).unwrap_or(i64::MAX);
    let ahead = world.knobs.clock_ahead_s.saturating_mul(1000);
    DateTime::from_timestamp_millis(milliseconds.saturating_add(ahead))
        .map(|date| date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .unwrap_or_default()
}

fn respond(answer: Answer, date: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if !date.is_empty()
        && let Ok(date) = HeaderValue::from_str(date)
    {
        headers.insert(DATE, date);
    }
    if let Some((code, message)) = answer.verdict {
        headers.insert(SERVER, HeaderValue::from_static("nginx"));
        headers.insert(HeaderName::from_static("error-code"), HeaderValue::from(code));
        // A message that does not fit into a header is only in the body, as with the real service's Chinese texts.
        if let Ok(message) = HeaderValue::from_bytes(message.as_bytes()) {
            headers.insert(HeaderName::from_static("error-msg"), message);
        }
        headers.insert(HeaderName::from_static("x-w-no"), HeaderValue::from_static("5"));
    }
    response
}
