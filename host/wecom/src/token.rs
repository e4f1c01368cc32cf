//! The access token: one for all callers, fetched by one of them, renewed before it expires.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::api::{Api, PerApi};
use super::errcode::Class;
use super::error::Failure;
use super::redact::RedactedUrl;

/// A token is not used in the last five minutes of its life, or the last tenth if that is shorter.
const LONGEST_MARGIN: Duration = Duration::from_secs(300);

struct Issued {
    text: SecretString,
    urls: PerApi<RedactedUrl>,
}

/// An access token with the URLs that carry it. It cannot be printed.
#[derive(Clone)]
pub(super) struct Token(Arc<Issued>);

impl Token {
    /// A token as issued; `urls` are those of the calls without it.
    pub(super) fn new(text: String, urls: &PerApi<RedactedUrl>) -> Self {
        let urls = PerApi::new(|api| urls.of(api).clone().with("access_token", &text));
        Self(Arc::new(Issued { text: text.into(), urls }))
    }

    /// The URL of a call.
    pub(super) fn url(&self, api: Api) -> &RedactedUrl {
        self.0.urls.of(api)
    }

    /// The token itself, to be removed from texts.
    pub(super) fn reveal(&self) -> &str {
        self.0.text.expose_secret()
    }
}

enum Held {
    Nothing,
    Live {
        token: Token,
        renew: Instant,
    },
    /// A permanent rejection. The request is never repeated: after several wrong secrets WeCom blocks the address for
    /// an hour, for every corp behind it.
    Refused(Failure),
    /// A temporary failure, shared with those who waited for that very fetch.
    Failed {
        failure: Failure,
        count: u64,
    },
}

/// Holds the token.
pub(super) struct TokenStore {
    /// Locked during a fetch: callers that need a token meanwhile wait for the same one.
    held: Mutex<Held>,
    failures: AtomicU64,
}

impl TokenStore {
    pub(super) fn new() -> Self {
        Self { held: Mutex::new(Held::Nothing), failures: AtomicU64::new(0) }
    }

    /// The token; if none stays valid for a while, `fetch` returns one with its lifetime.
    pub(super) async fn get<F>(&self, fetch: impl FnOnce() -> F) -> Result<Token, Failure>
    where
        F: Future<Output = Result<(Token, Duration), Failure>>,
    {
        let failures_before = self.failures.load(Ordering::Acquire);
        let mut held = self.held.lock().await;
        match &*held {
            Held::Live { token, renew } if Instant::now() < *renew => return Ok(token.clone()),
            Held::Refused(failure) => return Err(failure.clone()),
            Held::Failed { failure, count } if *count > failures_before => return Err(failure.clone()),
            Held::Nothing | Held::Live { .. } | Held::Failed { .. } => {}
        }
        let begin = Instant::now();
        match fetch().await {
            Ok((token, lives)) => {
                let renew = begin + lives.saturating_sub(LONGEST_MARGIN.min(lives / 10));
                *held = Held::Live { token: token.clone(), renew };
                Ok(token)
            }
            Err(failure) => {
                *held = match failure.class() {
                    Class::Retry | Class::Throttled => {
                        let count = self.failures.fetch_add(1, Ordering::AcqRel) + 1;
                        Held::Failed { failure: failure.clone(), count }
                    }
                    _ => Held::Refused(failure.clone()),
                };
                Err(failure)
            }
        }
    }

    /// Drops a token that was just rejected, unless it has been replaced already.
    pub(super) async fn invalidate(&self, used: &Token) {
        let mut held = self.held.lock().await;
        if matches!(&*held, Held::Live { token, .. } if Arc::ptr_eq(&token.0, &used.0)) {
            *held = Held::Nothing;
        }
    }
}
