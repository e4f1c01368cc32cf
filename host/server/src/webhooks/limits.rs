//! Limits the cost of a push before its sender is verified: memory while it arrives, and lines of the log.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use chrono::{DateTime, Utc};
use hyper::body::Body as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::delivery::PATIENCE;
use super::outcome::PushRejection;
use crate::warnings::Warnings;

/// Time for a body to arrive: longer than a service waits for an answer.
const ARRIVAL: Duration = Duration::from_secs(5);
/// Bodies up to this size are read without taking a place. Hardly any push is larger, and there are at most as many as
/// connections.
const SMALL: usize = 32 << 10;
/// Larger bodies in memory at the same time.
const LARGE_AT_ONCE: usize = 16;

/// The limits shared by pushes and callbacks.
pub(crate) struct WebhookLimits {
    large: Arc<Semaphore>,
    rejected: Warnings,
    late: Warnings,
}

impl Default for WebhookLimits {
    fn default() -> Self {
        Self {
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
            rejected: Warnings::default(),
            late: Warnings::default(),
        }
    }
}

/// A body that has arrived. A large one keeps its place until it is dropped.
#[derive(Debug)]
pub(super) struct PushBody {
    pub(super) bytes: Vec<u8>,
    _place: Option<OwnedSemaphorePermit>,
}

impl WebhookLimits {
    /// Reads the body of a request, if it arrives in time, is not too large, and there is room for it.
    pub(super) async fn body(&self, request: Request, most: usize) -> Result<PushBody, PushRejection> {
        let until = Instant::now() + ARRIVAL;
        timeout_at(until, self.read(request, most)).await.unwrap_or(Err(PushRejection::Late))
    }

    async fn read(&self, request: Request, most: usize) -> Result<PushBody, PushRejection> {
        let told = request.body().size_hint().lower();
        if usize::try_from(told).map_or(true, |told| told > most) {
            return Err(PushRejection::TooLarge);
        }
        let mut body = request.into_body().into_data_stream();
        let (mut bytes, mut place) = (Vec::new(), None);
        while let Some(part) = next(&mut body).await {
            let part: Bytes = part.map_err(|_| PushRejection::Unreadable)?;
            if part.len() > most - bytes.len() {
                return Err(PushRejection::TooLarge);
            }
            if place.is_none() && bytes.len() + part.len() > SMALL {
                let asked = Arc::clone(&self.large).acquire_owned();
                let given = tokio::time::timeout(PATIENCE, asked).await;
                place = Some(given.map_err(|_| PushRejection::Busy)?.map_err(|_| PushRejection::Busy)?);
            }
            bytes.extend_from_slice(&part);
        }
        Ok(PushBody { bytes, _place: place })
    }

    /// The number of rejections suppressed of late, if one may be logged now.
    pub(super) fn reports_rejection(&self, now: DateTime<Utc>) -> Option<u64> {
        self.rejected.say(now)
    }

    /// The same for a wake that was not signed just now.
    pub(super) fn says_late(&self, now: DateTime<Utc>) -> Option<u64> {
        self.late.say(now)
    }
}

async fn next(body: &mut axum::body::BodyDataStream) -> Option<Result<Bytes, axum::Error>> {
    futures::StreamExt::next(body).await
}
