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

use super::api::{Api, PerApi};
use super::errcode::{Class, class};
use super::error::{Error, Failure};
use super::lane::SHORT_RESTS;
use super::rates::Rates;
use super::redact::{RedactedUrl, clean, from_ip};
use super::token::{Token, TokenStore};
use super::transport::{Broken, Payload, Reply, Transport};
use super::write::Attempt;
use ruzhi_http::answer::Excess;
use ruzhi_http::rate::{Backoff, Jitter};
use ruzhi_metrics as meter;
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
pub(super) struct Call<'a> {
    pub(super) api: Api,
    pub(super) query: Option<(&'static str, &'a str)>,
    pub(super) payload: Payload<'a>,
}

/// How a call ended.
pub(super) enum Outcome {
    /// Success, with all fields of the answer.
    Success(Map<String, Value>),
    /// Any other answer, or none.
    Failed(Failure),
    /// Every call of this tenant fails.
    Stopped(Error),
}

/// A completed call.
pub(super) struct Called {
    pub(super) outcome: Outcome,
    pub(super) attempts: Vec<Attempt>,
    /// Some attempt may have been carried out without a success being received.
    pub(super) in_doubt: bool,
}

/// Makes the calls of one corp and secret.
pub(super) struct Caller {
    pub(super) transport: Box<dyn Transport>,
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
    pub(super) stop: Mutex<Option<Error>>,
    /// The process is to end.
    pub(super) quit: CancellationToken,
}

#[derive(Default)]
struct Tries {
    attempts: Vec<Attempt>,
    in_doubt: bool,
    retries: u32,
    crowded: u32,
    throttled: u32,
    refreshes: u32,
    credential_retried: bool,
}

/// A token being fetched, with its lifetime. Boxed, because a call needs a token and fetching one is a call.
type Fetching<'a> = Pin<Box<dyn Future<Output = Result<(Token, Duration), Failure>> + Send + 'a>>;

enum Step {
    Again(Duration),
    Done(Outcome),
}

fn failed(failure: Failure) -> Step {
    Step::Done(Outcome::Failed(failure))
}

impl Caller {
    /// Makes a call, including all retries.
    pub(super) async fn call(&self, call: &Call<'_>) -> Called {
        let mut tries = Tries::default();
        loop {
            match self.attempt(call, &mut tries).await {
                Step::Again(wait) if wait.is_zero() => {}
                // A shutdown is checked for before the next attempt.
                Step::Again(wait) => drop(self.unless_quit(sleep(wait)).await),
                Step::Done(outcome) => {
                    return Called { outcome, attempts: tries.attempts, in_doubt: tries.in_doubt };
                }
            }
        }
    }

