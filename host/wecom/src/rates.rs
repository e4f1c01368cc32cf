//! The rates of one corp: WeCom counts a corp's calls of each API across all callers.
//!
//! All clients of the corp, whatever their secret or tenant, share the windows of each API, its rest after a 45009,
//! and the places of the calls in flight.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::api::{PerApi, WecomApi};
use super::api_limiter::ApiLimiter;
use super::concurrency::ConcurrencyLimit;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Limits on a corp's calls: per API (document 90312), and concurrently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Per API in any minute.
    pub per_minute: u32,
    /// Per API in any hour.
    pub per_hour: u32,
    /// Concurrently, over all APIs; 0 is taken as 1.
    pub in_flight: usize,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { per_minute: 10_000, per_hour: 150_000, in_flight: 4 }
    }
}

struct SharedRates {
    limits: RateLimits,
    api_limiters: PerApi<ApiLimiter>,
    concurrency: ConcurrencyLimit,
}

/// The rates of one corp. Clones share them.
#[derive(Clone)]
pub struct Rates(Arc<SharedRates>);

impl Rates {
    /// Fresh rates, without any call.
    pub fn new(limits: RateLimits) -> Self {
        let windows = [(limits.per_minute, MINUTE), (limits.per_hour, HOUR)];
        Self(Arc::new(SharedRates {
            limits,
            api_limiters: PerApi::new(|_| ApiLimiter::new(&windows)),
            concurrency: ConcurrencyLimit::new(limits.in_flight),
        }))
    }

    /// The rates of one API.
    pub(super) fn api_limiter(&self, api: WecomApi) -> &ApiLimiter {
        self.0.api_limiters.of(api)
    }

    /// The places of the calls in flight.
    pub(super) fn concurrency(&self) -> &ConcurrencyLimit {
        &self.0.concurrency
    }
}

impl fmt::Debug for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rates").field(&self.0.limits).finish()
    }
}
