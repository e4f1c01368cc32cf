//! Delivers messages to their channels: makes one post, judges the answer, and decides when the next may go.
//!
//! A group robot takes 20 messages a minute, from all senders together. Messages beyond that are not queued: they are
//! combined into one message that lists them. An address that does not answer is retried with growing pauses; each
//! retry sends the messages due at that moment, so nothing piles up. An address that rejects for good (an unknown key,
//! say) is retried once an hour, and is itself an alert.

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Url, redirect, retry};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::address::{Address, Addresses, ReceiverKind};
use super::message::{self, AlertNotice};
use ruzhi_http::answer::{self, BodyError};
use ruzhi_http::rate::{Backoff, Jitter};
use ruzhi_metrics as metrics;
use ruzhi_model::Text;

/// Messages a robot takes in any minute.
const A_MINUTE: usize = 20;
/// Up to this many are sent one by one; if more are due at once, they are combined.
const ONE_BY_ONE: usize = 5;
const MINUTE: TimeDelta = TimeDelta::seconds(60);
const HOUR: TimeDelta = TimeDelta::hours(1);
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(600));
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(10);

/// An answer of any status.
pub(super) struct PostReply {
    pub(super) status: u16,
    /// The body, or why it was not read to its end.
    pub(super) body: Result<Vec<u8>, String>,
}

/// The transport of messages.
#[async_trait]
pub(super) trait AlertTransport: Send + Sync {
    /// Posts a JSON body, once. The error says what came instead of an answer, without the address.
    async fn post(&self, url: &SecretString, body: Vec<u8>) -> Result<PostReply, PostError>;
}

/// Why there is no answer.
pub(super) enum PostError {
    /// The address is not a valid URL.
    NoAddress,
    /// No answer came.
    NoAnswer(String),
}

/// HTTP.
pub(super) struct AlertHttp(Option<reqwest::Client>);

impl AlertHttp {
    pub(super) fn new() -> Self {
        let client = reqwest::Client::builder()
            .user_agent("ruzhi/0.1")
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .build();
        Self(client.ok())
    }
}

#[async_trait]
impl AlertTransport for AlertHttp {
    async fn post(&self, url: &SecretString, body: Vec<u8>) -> Result<PostReply, PostError> {
        let parsed = url.expose_secret().trim().parse::<Url>();
        let url = parsed.ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let (Some(client), Some(url)) = (&self.0, url) else { return Err(PostError::NoAddress) };
        let request = client
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
            .body(body);
        let failed = |error: reqwest::Error| PostError::NoAnswer(kind(&error).to_owned());
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let body = answer::read(answer, answer::RECEIPT).await.map_err(|unread| match unread {
            BodyError::TooLarge(excess) => excess.text().en,
            BodyError::Broken(error) => kind(&error).to_owned(),
        });
        Ok(PostReply { status, body })
    }
}

/// The kind of failure. Its own text may contain the address, which is a secret.
fn kind(error: &reqwest::Error) -> &'static str {
    match error {
        error if error.is_timeout() => "timeout",
        error if error.is_connect() => "no connection",
        error if error.is_body() || error.is_decode() => "broken off",
        _ => "not sent",
    }
}

/// The result of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PostOutcome {
    /// It was taken.
    Taken,
    /// A retry may succeed.
    Later(String),
    /// The robot has reached its limit of 20.
    TooMany,
    /// No retry succeeds until a person changes something.
    Rejected(Text),
}

impl PostOutcome {
    /// Its name in metrics.
    fn as_str(&self) -> &'static str {
        match self {
            Self::Taken => "sent",
            Self::TooMany => "held_back",
            Self::Later(_) | Self::Rejected(_) => "failed",
        }
    }
}

/// Judges an answer.
pub(super) fn classify(taker: ReceiverKind, answer: Result<PostReply, PostError>) -> PostOutcome {
    let reply = match answer {
        Ok(reply) => reply,
        Err(PostError::NoAnswer(detail)) => return PostOutcome::Later(detail),
        Err(PostError::NoAddress) => {
            return PostOutcome::Rejected(Text::new(
                "it is not an http or https address",
                "不是 http 或 https 地址",
            ));
        }
    };
    let success = (200..300).contains(&reply.status);
    let passes = matches!(reply.status, 408 | 429 | 500..);
    match taker {
        // The status is enough: the body is not needed, and may be endless.
        ReceiverKind::Url if success => PostOutcome::Taken,
        _ if passes => PostOutcome::Later(format!("HTTP {}", reply.status)),
        _ if !success => PostOutcome::Rejected(Text::new(
            format!("it answers HTTP {}", reply.status),
            format!("应答为 HTTP {}", reply.status),
        )),
        _ => {
            let body = match reply.body {
                Ok(body) => body,
                Err(detail) => return PostOutcome::Later(detail),
            };
            let answer: Option<Value> = serde_json::from_slice(&body).ok();
            let code = answer.as_ref().and_then(|answer| answer.get("errcode"));
            let code = code.and_then(|code| code.as_i64().or_else(|| code.as_str()?.parse().ok()));
            match code {
                Some(0) => PostOutcome::Taken,
                Some(45009 | 45033) => PostOutcome::TooMany,
                Some(-1) => PostOutcome::Later("errcode -1".to_owned()),
                Some(93000) => PostOutcome::Rejected(Text::new(
                    "WeCom knows no robot of this key (93000); the robot may have been removed",
                    "企业微信没有该 key 的机器人（93000），机器人可能已被移除",
                )),
                Some(code) => PostOutcome::Rejected(Text::new(
                    format!("WeCom refuses the message ({code})"),
                    format!("企业微信拒绝该消息（{code}）"),
                )),
                None => PostOutcome::Later("no errcode in the answer".to_owned()),
            }
        }
    }
}