    /// The reason every write of this run fails.
    pub(super) fn stop(&self) -> Option<Error> {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The reason writes are no longer made.
    fn stopped(&self, api: Api) -> Option<Error> {
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
    async fn answer(&self, url: &RedactedUrl, call: &Call<'_>) -> Result<Reply, Broken> {
        let overdue = async {
            self.quit.cancelled().await;
            sleep(LAST_ANSWER).await;
        };
        tokio::select! {
            biased;
            reply = self.transport.send(url, &call.payload, call.api.most()) => reply,
            () = overdue => Err(Broken::Lost("ruzhi ended before the answer came".to_owned())),
        }
    }

    async fn attempt(&self, call: &Call<'_>, tries: &mut Tries) -> Step {
        let api = call.api;
        let lane = self.rates.lane(api);
        if let Some(error) = self.stopped(api) {
            return Step::Done(Outcome::Stopped(error));
        }
        let asked = Instant::now();
        match self.unless_quit(lane.open()).await {
            Some(Ok(())) => {}
            Some(Err(until)) => return failed(Failure::Parked { until }),
            None => return failed(Failure::Quit),
        }
        let Some(slot) = self.unless_quit(lane.limiter.acquire()).await else { return failed(Failure::Quit) };
        meter::waited(meter::Service::Wecom, api.path(), asked.elapsed());
        // Fetching a token takes no place: the call that needs it holds one.
        let (place, token) = if api == Api::GetToken {
            (None, None)
        } else {
            let Some(place) = self.unless_quit(self.rates.in_flight().acquire()).await else {
                slot.unused();
                return failed(Failure::Quit);
            };
            match self.token().await {
                Ok(token) => (Some(place), Some(token)),
                Err(failure) => {
                    slot.unused();
                    return match failure.class() {
                        Class::Retry | Class::Throttled => failed(failure),
                        _ => Step::Done(Outcome::Stopped(Error::Token { failure })),
                    };
                }
            }
        };
        // While this call waited, the API may have been parked or the tenant stopped.
        let epoch = match (self.stopped(api), lane.begin()) {
            (None, Some(epoch)) => epoch,
            _ => {
                slot.unused();
                return Step::Again(Duration::ZERO);
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
        let read = Read::of(reply);
        slot.finish();
        // The date of an intermediary's answer is not the service's clock.
        if matches!(read, Read::Success(_) | Read::Warned(_) | Read::Code(..)) {
            self.seen.saw(date, at, took);
        }
        let secrets = [self.secret.expose_secret(), token.as_ref().map_or("", Token::reveal)];
        let attempt = read.attempt(api, at, took, &secrets);
        tracing::debug!(
            wecom.api = api.path(),
            wecom.errcode = attempt.errcode,
            wecom.errmsg = %attempt.errmsg,
            duration_ms = u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            "called WeCom"
        );
        let said = attempt.errcode.map_or(meter::Called::None, meter::Called::Code);
        meter::called(meter::Service::Wecom, api.path(), said, attempt.took);
        let errmsg = attempt.errmsg.clone();
        tries.attempts.push(attempt);

        let (errcode, raw) = match read {
            Read::Success(answer) => {
                lane.answered(epoch);
                if let Some(place) = &place {
                    place.succeeded();
                }
                return Step::Done(Outcome::Success(answer));
            }
            Read::Warned(_) => {
                tracing::error!(wecom.api = api.path(), wecom.errmsg = %errmsg, "WeCom took a request for malformed");
                return failed(Failure::Warned { errmsg });
            }
            Read::NotSent(_) => return self.again(tries, Failure::Unreachable { detail: errmsg }),
            Read::OpenFiles(_) => return self.again(tries, Failure::OpenFiles { detail: errmsg }),
            Read::Lost(_) => {
                tries.in_doubt = true;
                return self.again(tries, Failure::NoAnswer { detail: errmsg });
            }
            // The same call would get the same answer.
            Read::TooLarge(excess) => {
                tries.in_doubt = true;
                return failed(Failure::TooLarge { excess });
            }
            Read::Code(errcode, raw) => (errcode, raw),
        };
        let class = class(errcode);
        if class != Class::Throttled {
            lane.answered(epoch);
        }
        match (class, &token) {
            (Class::Retry, _) => {
                tries.in_doubt |= DOUBTFUL.contains(&errcode);
                self.again(tries, Failure::Busy { errcode, errmsg })
            }
            (Class::RefreshToken, Some(token)) => {
                if tries.refreshes == REFRESHES {
                    return failed(Failure::Busy { errcode, errmsg });
                }
                tries.refreshes += 1;
                self.tokens.invalidate(token).await;
                Step::Again(Duration::ZERO)
            }
            // A stale token sometimes causes a 40001. With a fresh token, the code means what it says.
            (Class::Configuration, Some(token)) if errcode == 40001 && !tries.credential_retried => {
                tries.credential_retried = true;
                self.tokens.invalidate(token).await;
                Step::Again(Duration::ZERO)
            }
            (Class::Throttled, _) => {
                let until = lane.throttled(epoch, self.clock.now());
                tracing::warn!(wecom.api = api.path(), until = %until, "WeCom's rate limit was hit; the API rests");
                tries.throttled += 1;
                if tries.throttled > SHORT_RESTS {
                    return failed(Failure::Parked { until });
                }
                Step::Again(Duration::ZERO)
            }
            (Class::Concurrency, _) => {
                if let Some(place) = &place {
                    let allowed = place.crowded();
                    tracing::warn!(wecom.api = api.path(), allowed, "too many calls at once");
                }
                if tries.crowded == CROWDED_RETRIES {
                    return failed(Failure::Busy { errcode, errmsg });
                }
                tries.crowded += 1;
                Step::Again(BACKOFF.wait(tries.crowded - 1, &self.jitter))
            }
            (other, _) => {
                if matches!(other, Class::Unknown | Class::Bug) {
                    tracing::error!(
                        wecom.api = api.path(),
                        wecom.errcode = errcode,
                        wecom.errmsg = %errmsg,
                        "WeCom answered with an unexpected code"
                    );
                }
                failed(Failure::Refused { errcode, errmsg, from_ip: from_ip(&raw) })
            }
        }
    }

    fn again(&self, tries: &mut Tries, failure: Failure) -> Step {
        if tries.retries == RETRIES {
            return failed(failure);
        }
        tries.retries += 1;
        Step::Again(BACKOFF.wait(tries.retries - 1, &self.jitter))
    }

    /// The access token, fetched if needed.
    pub(super) async fn token(&self) -> Result<Token, Failure> {
        self.tokens.get(|| self.fetch_token()).await
    }

    fn fetch_token(&self) -> Fetching<'_> {
        Box::pin(async {
            let called =
                self.call(&Call { api: Api::GetToken, query: None, payload: Payload::Nothing }).await;
            let answer = match called.outcome {
                Outcome::Success(answer) => answer,
                Outcome::Failed(failure) => return Err(failure),
                Outcome::Stopped(error) => return Err(error.failure().clone()),
            };
            let text = answer.get("access_token").and_then(Value::as_str).filter(|text| !text.is_empty());
            let text = text.ok_or(Failure::Shape { what: "access_token" })?;
            let life = answer.get("expires_in").and_then(integer).and_then(|s| u64::try_from(s).ok());
            let life = life.map_or(DEFAULT_LIFE, Duration::from_secs);
            Ok((Token::new(text.to_owned(), &self.urls), life))
        })
    }
}

/// A parsed answer.
pub(super) enum Read {
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

impl Read {
    fn of(reply: Result<Reply, Broken>) -> Self {
        let reply = match reply {
            Ok(reply) => reply,
            Err(Broken::NotSent(detail)) => return Self::NotSent(detail),
            Err(Broken::OpenFiles(detail)) => return Self::OpenFiles(detail),
            Err(Broken::Lost(detail)) => return Self::Lost(detail),
            Err(Broken::TooLarge(excess)) => return Self::TooLarge(excess),
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

    pub(super) fn attempt(&self, api: Api, at: DateTime<Utc>, took: Duration, secrets: &[&str]) -> Attempt {
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
        Attempt { api: api.path(), at, took, errcode, errmsg: clean(&text, secrets) }
    }
}

/// A number, which some answers write as a text.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}
