//! The record of one call.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// One call made for a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallAttempt {
    /// The call, such as `user/create`.
    pub api: &'static str,
    /// The time it was sent.
    pub at: DateTime<Utc>,
    /// The time until the answer.
    pub took: Duration,
    /// The code; `None` without a readable answer.
    pub errcode: Option<i64>,
    /// WeCom's message, or the reply in place of an answer: at most 200 characters, without token and diagnostics.
    pub errmsg: String,
}
