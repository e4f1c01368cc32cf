//! How often a person does what is written down each time: so many times in an hour, so that nobody fills the audit log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// What is done is counted over so long.
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// What each person did of late. Whoever is counted is named in the configuration, so there are never many.
pub(super) struct Tally {
    most: u32,
    each: Mutex<HashMap<String, Count>>,
}

struct Count {
    since: DateTime<Utc>,
    times: u32,
}

/// What a person's next time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// One of those there may be.
    Counted,
    /// The last of those there may be.
    Last,
    /// One too many; so many seconds until there may be another.
    TooMany {
        /// So long it takes.
        seconds: u64,
    },
}

impl Tally {
    /// So many times in an hour for each person.
    pub(super) fn new(most: u32) -> Self {
        Self { most, each: Mutex::default() }
    }

    /// Counts another time.
    pub(super) fn count(&self, who: &str, now: DateTime<Utc>) -> Turn {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back ends a window too.
        each.retain(|_, count| (count.since..count.since + WINDOW).contains(&now));
        let count = each.entry(who.to_owned()).or_insert(Count { since: now, times: 0 });
        count.times = count.times.saturating_add(1);
        if count.times < self.most {
            return Turn::Counted;
        }
        if count.times == self.most {
            return Turn::Last;
        }
        let wait = (count.since + WINDOW - now).num_milliseconds();
        Turn::TooMany { seconds: u64::try_from(wait).unwrap_or(0).div_ceil(1000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_person_has_so_many_in_an_hour() {
        let tally = Tally::new(2);
        let at = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        assert_eq!(tally.count("李雷", at(0)), Turn::Counted);
        assert_eq!(tally.count("李雷", at(1)), Turn::Last);
        assert_eq!(tally.count("李雷", at(2)), Turn::TooMany { seconds: 58 * 60 });
        assert_eq!(tally.count("韩梅梅", at(2)), Turn::Counted);
        assert_eq!(tally.count("李雷", at(60)), Turn::Counted);
    }
}
