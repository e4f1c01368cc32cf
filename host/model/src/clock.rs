//! Time as an argument: code that needs the current time is given a clock.

#[cfg(debug_assertions)]
use chrono::TimeDelta;
use chrono::{DateTime, Utc};

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// The current time, in UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "the clock that others are given")]
impl Clock for SystemClock {
    #[cfg(not(debug_assertions))]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    #[cfg(debug_assertions)]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().checked_add_signed(ahead()).unwrap_or_else(Utc::now)
    }
}

/// Seconds by which this process shifts the machine's clock ahead, for whole runs in which days pass. Only in a debug
/// build: an installed ruzhi has no clock but the machine's.
#[cfg(debug_assertions)]
fn ahead() -> TimeDelta {
    static AHEAD: std::sync::LazyLock<TimeDelta> = std::sync::LazyLock::new(|| {
        let seconds = std::env::var("RUZHI_CLOCK_AHEAD_S").ok().and_then(|seconds| seconds.parse().ok());
        seconds.and_then(TimeDelta::try_seconds).unwrap_or_default()
    });
    *AHEAD
}

/// A clock that stands still, for tests and for repeating a past decision.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub DateTime<Utc>);

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}
