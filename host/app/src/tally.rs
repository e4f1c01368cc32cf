//! Limits how often a person does things that are audited each time: a number per hour, so that they cannot fill the
//! audit log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// The length of a window.
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// The recent actions of each person. Only configured people are counted, so there are never many.
pub struct Tally {
    most: u32,
    each: Mutex<HashMap<String, ActionCount>>,
}

struct ActionCount {
    since: DateTime<Utc>,
    times: u32,
}

/// The result of counting an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TallyResult {
    /// Within the limit.
    Counted,
    /// The last one within the limit.
    Last,
    /// Beyond the limit.
    TooMany {
        /// Seconds until the next one is allowed.
        seconds: u64,
    },
}

impl Tally {
    /// A tally that allows each person `most` actions an hour.
    pub fn new(most: u32) -> Self {
        Self { most, each: Mutex::default() }
    }

    /// Counts an action.
    pub fn count(&self, who: &str, now: DateTime<Utc>) -> TallyResult {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back ends a window too.
        each.retain(|_, count| (count.since..count.since + WINDOW).contains(&now));
        let count = each.entry(who.to_owned()).or_insert(ActionCount { since: now, times: 0 });
        count.times = count.times.saturating_add(1);
        if count.times < self.most {
            return TallyResult::Counted;
        }
        if count.times == self.most {
            return TallyResult::Last;
        }
        let wait = (count.since + WINDOW - now).num_milliseconds();
        TallyResult::TooMany { seconds: u64::try_from(wait).unwrap_or(0).div_ceil(1000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_person_has_so_many_in_an_hour() {
        let tally = Tally::new(2);
        let at = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        assert_eq!(tally.count("李雷", at(0)), TallyResult::Counted);
        assert_eq!(tally.count("李雷", at(1)), TallyResult::Last);
        assert_eq!(tally.count("李雷", at(2)), TallyResult::TooMany { seconds: 58 * 60 });
        assert_eq!(tally.count("韩梅梅", at(2)), TallyResult::Counted);
        assert_eq!(tally.count("李雷", at(60)), TallyResult::Counted);
    }
}
