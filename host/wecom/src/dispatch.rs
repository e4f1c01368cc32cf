//! The one path of every call: wait for a turn, send, judge the answer, retry or return.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::api::{PerApi, WecomApi};
use super::api_limiter::SHORT_RESTS;
use super::attempt::CallAttempt;
use super::errcode::{ErrcodeClass, class};
use super::error::{WecomError, WecomFailure};
use super::rates::Rates;
use super::redact::{RedactedUrl, clean, from_ip};
use super::token::{AccessToken, TokenStore};
use super::transport::{Payload, WecomReply, WecomTransport, WecomTransportError};
use ruzhi_http::answer::Excess;
use ruzhi_http::rate::{Backoff, Jitter};
use ruzhi_metrics as metrics;
use ruzhi_model::{Clock, ServiceClock};

/// WeCom asks for at most three retries when it is busy.
const RETRIES: u32 = 3;
/// Retries after 45033. They are counted separately, because the service did not process the call.
const CROWDED_RETRIES: u32 = 20;
/// Token refreshes allowed per call.
const REFRESHES: u32 = 2;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(3));
/// Codes after which the service may have carried the call out.
pub(super) const DOUBTFUL: [i64; 2] = [-1, 6000];
/// The wait for the answer of a running call once the process is to end. The process is asked to end within ten
/// seconds, and the answer must be stored too.
const LAST_ANSWER: Duration = Duration::from_secs(7);
const DEFAULT_LIFE: Duration = Duration::from_secs(7200);

/// A call to make.
pub(super) struct WecomCall<'a> {
    pub(super) api: WecomApi,
    pub(super) query: Option<(&'static str, &'a str)>,
    pub(super) payload: Payload<'a>,
}

/// How a call ended.
pub(super) enum CallOutcome {
    /// Success, with all fields of the answer.
    Success(Map<String, Value>),
    /// Any other answer, or none.
    Failed(WecomFailure),
    /// Every call of this tenant fails.
    Stopped(WecomError),
}

/// A completed call.
pub(super) struct CompletedCall {
    pub(super) outcome: CallOutcome,
    pub(super) attempts: Vec<CallAttempt>,
    /// Some attempt may have been carried out without a success being received.
    pub(super) in_doubt: bool,
}

/// Makes the calls of one corp and secret.
pub(super) struct Dispatcher {
    pub(super) transport: Box<dyn WecomTransport>,
    pub(super) clock: Arc<dyn Clock>,
    /// The service's clock, from the dates of its answers.
    pub(super) seen: ServiceClock,
    pub(super) corp_id: String,
    pub(super) secret: SecretString,
    pub(super) urls: PerApi<RedactedUrl>,
    /// Shared with the corp's other clients.
    pub(super) rates: Rates,
    /// Number of calls made by this client.
    pub(super) calls: PerApi<AtomicU64>,
    pub(super) tokens: TokenStore,
    pub(super) jitter: Jitter,
    /// Set when a write finds that every write fails, until a new run begins.
    pub(super) stop: Mutex<Option<WecomError>>,
    /// The process is to end.
    pub(super) quit: CancellationToken,
}

#[derive(Default)]
struct RetryState {
    attempts: Vec<CallAttempt>,
    in_doubt: bool,
    retries: u32,
    crowded: u32,
    throttled: u32,
    refreshes: u32,
    credential_retried: bool,
}

/// A token being fetched, with its lifetime. Boxed, because a call needs a token and fetching one is a call.
type TokenFuture<'a> =
    Pin<Box<dyn Future<Output = Result<(AccessToken, Duration), WecomFailure>> + Send + 'a>>;

enum NextStep {
    Again(Duration),
    Done(CallOutcome),
}

fn failed(failure: WecomFailure) -> NextStep {
    NextStep::Done(CallOutcome::Failed(failure))
}

impl Dispatcher {
    /// Makes a call, including all retries.
    pub(super) async fn call(&self, call: &WecomCall<'_>) -> CompletedCall {
        let mut tries = RetryState::default();
        loop {
            match self.attempt(call, &mut tries).await {
                NextStep::Again(wait) if wait.is_zero() => {}
                // A shutdown is checked for before the next attempt.
                NextStep::Again(wait) => drop(self.unless_quit(sleep(wait)).await),
                NextStep::Done(outcome) => {
                    return CompletedCall { outcome, attempts: tries.attempts, in_doubt: tries.in_doubt };
                }
            }
        }
    }

