//! Warnings that outsiders can cause: limited to a number per minute; the next one after that gives the number
//! suppressed.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// The length of a window.
const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// Warnings logged in a window.
const MOST: u64 = 30;

/// Warnings of one kind.
#[derive(Default)]
pub(super) struct Warnings(Mutex<Option<WarningWindow>>);

#[derive(Clone, Copy)]
struct WarningWindow {
    since: DateTime<Utc>,
    said: u64,
    unsaid: u64,
}

impl Warnings {
    /// The number of warnings suppressed in the window before, if a warning may be logged now.
    pub(super) fn say(&self, now: DateTime<Utc>) -> Option<u64> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match window.as_mut() {
            // A clock that was set back ends a window too.
            Some(window) if (window.since..window.since + WINDOW).contains(&now) => {
                let is_said = window.said < MOST;
                *(if is_said { &mut window.said } else { &mut window.unsaid }) += 1;
                is_said.then_some(0)
            }
            past => {
                let unsaid = past.map_or(0, |past| past.unsaid);
                *window = Some(WarningWindow { since: now, said: 1, unsaid: 0 });
                Some(unsaid)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_said_thirty_times_a_minute_and_counted() {
        let warnings = Warnings::default();
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let said = (0..1000).filter(|_| warnings.say(at(0)).is_some()).count();
        assert_eq!(said, 30);
        assert_eq!(warnings.say(at(59)), None);
        assert_eq!(warnings.say(at(60)), Some(971));
        assert_eq!(warnings.say(at(60)), Some(0));
        assert_eq!(warnings.say(at(0)), Some(0), "the clock was set back");
    }
}
