//! The access token: one for all callers, fetched by one of them, renewed before it expires.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::api::{PerApi, WecomApi};
use super::errcode::ErrcodeClass;
use super::error::WecomFailure;
use super::redact::RedactedUrl;

/// A token is not used in the last five minutes of its life, or the last tenth if that is shorter.
const LONGEST_MARGIN: Duration = Duration::from_secs(300);

struct IssuedToken {
    text: SecretString,
    urls: PerApi<RedactedUrl>,
}

/// An access token with the URLs that carry it. It cannot be printed.
#[derive(Clone)]
pub(super) struct AccessToken(Arc<IssuedToken>);

impl AccessToken {
    /// A token as issued; `urls` are those of the calls without it.
    pub(super) fn new(text: String, urls: &PerApi<RedactedUrl>) -> Self {
        let urls = PerApi::new(|api| urls.of(api).clone().with("access_token", &text));
        Self(Arc::new(IssuedToken { text: text.into(), urls }))
    }

    /// The URL of a call.
    pub(super) fn url(&self, api: WecomApi) -> &RedactedUrl {
        self.0.urls.of(api)
    }

    /// The token itself, to be removed from texts.
    pub(super) fn reveal(&self) -> &str {
        self.0.text.expose_secret()
    }
}

enum TokenState {
    Nothing,
    Live {
        token: AccessToken,
        renew: Instant,
    },
    /// A permanent rejection. The request is never repeated: after several wrong secrets WeCom blocks the address for
    /// an hour, for every corp behind it.
    Rejected(WecomFailure),
    /// A temporary failure, shared with those who waited for that very fetch.
    Failed {
        failure: WecomFailure,
        count: u64,
    },
}

/// Holds the token.
pub(super) struct TokenStore {
    /// Locked during a fetch: callers that need a token meanwhile wait for the same one.
    held: Mutex<TokenState>,
    failures: AtomicU64,
}

impl TokenStore {
    pub(super) fn new() -> Self {
        Self { held: Mutex::new(TokenState::Nothing), failures: AtomicU64::new(0) }
    }

    /// The token; if none stays valid for a while, `fetch` returns one with its lifetime.
    pub(super) async fn get<F>(&self, fetch: impl FnOnce() -> F) -> Result<AccessToken, WecomFailure>
    where
        F: Future<Output = Result<(AccessToken, Duration), WecomFailure>>,
    {
        let failures_before = self.failures.load(Ordering::Acquire);
        let mut held = self.held.lock().await;
        match &*held {
            TokenState::Live { token, renew } if Instant::now() < *renew => return Ok(token.clone()),
            TokenState::Rejected(failure) => return Err(failure.clone()),
            TokenState::Failed { failure, count } if *count > failures_before => return Err(failure.clone()),
            TokenState::Nothing | TokenState::Live { .. } | TokenState::Failed { .. } => {}
        }
        let begin = Instant::now();
        match fetch().await {
            Ok((token, lives)) => {
                let renew = begin + lives.saturating_sub(LONGEST_MARGIN.min(lives / 10));
                *held = TokenState::Live { token: token.clone(), renew };
                Ok(token)
            }
            Err(failure) => {
                *held = match failure.class() {
                    ErrcodeClass::Retry | ErrcodeClass::Throttled => {
                        let count = self.failures.fetch_add(1, Ordering::AcqRel) + 1;
                        TokenState::Failed { failure: failure.clone(), count }
                    }
                    _ => TokenState::Rejected(failure.clone()),
                };
                Err(failure)
            }
        }
    }

    /// Drops a token that was just rejected, unless it has been replaced already.
    pub(super) async fn invalidate(&self, used: &AccessToken) {
        let mut held = self.held.lock().await;
        if matches!(&*held, TokenState::Live { token, .. } if Arc::ptr_eq(&token.0, &used.0)) {
            *held = TokenState::Nothing;
        }
    }
}
