//! What the services push: JianDaoYun's rows, WeCom's contact events. They wake a run and bring no data into it.
//!
//! Both ways in are the same five steps. *Whose is it*: a tenant or flow that takes no pushes looks from outside like one
//! that does not exist. *Can it be genuine*: what is signed has a signature, a moment and a number of the form that the
//! service writes, and is refused without them before a byte of the body is read ([`signature::Claim`]); what the bodies may
//! cost until they can be checked is bounded ([`Gate`]). *Is it genuine*: the signature is recomputed over the bytes as they came and compared in constant
//! time; a refusal says nothing but its status. What was signed longer ago than [`REPLAY`], or is that far ahead, is genuine
//! all the same: it wakes, which does no harm, and is remembered like any other, so that it does so once; else a clock that
//! is wrong by a quarter of an hour would silence every push. *Is there anything to do*: an event that changes nothing for the flow wakes nobody. *Was it here before*: a
//! delivery is taken once ([`Store::take_delivery`](ruzhi_store::Store::take_delivery)), and what it wakes is kept in the
//! same step, until a run has done it: the service never tells again what it was told had arrived. What is left wakes the
//! scheduler, and the scheduler collects by itself: of a body, nothing goes anywhere else.
//!
//! A service that waits too long for an answer sends again, and gives up on a receiver that is often late. So whatever is
//! asked of the store is given [`PATIENCE`] and no longer; without an answer the flow is woken, and this once the wake is in
//! memory alone. To wake twice costs a look, to miss a push costs somebody a day.

mod delivery;
mod envelope;
mod event;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gate;
mod jiandaoyun;
mod known;
mod push;
mod signature;
#[cfg(test)]
mod tests;
mod wecom;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Router};
use chrono::TimeDelta;

use super::process::Process;
pub(super) use gate::Gate;
use known::SourceFields;

/// What was signed further from now than this, before or after, was held back on its way, or is sent by somebody who
/// overheard it, or one of the clocks is wrong.
const REPLAY: TimeDelta = TimeDelta::minutes(10);
/// A delivery is remembered for this long: longer than a service sends again, and so long that what is overheard can wake
/// anybody but once a week.
const REMEMBERED: TimeDelta = TimeDelta::days(7);
/// The store has this long to answer; JianDaoYun waits 2 s, WeCom 5 s.
const PATIENCE: Duration = Duration::from_millis(1200);
/// The largest body of JianDaoYun that is read: a row with every field filled is far below it.
const LARGEST_PUSH: usize = 4 * 1024 * 1024;
/// The largest body of WeCom that is read.
const LARGEST_CALLBACK: usize = 1024 * 1024;

/// The ways in.
pub fn routes() -> Router<Arc<Process>> {
    Router::new()
        .route("/hooks/jiandaoyun/{tenant}/{flow}", post(jiandaoyun::take))
        .route("/hooks/wecom/{tenant}", get(wecom::verify).post(wecom::take))
        .layer(Extension(SourceFields::default()))
}

/// What came of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Received {
    /// Something has changed, or may have.
    Wake,
    /// The same, though it was signed long ago or ahead of the time.
    WakeLate,
    /// There is nothing to do, and why.
    Nothing(Nothing),
    /// It was not taken.
    Refused(Refused),
}

/// Why a genuine push wakes nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nothing {
    /// It was taken before.
    Duplicate,
    /// Somebody tries whether pushes arrive.
    Test,
    /// It is of another form.
    OtherForm,
    /// What the flow reads of the row is what it has read already.
    Known,
    /// An event that says nothing of members or departments.
    OtherEvent,
}

/// Why a push is not taken. Whoever sent it learns the status alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// Nobody here takes it.
    Unknown,
    /// It is not signed, or not by who knows the secret.
    Signature,
    /// It was signed too long ago, or ahead of the time.
    Stale,
    /// Its body is larger than any that a service sends.
    TooLarge,
    /// Its body did not arrive.
    Late,
    /// As many large bodies are being read as there may be.
    Busy,
    /// Its body broke off, or is not what the service sends.
    Unreadable,
}

impl Received {
    /// Its name in metrics.
    fn as_str(self) -> &'static str {
        match self {
            Self::Wake => "accepted",
            Self::WakeLate => "accepted late",
            Self::Nothing(why) => why.as_str(),
            Self::Refused(why) => why.as_str(),
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Wake | Self::WakeLate | Self::Nothing(_) => StatusCode::OK,
            Self::Refused(refused) => refused.status(),
        }
    }
}

impl Nothing {
    /// As the log says it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Test => "test",
            Self::OtherForm => "other form",
            Self::Known => "known",
            Self::OtherEvent => "other event",
        }
    }
}

impl Refused {
    /// As the log says it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Signature => "signature",
            Self::Stale => "stale",
            Self::TooLarge => "too large",
            Self::Late => "late",
            Self::Busy => "busy",
            Self::Unreadable => "unreadable",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Signature | Self::Stale => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            // The service sends it again.
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unreadable => StatusCode::BAD_REQUEST,
        }
    }
}
