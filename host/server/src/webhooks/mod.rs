//! Pushes from the services: JianDaoYun's rows, WeCom's contact events. They wake a run and bring no data into it.
//!
//! Both receivers take the same five steps.
//! - *Find the receiver*: a tenant or flow that takes no pushes looks from outside like one that does not exist.
//! - *Check the form*: a signed request has a signature, a timestamp and a nonce as the service writes them; without
//!   them it is rejected before a byte of the body is read ([`signature::SignatureClaim`]). The cost of bodies is bounded until
//!   they can be verified ([`limits`]).
//! - *Verify*: the signature is recomputed over the bytes as received and compared in constant time; a rejection
//!   reveals only its status. A request signed longer ago than [`delivery::REPLAY`], or that far ahead, is still genuine: it
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
//! query to the store is given [`delivery::PATIENCE`]; without an answer the flow is woken, and only then is the wake in memory
//! alone. A superfluous wake costs a check, a missed push costs a person a day.

mod delivery;
mod envelope;
mod event;
#[cfg(fuzzing)]
pub mod fuzzing;
mod jiandaoyun;
mod known;
pub(super) mod limits;
mod outcome;
mod push;
mod signature;
#[cfg(test)]
mod tests;
mod wecom;

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Extension, Router};

use super::state::AppState;
use known::SourceFields;

/// The routes of the receivers.
pub fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/hooks/jiandaoyun/{tenant}/{flow}", post(jiandaoyun::take))
        .route("/hooks/wecom/{tenant}", get(wecom::verify).post(wecom::take))
        .layer(Extension(SourceFields::default()))
}
