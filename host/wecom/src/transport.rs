//! The wire: one request, one answer, and whether an unanswered request may have arrived.

use std::error::Error as _;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Proxy, Url, redirect, retry};

use super::error::WecomFailure;
use super::redact::{RedactedUrl, clean};
use ruzhi_files::open_files;
use ruzhi_http::answer::{self, BodyError, Excess};
use ruzhi_model::http_date;

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(20);
/// A file of 15 MiB needs a minute over 2 Mbit/s.
const WHOLE_FILE: Duration = Duration::from_secs(120);
/// WeCom recognises the kind of a file by its name.
const FILE_NAME: &str = "members.csv";

/// The payload of a request.
pub(super) enum Payload<'a> {
    /// None: a GET.
    Nothing,
    /// JSON, by POST.
    Json(Vec<u8>),
    /// A CSV file, by POST as the part `media` of a form.
    File(&'a [u8]),
}

/// An answer, whatever its status.
pub(super) struct WecomReply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// The time by the service's clock, if the answer has a date.
    pub(super) date: Option<DateTime<Utc>>,
}

/// The reason there is no answer.
pub(super) enum WecomTransportError {
    /// No connection: the request cannot have arrived.
    NotSent(String),
    /// The same, because this process has too many open files.
    OpenFiles(String),
    /// The request may have arrived and been carried out.
    Lost(String),
    /// It arrived, and the answer exceeds a limit.
    TooLarge(Excess),
}

/// Carries a request to the service.
#[async_trait]
pub(super) trait WecomTransport: Send + Sync {
    /// Sends a request exactly once, and reads an answer of at most `most` bytes.
    async fn send(
        &self,
        url: &RedactedUrl,
        payload: &Payload<'_>,
        most: usize,
    ) -> Result<WecomReply, WecomTransportError>;
}

/// HTTP. Nothing is resent automatically: redirects are not followed and the library's own retries are off.
pub(super) struct WecomHttp(reqwest::Client);

impl WecomHttp {
    /// A pool of connections, through `proxy` if given; the environment's proxies are ignored.
    pub(super) fn new(proxy: Option<&Url>) -> Result<Self, WecomFailure> {
        let mut builder = reqwest::Client::builder()
            .user_agent("ruzhi/0.1")
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .tcp_nodelay(true)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never());
        if let Some(proxy) = proxy {
            let proxy = Proxy::all(proxy.clone())
                .map_err(|error| WecomFailure::Settings { detail: format!("proxy: {}", describe(error)) })?;
            builder = builder.proxy(proxy);
        }
        // Building the client reads the certificates trusted by the system.
        let client = builder.build().map_err(|error| {
            let out = open_files::are_too_many(&error);
            let detail = describe(error);
            if out { WecomFailure::OpenFiles { detail } } else { WecomFailure::Settings { detail } }
        })?;
        Ok(Self(client))
    }
}

#[async_trait]
impl WecomTransport for WecomHttp {
    async fn send(
        &self,
        url: &RedactedUrl,
        payload: &Payload<'_>,
        most: usize,
    ) -> Result<WecomReply, WecomTransportError> {
        let url = url.reveal().clone();
        let request = match payload {
            Payload::Nothing => self.0.get(url),
            Payload::Json(body) => self
                .0
                .post(url)
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
                .body(body.clone()),
            Payload::File(content) => {
                let part = Part::bytes(content.to_vec())
                    .file_name(FILE_NAME)
                    .mime_str("application/octet-stream")
                    .map_err(|error| WecomTransportError::NotSent(describe(error)))?;
                self.0.post(url).timeout(WHOLE_FILE).multipart(Form::new().part("media", part))
            }
        };
        let answer = request.send().await.map_err(|error| {
            if error.is_connect() || error.is_builder() {
                let kind = if open_files::are_too_many(&error) {
                    WecomTransportError::OpenFiles
                } else {
                    WecomTransportError::NotSent
                };
                kind(describe(error))
            } else {
                WecomTransportError::Lost(describe(error))
            }
        })?;
        let status = answer.status().as_u16();
        let date = answer.headers().get(DATE).and_then(|date| http_date(date.to_str().ok()?));
        let body = answer::read(answer, most).await.map_err(|unread| match unread {
            BodyError::TooLarge(excess) => WecomTransportError::TooLarge(excess),
            BodyError::Broken(error) => WecomTransportError::Lost(describe(error)),
        })?;
        Ok(WecomReply { status, body, date })
    }
}

/// An error of the library with its causes, without its URL.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    clean(&text, &[])
}