    /// The reason every write of this run fails.
    pub(super) fn stop(&self) -> Option<WecomError> {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The reason writes are no longer made.
    fn stopped(&self, api: WecomApi) -> Option<WecomError> {
        if api.writes() { self.stop() } else { None }
    }

    /// Waits, unless the process is to end.
    async fn unless_quit<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.quit.cancelled() => None,
            waited = wait => Some(waited),
        }
    }

    /// The answer, unless the process is to end and it does not come soon.
    async fn answer(
        &self,
        url: &RedactedUrl,
        call: &WecomCall<'_>,
    ) -> Result<WecomReply, WecomTransportError> {
        let overdue = async {
            self.quit.cancelled().await;
            sleep(LAST_ANSWER).await;
        };
        tokio::select! {
            biased;
            reply = self.transport.send(url, &call.payload, call.api.most()) => reply,
            () = overdue => Err(WecomTransportError::Lost("ruzhi ended before the answer came".to_owned())),
        }
    }

    async fn attempt(&self, call: &WecomCall<'_>, tries: &mut RetryState) -> NextStep {
        let api = call.api;
        let api_limiter = self.rates.api_limiter(api);
        if let Some(error) = self.stopped(api) {
            return NextStep::Done(CallOutcome::Stopped(error));
        }
        let asked = Instant::now();
        match self.unless_quit(api_limiter.open()).await {
            Some(Ok(())) => {}
            Some(Err(until)) => return failed(WecomFailure::Parked { until }),
            None => return failed(WecomFailure::Quit),
        }
        let Some(slot) = self.unless_quit(api_limiter.windows.acquire()).await else {
            return failed(WecomFailure::Quit);
        };
        metrics::waited(metrics::RemoteService::Wecom, api.path(), asked.elapsed());
        // Fetching a token takes no place: the call that needs it holds one.
        let (place, token) = if api == WecomApi::GetToken {
            (None, None)
        } else {
            let Some(place) = self.unless_quit(self.rates.concurrency().acquire()).await else {
                slot.unused();
                return failed(WecomFailure::Quit);
            };
            match self.token().await {
                Ok(token) => (Some(place), Some(token)),
                Err(failure) => {
                    slot.unused();
                    return match failure.class() {
                        ErrcodeClass::Retry | ErrcodeClass::Throttled => failed(failure),
                        _ => NextStep::Done(CallOutcome::Stopped(WecomError::Token { failure })),
                    };
                }
            }
        };
        // While this call waited, the API may have been parked or the tenant stopped.
        let epoch = match (self.stopped(api), api_limiter.begin()) {
            (None, Some(epoch)) => epoch,
            _ => {
                slot.unused();
                return NextStep::Again(Duration::ZERO);
            }
        };
        let url = match (&token, call.query) {
            (Some(token), None) => Cow::Borrowed(token.url(api)),
            (Some(token), Some((key, value))) => Cow::Owned(token.url(api).clone().with(key, value)),
            (None, _) => Cow::Owned(
                self.urls
                    .of(api)
                    .clone()
                    .with("corpid", &self.corp_id)
                    .with("corpsecret", self.secret.expose_secret()),
            ),
        };
        self.calls.of(api).fetch_add(1, Ordering::Relaxed);
        let (at, begin) = (self.clock.now(), Instant::now());
        let reply = self.answer(&url, call).await;
        let (date, took) = (reply.as_ref().ok().and_then(|reply| reply.date), begin.elapsed());
        let read = ParsedAnswer::of(reply);
        slot.finish();
        // The date of an intermediary's answer is not the service's clock.
        if matches!(read, ParsedAnswer::Success(_) | ParsedAnswer::Warned(_) | ParsedAnswer::Code(..)) {
            self.seen.saw(date, at, took);
        }
        let secrets = [self.secret.expose_secret(), token.as_ref().map_or("", AccessToken::reveal)];
        let attempt = read.attempt(api, at, took, &secrets);
        tracing::debug!(
            wecom.api = api.path(),
            wecom.errcode = attempt.errcode,
            wecom.errmsg = %attempt.errmsg,
            duration_ms = u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            "called WeCom"
        );
        let said = attempt.errcode.map_or(metrics::CallStatus::None, metrics::CallStatus::Code);
        metrics::called(metrics::RemoteService::Wecom, api.path(), said, attempt.took);
        let errmsg = attempt.errmsg.clone();
        tries.attempts.push(attempt);

        let (errcode, raw) = match read {
            ParsedAnswer::Success(answer) => {
                api_limiter.answered(epoch);
                if let Some(place) = &place {
                    place.succeeded();
                }
                return NextStep::Done(CallOutcome::Success(answer));
            }
            ParsedAnswer::Warned(_) => {
                tracing::error!(wecom.api = api.path(), wecom.errmsg = %errmsg, "WeCom took a request for malformed");
                return failed(WecomFailure::Warned { errmsg });
            }
            ParsedAnswer::NotSent(_) => {
                return self.again(tries, WecomFailure::Unreachable { detail: errmsg });
            }
            ParsedAnswer::OpenFiles(_) => {
                return self.again(tries, WecomFailure::OpenFiles { detail: errmsg });
            }
            ParsedAnswer::Lost(_) => {
                tries.in_doubt = true;
                return self.again(tries, WecomFailure::NoAnswer { detail: errmsg });
            }
            // The same call would get the same answer.
            ParsedAnswer::TooLarge(excess) => {
                tries.in_doubt = true;
                return failed(WecomFailure::TooLarge { excess });
            }
            ParsedAnswer::Code(errcode, raw) => (errcode, raw),
        };
        let class = class(errcode);
        if class != ErrcodeClass::Throttled {
            api_limiter.answered(epoch);
        }
        match (class, &token) {
            (ErrcodeClass::Retry, _) => {
                tries.in_doubt |= DOUBTFUL.contains(&errcode);
                self.again(tries, WecomFailure::Busy { errcode, errmsg })
            }
            (ErrcodeClass::RefreshToken, Some(token)) => {
                if tries.refreshes == REFRESHES {
                    return failed(WecomFailure::Busy { errcode, errmsg });
                }
                tries.refreshes += 1;
                self.tokens.invalidate(token).await;
                NextStep::Again(Duration::ZERO)
            }
            // A stale token sometimes causes a 40001. With a fresh token, the code means what it says.
            (ErrcodeClass::Configuration, Some(token)) if errcode == 40001 && !tries.credential_retried => {
                tries.credential_retried = true;
                self.tokens.invalidate(token).await;
                NextStep::Again(Duration::ZERO)
            }
            (ErrcodeClass::Throttled, _) => {
                let until = api_limiter.throttled(epoch, self.clock.now());
                tracing::warn!(wecom.api = api.path(), until = %until, "WeCom's rate limit was hit; the API rests");
                tries.throttled += 1;
                if tries.throttled > SHORT_RESTS {
                    return failed(WecomFailure::Parked { until });
                }
                NextStep::Again(Duration::ZERO)
            }
            (ErrcodeClass::Concurrency, _) => {
                if let Some(place) = &place {
                    let allowed = place.crowded();
                    tracing::warn!(wecom.api = api.path(), allowed, "too many calls at once");
                }
                if tries.crowded == CROWDED_RETRIES {
                    return failed(WecomFailure::Busy { errcode, errmsg });
                }
                tries.crowded += 1;
                NextStep::Again(BACKOFF.wait(tries.crowded - 1, &self.jitter))
            }
            (other, _) => {
                if matches!(other, ErrcodeClass::Unknown | ErrcodeClass::Bug) {
                    tracing::error!(
                        wecom.api = api.path(),
                        wecom.errcode = errcode,
                        wecom.errmsg = %errmsg,
                        "WeCom answered with an unexpected code"
                    );
                }
                failed(WecomFailure::Rejected { errcode, errmsg, from_ip: from_ip(&raw) })
            }
        }
    }

    fn again(&self, tries: &mut RetryState, failure: WecomFailure) -> NextStep {
        if tries.retries == RETRIES {
            return failed(failure);
        }
        tries.retries += 1;
        NextStep::Again(BACKOFF.wait(tries.retries - 1, &self.jitter))
    }

    /// The access token, fetched if needed.
    pub(super) async fn token(&self) -> Result<AccessToken, WecomFailure> {
        self.tokens.get(|| self.fetch_token()).await
    }

    fn fetch_token(&self) -> TokenFuture<'_> {
        Box::pin(async {
            let called = self
                .call(&WecomCall { api: WecomApi::GetToken, query: None, payload: Payload::Nothing })
                .await;
            let answer = match called.outcome {
                CallOutcome::Success(answer) => answer,
                CallOutcome::Failed(failure) => return Err(failure),
                CallOutcome::Stopped(error) => return Err(error.failure().clone()),
            };
            let text = answer.get("access_token").and_then(Value::as_str).filter(|text| !text.is_empty());
            let text = text.ok_or(WecomFailure::Shape { what: "access_token" })?;
            let life = answer.get("expires_in").and_then(integer).and_then(|s| u64::try_from(s).ok());
            let life = life.map_or(DEFAULT_LIFE, Duration::from_secs);
            Ok((AccessToken::new(text.to_owned(), &self.urls), life))
        })
    }
}