/// The state of one channel.
#[derive(Debug, Clone, Default)]
pub(super) struct ChannelState {
    /// When the messages of the last minute were answered.
    sent: VecDeque<DateTime<Utc>>,
    /// The next message is not sent before.
    not_before: Option<DateTime<Utc>>,
    /// Consecutive failed attempts.
    failures: u32,
    /// Why it rejects for good.
    pub(super) rejected: Option<Text>,
}

impl ChannelState {
    /// The number of messages that may be sent now.
    fn room(&mut self, taker: ReceiverKind, now: DateTime<Utc>) -> usize {
        if self.not_before.is_some_and(|at| at > now) {
            return 0;
        }
        while self.sent.front().is_some_and(|at| *at + MINUTE <= now) {
            self.sent.pop_front();
        }
        match taker {
            ReceiverKind::Robot => A_MINUTE.saturating_sub(self.sent.len()),
            ReceiverKind::Url => usize::MAX,
        }
    }

    /// When the next message may be sent, if none may now.
    pub(super) fn opens_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let full = self.sent.front().filter(|_| self.sent.len() >= A_MINUTE).map(|at| *at + MINUTE);
        full.into_iter().chain(self.not_before).filter(|at| *at > now).max()
    }

    fn took(&mut self, verdict: &PostOutcome, now: DateTime<Utc>, jitter: &Jitter) {
        // A message without an answer may have been counted.
        self.sent.push_back(now);
        match verdict {
            PostOutcome::Taken => {
                (self.not_before, self.failures, self.rejected) = (None, 0, None);
            }
            PostOutcome::Later(_) => {
                let wait = BACKOFF.wait(self.failures.min(16), jitter);
                self.failures += 1;
                self.not_before = Some(now + TimeDelta::from_std(wait).unwrap_or(MINUTE));
            }
            PostOutcome::TooMany => self.not_before = Some(now + MINUTE),
            PostOutcome::Rejected(why) => {
                self.rejected = Some(why.clone());
                self.not_before = Some(now + HOUR);
            }
        }
    }
}

/// The messages due to one channel in this round.
pub(super) struct PendingNotices {
    pub(super) address: Address,
    pub(super) line: ChannelState,
    pub(super) notices: Vec<AlertNotice>,
}

/// The result for one channel.
pub(super) struct DeliveryReport {
    pub(super) address: Address,
    pub(super) line: ChannelState,
    /// Notices that were taken.
    pub(super) told: Vec<AlertNotice>,
}

/// Sends one channel the messages due, as far as allowed now.
pub(super) async fn deliver(
    transport: &dyn AlertTransport,
    addresses: &Addresses,
    clock: &dyn ruzhi_model::Clock,
    jitter: &Jitter,
    due: PendingNotices,
) -> DeliveryReport {
    let PendingNotices { address, mut line, notices } = due;
    let room = line.room(address.taker, clock.now());
    let mut told = Vec::new();
    for (body, notices) in posts(&address, addresses, notices, room) {
        let verdict = classify(address.taker, transport.post(&address.url, body).await);
        line.took(&verdict, clock.now(), jitter);
        metrics::alert_message(address.taker.as_str(), verdict.as_str());
        match verdict {
            PostOutcome::Taken => told.extend(notices),
            PostOutcome::Later(detail) => {
                tracing::warn!(
                    alerts = notices.len(),
                    "alerts were not delivered and are tried again: {detail}"
                );
                break;
            }
            PostOutcome::TooMany => {
                tracing::warn!("a group robot has had its messages of this minute");
                break;
            }
            PostOutcome::Rejected(why) => {
                tracing::error!(
                    alerts = notices.len(),
                    "an address of `[alerts]` rejects alerts: {}",
                    why.en
                );
                break;
            }
        }
    }
    DeliveryReport { address, line, told }
}

/// The posts of this round, each with its notices.
fn posts(
    address: &Address,
    addresses: &Addresses,
    notices: Vec<AlertNotice>,
    room: usize,
) -> Vec<(Vec<u8>, Vec<AlertNotice>)> {
    if room == 0 || notices.is_empty() {
        return Vec::new();
    }
    match address.taker {
        ReceiverKind::Url => {
            notices.into_iter().map(|notice| (message::url_body(&notice, addresses), vec![notice])).collect()
        }
        ReceiverKind::Robot if notices.len() <= room.min(ONE_BY_ONE) => notices
            .into_iter()
            .map(|notice| {
                let text = message::alone(&notice, addresses, address.lang);
                (message::robot_body(&text), vec![notice])
            })
            .collect(),
        ReceiverKind::Robot => {
            let text = message::together(&notices, addresses, address.lang);
            vec![(message::robot_body(&text), notices)]
        }
    }
}
