//! The simulator's clock. Rate windows, token lifetimes and row times use it, so a test moves time instead of sleeping:
//! `advance` adds to it and `freeze` stops it. It is separate from the machine's clock: `set_ahead` puts it ahead or
//! behind, as a service's clock appears when the machine's is wrong.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_ms: u64,
    advanced_ms: u64,
    ahead_ms: i64,
    frozen_ms: Option<u64>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let started_ms =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        Self { started: Instant::now(), started_ms, advanced_ms: 0, ahead_ms: 0, frozen_ms: None }
    }

    /// Milliseconds since 1970; decreases only after `set_ahead`.
    pub(crate) fn now_ms(&self) -> u64 {
        self.frozen_ms.unwrap_or_else(|| self.running_ms())
    }

    pub(crate) fn advance(&mut self, milliseconds: u64) {
        match &mut self.frozen_ms {
            Some(frozen) => *frozen = frozen.saturating_add(milliseconds),
            None => self.advanced_ms = self.advanced_ms.saturating_add(milliseconds),
        }
    }

    pub(crate) fn freeze(&mut self, frozen: bool) {
        match (frozen, self.frozen_ms) {
            (true, None) => self.frozen_ms = Some(self.running_ms()),
            (false, Some(stopped_ms)) => {
                self.frozen_ms = None;
                // Thawing keeps the clock from falling back if it was advanced while frozen.
                self.advanced_ms += stopped_ms.saturating_sub(self.running_ms());
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// Sets how far it is ahead of the machine's clock from now on; negative is behind. Earlier advances stay.
    pub(crate) fn set_ahead(&mut self, milliseconds: i64) {
        let moved = milliseconds - self.ahead_ms;
        self.ahead_ms = milliseconds;
        self.frozen_ms = self.frozen_ms.map(|frozen| frozen.saturating_add_signed(moved));
    }

    fn running_ms(&self) -> u64 {
        let running_ms = self.started_ms + self.started.elapsed().as_millis() as u64 + self.advanced_ms;
        running_ms.saturating_add_signed(self.ahead_ms)
    }
}

/// `2026-05-01T08:00:00.000Z`, the shape JianDaoYun writes.
pub(crate) fn iso_ms(milliseconds: u64) -> String {
    i64::try_from(milliseconds)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_millis)
        .map(|moment| moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
        .unwrap_or_default()
}
