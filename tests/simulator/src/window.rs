//! True sliding windows, as both services keep them: no bucket that fills up again; every call is remembered for
//! exactly the length of the window.

use std::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct Window {
    span_ms: u64,
    calls: VecDeque<u64>,
}

impl Window {
    pub(crate) fn new(span_ms: u64) -> Self {
        Self { span_ms, calls: VecDeque::new() }
    }

    /// True if `limit` calls were already made within the window that ends now. A limit of 0 means no limit.
    pub(crate) fn is_full(&mut self, now_ms: u64, limit: u32) -> bool {
        while self.calls.front().is_some_and(|made| made + self.span_ms <= now_ms) {
            self.calls.pop_front();
        }
        limit != 0 && self.calls.len() >= limit as usize
    }

    pub(crate) fn add(&mut self, now_ms: u64) {
        self.calls.push_back(now_ms);
    }
}

/// WeCom's way of limiting: per minute and per hour; exceeding either parks the caller for as long as that window.
#[derive(Debug)]
pub(crate) struct Rate {
    minute: Window,
    hour: Window,
    parked_until_ms: u64,
}

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 3_600_000;

impl Default for Rate {
    fn default() -> Self {
        Self { minute: Window::new(MINUTE_MS), hour: Window::new(HOUR_MS), parked_until_ms: 0 }
    }
}

impl Rate {
    /// Counts the call, or refuses it. A refused call is not counted.
    pub(crate) fn admit(&mut self, now_ms: u64, per_minute: u32, per_hour: u32) -> bool {
        if now_ms < self.parked_until_ms {
            return false;
        }
        if self.hour.is_full(now_ms, per_hour) {
            self.park(now_ms, HOUR_MS);
            return false;
        }
        if self.minute.is_full(now_ms, per_minute) {
            self.park(now_ms, MINUTE_MS);
            return false;
        }
        if per_minute != 0 {
            self.minute.add(now_ms);
        }
        if per_hour != 0 {
            self.hour.add(now_ms);
        }
        true
    }

    pub(crate) fn park(&mut self, now_ms: u64, span_ms: u64) {
        self.parked_until_ms = now_ms + span_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, Window};

    #[test]
    fn a_call_leaves_the_window_after_exactly_its_span() {
        let mut window = Window::new(1000);
        assert!(!window.is_full(0, 1));
        window.add(0);
        assert!(window.is_full(999, 1));
        assert!(!window.is_full(1000, 1));
    }

    #[test]
    fn exceeding_the_minute_parks_for_a_minute() {
        let mut rate = Rate::default();
        assert!(rate.admit(0, 2, 0));
        assert!(rate.admit(50_000, 2, 0));
        assert!(!rate.admit(59_000, 2, 0));
        assert!(!rate.admit(118_999, 2, 0), "parked until a minute after the refused call");
        assert!(rate.admit(119_000, 2, 0));
    }
}