/// A parsed answer.
pub(super) enum ParsedAnswer {
    Success(Map<String, Value>),
    /// errcode 0, but WeCom had to guess at the request; the message.
    Warned(String),
    /// Another errcode, with the unmodified message.
    Code(i64, String),
    NotSent(String),
    /// The same, because this process has too many open files.
    OpenFiles(String),
    Lost(String),
    TooLarge(Excess),
}

impl ParsedAnswer {
    fn of(reply: Result<WecomReply, WecomTransportError>) -> Self {
        let reply = match reply {
            Ok(reply) => reply,
            Err(WecomTransportError::NotSent(detail)) => return Self::NotSent(detail),
            Err(WecomTransportError::OpenFiles(detail)) => return Self::OpenFiles(detail),
            Err(WecomTransportError::Lost(detail)) => return Self::Lost(detail),
            Err(WecomTransportError::TooLarge(excess)) => return Self::TooLarge(excess),
        };
        // WeCom always answers with status 200; another status comes from an intermediary.
        if reply.status != 200 {
            return Self::Lost(format!("HTTP {}", reply.status));
        }
        match serde_json::from_slice::<Value>(&reply.body) {
            Ok(Value::Object(answer)) => Self::object(answer),
            _ => Self::Lost(format!("{} bytes that are not a JSON object", reply.body.len())),
        }
    }

