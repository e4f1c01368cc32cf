//! The rates of one API: its windows, and its rest after a 45009.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep_until};

use ruzhi_http::rate::Limiter;

/// WeCom blocks an API for as long as the exceeded window; the shortest is a minute.
const SHORT_REST: Duration = Duration::from_secs(60);
/// The next longer window.
const LONG_REST: Duration = Duration::from_secs(3600);
/// Number of consecutive short rests that are waited out.
pub(super) const SHORT_RESTS: u32 = 3;

struct ApiRest {
    over: Instant,
    over_utc: DateTime<Utc>,
    long: bool,
}

struct ParkingState {
    rest: Option<ApiRest>,
    in_a_row: u32,
    /// Incremented by each rest: of the calls in flight together only the first 45009 counts.
    epoch: u64,
}

/// The rates of one API.
pub(super) struct ApiLimiter {
    /// Its windows.
    pub(super) windows: Limiter,
    parking: Mutex<ParkingState>,
}

impl ApiLimiter {
    /// A limiter with these windows.
    pub(super) fn new(windows: &[(u32, Duration)]) -> Self {
        Self {
            windows: Limiter::new(windows),
            parking: Mutex::new(ParkingState { rest: None, in_a_row: 0, epoch: 0 }),
        }
    }

    fn parking(&self) -> MutexGuard<'_, ParkingState> {
        self.parking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the API may be called; a long rest is not waited out but returned, with its end.
    pub(super) async fn open(&self) -> Result<(), DateTime<Utc>> {
        loop {
            let over = {
                let mut parking = self.parking();
                match &parking.rest {
                    None => return Ok(()),
                    Some(rest) if rest.over <= Instant::now() => {
                        if rest.long {
                            parking.in_a_row = 0;
                        }
                        parking.rest = None;
                        return Ok(());
                    }
                    Some(rest) if rest.long => return Err(rest.over_utc),
                    Some(rest) => rest.over,
                }
            };
            sleep_until(over).await;
        }
    }

    /// The current epoch, unless a rest has begun.
    pub(super) fn begin(&self) -> Option<u64> {
        let parking = self.parking();
        parking.rest.is_none().then_some(parking.epoch)
    }

    /// Handles a 45009 of a call of this epoch. Returns the end of the rest.
    pub(super) fn throttled(&self, epoch: u64, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut parking = self.parking();
        if epoch == parking.epoch {
            parking.epoch += 1;
            parking.in_a_row += 1;
            let long = parking.in_a_row > SHORT_RESTS;
            let length = if long { LONG_REST } else { SHORT_REST };
            parking.rest = Some(ApiRest { over: Instant::now() + length, over_utc: now + length, long });
        }
        parking.rest.as_ref().map_or(now, |rest| rest.over_utc)
    }

    /// Handles an answer other than 45009 to a call of this epoch.
    pub(super) fn answered(&self, epoch: u64) {
        let mut parking = self.parking();
        if epoch == parking.epoch {
            parking.in_a_row = 0;
        }
    }
}
