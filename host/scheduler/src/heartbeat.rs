//! The sign that the scheduler still works.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// The time of the scheduler's last look.
#[derive(Debug)]
pub struct Heartbeat(AtomicI64);

impl Heartbeat {
    /// A new process counts as having looked.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(AtomicI64::new(now.timestamp_millis()))
    }

    /// Records a look.
    pub fn beat(&self, now: DateTime<Utc>) {
        self.0.store(now.timestamp_millis(), Ordering::Relaxed);
    }

    /// The time since the last look; never negative, for a clock may be set back.
    pub fn age(&self, now: DateTime<Utc>) -> TimeDelta {
        let last = self.0.load(Ordering::Relaxed);
        TimeDelta::milliseconds(now.timestamp_millis().saturating_sub(last).max(0))
    }
}
