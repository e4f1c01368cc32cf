//! Whether the scheduler still looks at its agenda.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// When the scheduler last looked.
#[derive(Debug)]
pub struct Pulse(AtomicI64);

impl Pulse {
    /// A process that begins now counts as having looked.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(AtomicI64::new(now.timestamp_millis()))
    }

    /// The scheduler looks.
    pub fn beat(&self, now: DateTime<Utc>) {
        self.0.store(now.timestamp_millis(), Ordering::Relaxed);
    }

    /// How long ago that was; never below zero, for a clock may be set back.
    pub fn age(&self, now: DateTime<Utc>) -> TimeDelta {
        let last = self.0.load(Ordering::Relaxed);
        TimeDelta::milliseconds(now.timestamp_millis().saturating_sub(last).max(0))
    }
}
