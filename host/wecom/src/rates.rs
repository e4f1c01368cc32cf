//! The rates of one corp: WeCom counts a corp's calls of each API across all callers.
//!
//! All clients of the corp, whatever their secret or tenant, share the windows of each API, its rest after a 45009,
//! and the places of the calls in flight.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::api::{Api, PerApi};
use super::in_flight::InFlight;
use super::lane::Lane;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Limits on a corp's calls: per API (document 90312), and concurrently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Per API in any minute.
    pub per_minute: u32,
    /// Per API in any hour.
    pub per_hour: u32,
    /// Concurrently, over all APIs; 0 is taken as 1.
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_minute: 10_000, per_hour: 150_000, in_flight: 4 }
    }
}

struct Shared {
    limits: Limits,
    lanes: PerApi<Lane>,
    in_flight: InFlight,
}

/// The rates of one corp. Clones share them.
#[derive(Clone)]
pub struct Rates(Arc<Shared>);

impl Rates {
    /// Fresh rates, without any call.
    pub fn new(limits: Limits) -> Self {
        let windows = [(limits.per_minute, MINUTE), (limits.per_hour, HOUR)];
        Self(Arc::new(Shared {
            limits,
            lanes: PerApi::new(|_| Lane::new(&windows)),
            in_flight: InFlight::new(limits.in_flight),
        }))
    }

    /// The rates of one API.
    pub(super) fn lane(&self, api: Api) -> &Lane {
        self.0.lanes.of(api)
    }

    /// The places of the calls in flight.
    pub(super) fn in_flight(&self) -> &InFlight {
        &self.0.in_flight
    }
}

impl fmt::Debug for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rates").field(&self.0.limits).finish()
    }
}