    /// Parses an object with `errcode` and `errmsg`: an answer, or a member's entry in a job's result.
    pub(super) fn object(answer: Map<String, Value>) -> Self {
        let errcode = match answer.get("errcode") {
            None | Some(Value::Null) => 0,
            Some(errcode) => match integer(errcode) {
                Some(errcode) => errcode,
                None => return Self::Lost("an errcode that is no number".to_owned()),
            },
        };
        let errmsg = answer.get("errmsg").and_then(Value::as_str).unwrap_or_default();
        if errcode != 0 {
            Self::Code(errcode, errmsg.to_owned())
        } else if errmsg.to_ascii_lowercase().contains("warning:") {
            Self::Warned(errmsg.to_owned())
        } else {
            Self::Success(answer)
        }
    }

    pub(super) fn attempt(
        &self,
        api: WecomApi,
        at: DateTime<Utc>,
        took: Duration,
        secrets: &[&str],
    ) -> CallAttempt {
        let (errcode, text) = match self {
            Self::Success(answer) => {
                (Some(0), Cow::Borrowed(answer.get("errmsg").and_then(Value::as_str).unwrap_or_default()))
            }
            Self::Warned(errmsg) => (Some(0), Cow::Borrowed(errmsg.as_str())),
            Self::Code(errcode, errmsg) => (Some(*errcode), Cow::Borrowed(errmsg.as_str())),
            Self::NotSent(detail) | Self::OpenFiles(detail) | Self::Lost(detail) => {
                (None, Cow::Borrowed(detail.as_str()))
            }
            Self::TooLarge(excess) => (None, Cow::Owned(excess.to_string())),
        };
        CallAttempt { api: api.path(), at, took, errcode, errmsg: clean(&text, secrets) }
    }
}

/// A number, which some answers write as a text.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}
