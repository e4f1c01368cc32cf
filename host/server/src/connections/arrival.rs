//! A time limit for the body of every request, whichever handler reads it.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use ruzhi_message::{Report, exit};
use ruzhi_model::Text;

/// Time for a body to arrive after the head's end.
pub(super) const LONGEST: Duration = Duration::from_secs(10);

/// Limits the time for a request's body. A request with a late body is answered with 408.
pub(crate) async fn in_time(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let late = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| {
        Body::new(DeadlineBody { body, over: Box::pin(sleep(LONGEST)), late: Arc::clone(&late) })
    });
    let response = next.run(request).await;
    // A success was answered without the rest of the body, and stands.
    if late.load(Ordering::Relaxed) && !response.status().is_success() { too_late() } else { response }
}

fn too_late() -> Response {
    let seconds = LONGEST.as_secs();
    let report = Report::new(
        exit::USAGE,
        "request.late",
        Text::new(
            format!("the request did not arrive whole within {seconds} s, and nothing was done"),
            format!("请求未在 {seconds} 秒内完整到达，未执行任何操作"),
        ),
        Some(Text::new("send it again, whole", "请完整地重新发送")),
    );
    let close = [(CONNECTION, HeaderValue::from_static("close"))];
    let told = Json(serde_json::json!({ "error": report }));
    (StatusCode::REQUEST_TIMEOUT, close, told).into_response()
}

/// A body with a deadline.
struct DeadlineBody {
    body: Body,
    over: Pin<Box<Sleep>>,
    late: Arc<AtomicBool>,
}

/// A body missed its deadline.
#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
struct DeadlineError;

impl HttpBody for DeadlineBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_pending() && self.over.as_mut().poll(cx).is_ready() {
            self.late.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(axum::Error::new(DeadlineError))));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
