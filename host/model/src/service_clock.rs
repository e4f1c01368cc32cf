//! A service's clock, as given by its answers.
//!
//! Neither clock is assumed right here: the difference of the service's to this machine's is kept, with the moment it
//! was seen, so that callers can ignore an old one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// A service's time against this machine's, from the `Date` of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// The time of the answer by the service's clock, cut to the second.
    pub date: DateTime<Utc>,
    /// The time the call was sent, by this machine's clock.
    pub sent: DateTime<Utc>,
    /// The duration of the call.
    pub took: Duration,
    /// The arrival of the answer, by a monotonic clock.
    pub seen: Instant,
}

impl Sighting {
    /// The best estimate of how far the service's clock is ahead of this machine's.
    pub fn ahead(&self) -> TimeDelta {
        // The date is of some moment between sending and answer, cut to the second.
        let here = self.sent + self.took() / 2;
        self.date + TimeDelta::milliseconds(500) - here
    }

    /// The largest error of `ahead`.
    pub fn tolerance(&self) -> TimeDelta {
        self.took() / 2 + TimeDelta::milliseconds(500)
    }

    /// The service's time when this machine's clock showed `here`, or a little earlier: never later.
    pub fn at(&self, here: DateTime<Utc>) -> DateTime<Utc> {
        let answered = self.sent + self.took();
        here.checked_add_signed(self.date - answered).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    fn took(&self) -> TimeDelta {
        TimeDelta::from_std(self.took).unwrap_or(TimeDelta::MAX)
    }
}

/// The last sighting of a service's clock.
#[derive(Debug, Default)]
pub struct ServiceClock(Mutex<Option<Sighting>>);

impl ServiceClock {
    /// Keeps the time of an answer. One without a readable date is ignored.
    pub fn saw(&self, date: Option<DateTime<Utc>>, sent: DateTime<Utc>, took: Duration) {
        if let Some(date) = date {
            let sighting = Sighting { date, sent, took, seen: Instant::now() };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sighting);
        }
    }

    /// The last sighting, if there was one since then.
    pub fn since(&self, since: Instant) -> Option<Sighting> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|sighting| sighting.seen >= since)
    }
}

/// Parses the `Date` of an HTTP answer; none if it is not a valid date.
pub fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(text.trim()).ok()?;
    Some(date.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_moment_of_the_service_is_never_told_too_late() {
        let sent = at("2026-05-01T08:00:00Z");
        for (date, took, by_service, ahead) in [
            ("2026-05-01T08:30:00Z", 0, "2026-05-01T08:30:00Z", 1_800_500),
            ("2026-05-01T08:30:04Z", 4, "2026-05-01T08:30:00Z", 1_802_500),
            ("2026-05-01T07:30:10Z", 10, "2026-05-01T07:30:00Z", -1_794_500),
        ] {
            let took = Duration::from_secs(took);
            let sighting = Sighting { date: at(date), sent, took, seen: Instant::now() };
            assert_eq!(sighting.at(sent), at(by_service), "{date}");
            assert_eq!(sighting.ahead().num_milliseconds(), ahead, "{date}");
        }
    }

    #[test]
    fn a_sighting_counts_only_if_it_is_new_enough() {
        let clock = ServiceClock::default();
        let before = Instant::now();
        let noon = at("2026-05-01T12:00:00Z");
        clock.saw(None, noon, Duration::ZERO);
        assert_eq!(clock.since(before), None, "an answer without a date tells nothing");
        clock.saw(Some(noon), noon, Duration::ZERO);
        assert_eq!(clock.since(before).unwrap().date, noon);
        let later = Instant::now() + Duration::from_secs(1);
        assert_eq!(clock.since(later), None);
        clock.saw(None, noon, Duration::ZERO);
        assert!(clock.since(before).is_some(), "an answer without a date takes nothing back");
    }

    #[test]
    fn what_is_no_date_is_none() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(at("1994-11-06T08:49:37Z")));
        for text in ["", "yesterday", "0", "1700000000", "Sun, 06 Nov 1994", "2026-05-01T12:00:00Z"] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }
}
