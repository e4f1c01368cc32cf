//! The wire: one request, one answer.

use std::error::Error as _;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue};
use reqwest::{Proxy, Url, redirect, retry};
use secrecy::{ExposeSecret as _, SecretString};

use super::error::FormFailure;
use ruzhi_files::open_files;
use ruzhi_http::answer::{self, BodyError, Excess};
use ruzhi_message::sanitize;
use ruzhi_model::http_date;

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(30);
/// Maximum length of a stored text, in characters.
const LONGEST: usize = 200;

/// An answer, whatever its status.
pub(super) struct FormReply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// The time by the service's clock, if the answer has a date.
    pub(super) date: Option<DateTime<Utc>>,
}

/// The reason there is no answer.
pub(super) enum FormTransportError {
    /// No answer, or an incomplete one; the reply in its place.
    NoAnswer(String),
    /// This process could not connect because of its own open files.
    OpenFiles(String),
    /// The answer exceeds a limit.
    TooLarge(Excess),
}

impl FormTransportError {
    fn of(error: reqwest::Error) -> Self {
        let kind = if open_files::are_too_many(&error) { Self::OpenFiles } else { Self::NoAnswer };
        kind(describe(error))
    }
}

/// Carries a request to the service.
#[async_trait]
pub(super) trait FormTransport: Send + Sync {
    /// Posts a JSON body, once.
    async fn post(&self, url: &Url, body: &[u8]) -> Result<FormReply, FormTransportError>;
}

/// HTTP, with the key in every request.
pub(super) struct FormHttp(reqwest::Client);

impl FormHttp {
    /// A pool of connections, through `proxy` if given; the environment's proxies are ignored.
    pub(super) fn new(api_key: &SecretString, proxy: Option<&Url>) -> Result<Self, FormFailure> {
        let mut key = HeaderValue::try_from(format!("Bearer {}", api_key.expose_secret()))
            .map_err(|_| FormFailure::Settings { detail: "api_key has characters no key has".to_owned() })?;
        key.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, key),
            (CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8")),
        ]);
        let mut builder = reqwest::Client::builder()
            .user_agent("ruzhi/0.1")
            .default_headers(headers)
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .tcp_nodelay(true)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never());
        if let Some(proxy) = proxy {
            let proxy = Proxy::all(proxy.clone())
                .map_err(|error| FormFailure::Settings { detail: format!("proxy: {}", describe(error)) })?;
            builder = builder.proxy(proxy);
        }
        // Building the client reads the certificates trusted by the system.
        let client = builder.build().map_err(|error| {
            let open_files = open_files::are_too_many(&error);
            let detail = describe(error);
            if open_files { FormFailure::OpenFiles { detail } } else { FormFailure::Settings { detail } }
        })?;
        Ok(Self(client))
    }
}

#[async_trait]
impl FormTransport for FormHttp {
    async fn post(&self, url: &Url, body: &[u8]) -> Result<FormReply, FormTransportError> {
        let answer =
            self.0.post(url.clone()).body(body.to_vec()).send().await.map_err(FormTransportError::of)?;
        let status = answer.status().as_u16();
        let date = answer.headers().get(DATE).and_then(|date| http_date(date.to_str().ok()?));
        // A written row is returned whole, so every answer may be as large as a page.
        let body = answer::read(answer, answer::LIST).await.map_err(|unread| match unread {
            BodyError::TooLarge(excess) => FormTransportError::TooLarge(excess),
            BodyError::Broken(error) => FormTransportError::of(error),
        })?;
        Ok(FormReply { status, body, date })
    }
}

/// An error of the library with its causes, without the URL.
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
    clean(&text, "")
}

/// A text fit to be stored: as by [`sanitize`], without the key, at most 200 characters.
pub(super) fn clean(text: &str, key: &str) -> String {
    sanitize::line_without(text.trim(), &[key], LONGEST)
}
