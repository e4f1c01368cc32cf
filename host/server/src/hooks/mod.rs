//! Pushes from the services: JianDaoYun's rows, WeCom's contact events. They wake a run and bring no data into it.
//!
//! Both receivers take the same five steps.
//! - *Find the receiver*: a tenant or flow that takes no pushes looks from outside like one that does not exist.
//! - *Check the form*: a signed request has a signature, a timestamp and a nonce as the service writes them; without
//!   them it is rejected before a byte of the body is read ([`signature::Claim`]). The cost of bodies is bounded until
//!   they can be verified ([`Gate`]).
//! - *Verify*: the signature is recomputed over the bytes as received and compared in constant time; a rejection
//!   reveals only its status. A request signed longer ago than [`REPLAY`], or that far ahead, is still genuine: it
//!   wakes the flow, which does no harm, and is remembered like any other, so that it does so once. Otherwise a clock a
//!   quarter of an hour off would silence every push.
//! - *Check for work*: an event that changes nothing for the flow wakes no flow.
//! - *Deduplicate*: a delivery is taken once ([`Database::delivery_take`](ruzhi_store::Database::delivery_take)), and its
//!   wake is stored in the same step until a run has acted on it, because the service never repeats an acknowledged
//!   push.
//!
//! A push that passes wakes the scheduler, and the scheduler collects by itself: the body goes nowhere else.
//!
//! A service that waits too long for an answer sends again, and gives up on a receiver that is often late. So each
//! query to the store is given [`PATIENCE`]; without an answer the flow is woken, and only then is the wake in memory
//! alone. A superfluous wake costs a check, a missed push costs a person a day.

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

/// A request signed further away than this from now was held back on its way or overheard and replayed, or one of the
/// clocks is wrong.
const REPLAY: TimeDelta = TimeDelta::minutes(10);
/// A delivery is remembered this long: longer than a service retries, and long enough that an overheard push can be
/// replayed at most once a week.
const REMEMBERED: TimeDelta = TimeDelta::days(7);
/// Time for the store to answer; JianDaoYun waits 2 s, WeCom 5 s.
const PATIENCE: Duration = Duration::from_millis(1200);
/// The largest JianDaoYun body that is read: a row with every field filled is far smaller.
const LARGEST_PUSH: usize = 4 * 1024 * 1024;
/// The largest WeCom body that is read.
const LARGEST_CALLBACK: usize = 1024 * 1024;

/// The routes of the receivers.
pub fn routes() -> Router<Arc<Process>> {
    Router::new()
        .route("/hooks/jiandaoyun/{tenant}/{flow}", post(jiandaoyun::take))
        .route("/hooks/wecom/{tenant}", get(wecom::verify).post(wecom::take))
        .layer(Extension(SourceFields::default()))
}

/// The result of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Received {
    /// Something has changed, or may have.
    Wake,
    /// The same, though signed long ago or ahead of time.
    WakeLate,
    /// There is nothing to do, for this reason.
    Nothing(Nothing),
    /// It was rejected.
    Refused(Refused),
}

/// The reasons why a genuine push wakes no flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nothing {
    /// It was taken before.
    Duplicate,
    /// A test of the connection.
    Test,
    /// It is of another form.
    OtherForm,
    /// All fields of the row that the flow reads are as last read.
    Known,
    /// An event about neither members nor departments.
    OtherEvent,
}

/// The reasons why a push is rejected. The sender learns only the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// There is no such receiver.
    Unknown,
    /// It is not signed, or not with the secret.
    Signature,
    /// It was signed too long ago, or ahead of the time.
    Stale,
    /// Its body is larger than any the service sends.
    TooLarge,
    /// Its body did not arrive.
    Late,
    /// The maximum number of large bodies is being read.
    Busy,
    /// Its body broke off, or is not of the service's form.
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
    /// Its name in the log.
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
    /// Its name in the log.
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
