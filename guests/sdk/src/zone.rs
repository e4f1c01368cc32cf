//! Time zones: the IANA database from 1970 on, in about 45 KB.
//!
//! JianDaoYun's dates are moments in UTC, and the calendar day depends on the zone, including Shanghai's summer time
//! of 1986–1991. The usual crates were measured in a guest: `jiff` with its database takes 337 KB, and 90 KB without
//! it. So `build.rs` generates a compact table of the same database, and this module reads it; the tests compare it
//! with `jiff`. Before 1970 a zone has the offset it had in 1970.

use std::cmp::Ordering;

use crate::contract::GuestError;

const DAY: i64 = 86_400;

/// Month, week (5 is the last), weekday (0 is Sunday), second of the day in local time.
type Turn = (u8, u8, u8, i32);

include!(concat!(env!("OUT_DIR"), "/zones.rs"));

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    first: i32,
    /// (first second, offset from then on), ascending.
    transitions: Vec<(i64, i32)>,
    rule: Option<Rule>,
}

/// Summer time in the years after the last transition.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    standard: i32,
    daylight: i32,
    start: Turn,
    end: Turn,
}

impl Zone {
    /// The zone of an IANA name such as `Asia/Shanghai`, case-insensitively.
    ///
    /// # Errors
    /// `timezone.unknown` if there is none.
    pub fn named(name: &str) -> Result<Self, GuestError> {
        Self::find(name).ok_or_else(|| GuestError {
            code: "timezone.unknown".to_owned(),
            message: format!(
                "没有名为 {shown} 的时区，请使用 IANA 名称，如 Asia/Shanghai / there is no time zone {shown}. Use an \
                 IANA name such as Asia/Shanghai",
                shown = crate::fault::show(name)
            ),
        })
    }

    fn find(name: &str) -> Option<Self> {
        let number = number_of(&name.to_ascii_lowercase())?;
        let (start, length, first, rule) = *ZONES.get(number)?;
        let mut data = DATA.get(usize::from(start)..)?.get(..usize::from(length))?.iter();
        let first = *OFFSETS.get(usize::from(first))?;
        let mut transitions = Vec::new();
        let (mut instant, mut before, mut current) = (0, first, first);
        while let Some(number) = leb128(&mut data) {
            instant += if number > 1 { number / 2 * 3600 } else { leb128(&mut data)? };
            let next = if number % 2 == 1 { before } else { *OFFSETS.get(usize::from(*data.next()?))? };
            transitions.push((instant, next));
            (before, current) = (current, next);
        }
        let rule = RULES.get(usize::from(rule)).map(|&(standard, daylight, start, end)| Rule {
            standard,
            daylight,
            start,
            end,
        });
        Some(Zone { first, transitions, rule })
    }

    /// Seconds east of Greenwich at a moment, given in seconds since 1970 in UTC.
    pub fn offset_at(&self, instant: i64) -> i32 {
        let passed = self.transitions.partition_point(|(from, _)| *from <= instant);
        if passed == self.transitions.len()
            && let Some(rule) = &self.rule
        {
            return rule.offset_at(instant);
        }
        passed
            .checked_sub(1)
            .and_then(|last| self.transitions.get(last))
            .map_or(self.first, |(_, offset)| *offset)
    }

    /// The moment at which a wall clock shows `local`, seconds since 1970-01-01 00:00 on that clock. For a time shown
    /// twice it is the first; a skipped time counts as if the clock had not been put forward yet.
    pub fn instant_of(&self, local: i64) -> i64 {
        let before = i64::from(self.offset_at(local - DAY));
        let after = i64::from(self.offset_at(local + DAY));
        let (early, late) = (local - before, local - after);
        let shows = |instant: i64, offset: i64| i64::from(self.offset_at(instant)) == offset;
        if !shows(early, before) && shows(late, after) { late } else { early }
    }
}

/// Days, and when they change.
impl Zone {
    /// The day at a moment, in days since 1970-01-01.
    pub(crate) fn day_of(&self, instant: i64) -> i64 {
        (instant + i64::from(self.offset_at(instant))).div_euclid(DAY)
    }

    /// The first moment of a day.
    pub(crate) fn start_of(&self, day: i64) -> i64 {
        self.instant_of(day * DAY)
    }

    /// The first moment after `instant` at which it is this day or a later one; at `instant` it is earlier.
    pub(crate) fn next_start_of(&self, day: i64, instant: i64) -> i64 {
        // Between the two midnights of a clock put back over the first.
        let start = self.start_of(day);
        if start > instant { start } else { day * DAY - i64::from(self.offset_at(instant)) }
    }

    /// The first moment after `instant` at which the day is different.
    pub fn next_day(&self, instant: i64) -> i64 {
        let end = || self.next_start_of(self.day_of(instant) + 1, instant);
        self.turned_back(instant).unwrap_or_else(end)
    }

    /// The moment at which the wall clock is put back to the day before, if that is in the first hours of the day.
    pub(crate) fn turned_back(&self, instant: i64) -> Option<i64> {
        // No clock was ever put back over midnight by more.
        const REACH: i64 = 3 * 3_600;
        let offset = self.offset_at(instant);
        let (mut before, mut after) = (instant, instant + REACH);
        if self.offset_at(after) >= offset {
            return None;
        }
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            if self.offset_at(middle) == offset { before = middle } else { after = middle }
        }
        (self.day_of(after) < self.day_of(instant)).then_some(after)
    }
}

/// The number of a zone, by binary search in the sorted lines of `name number`.
fn number_of(name: &str) -> Option<usize> {
    let (mut low, mut high) = (0, NAMES.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = NAMES.get(low..middle)?.rfind('\n').map_or(low, |before| low + before + 1);
        let line = NAMES.get(start..)?.lines().next()?;
        let (known, number) = line.split_once(' ')?;
        match known.cmp(name) {
            Ordering::Equal => return number.parse().ok(),
            Ordering::Less => low = start + line.len() + 1,
            Ordering::Greater => high = start,
        }
    }
    None
}

impl Rule {
    fn offset_at(&self, instant: i64) -> i32 {
        let (year, ..) = civil((instant + i64::from(self.standard)).div_euclid(86_400));
        let start = turn_second(year, self.start) - i64::from(self.standard);
        let end = turn_second(year, self.end) - i64::from(self.daylight);
        let summer =
            if start < end { (start..end).contains(&instant) } else { !(end..start).contains(&instant) };
        if summer { self.daylight } else { self.standard }
    }
}

/// The local second of a clock change in a year.
fn turn_second(year: i64, (month, week, weekday, second): Turn) -> i64 {
    let first = days(year, month, 1);
    // 1970-01-01 was a Thursday.
    let lead = (i64::from(weekday) - (first + 4)).rem_euclid(7);
    let mut day = first + lead + 7 * (i64::from(week) - 1);
    if day >= first + i64::from(days_in(year, month)) {
        day -= 7;
    }
    day * 86_400 + i64::from(second)
}

fn leb128<'a>(data: &mut impl Iterator<Item = &'a u8>) -> Option<i64> {
    let mut number = 0;
    for (index, byte) in data.by_ref().take(9).enumerate() {
        number |= i64::from(byte & 127) << (7 * index);
        if *byte < 128 {
            return Some(number);
        }
    }
    None
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
pub(crate) fn days(year: i64, month: u8, day: u8) -> i64 {
    // Years counted from March have the leap day at the end.
    let (month, year) =
        if month > 2 { (i64::from(month) - 3, year) } else { (i64::from(month) + 9, year - 1) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
pub(crate) fn civil(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + carry, month as u8, day as u8)
}

/// The days of a month.
pub(crate) fn days_in(year: i64, month: u8) -> u8 {
    match month {
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The names of all zones.
#[cfg(test)]
pub(crate) fn every_name() -> impl Iterator<Item = &'static str> {
    NAMES.lines().filter_map(|line| Some(line.split_once(' ')?.0))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    use super::every_name as names;

    #[test]
    fn every_name_is_found_and_no_other() {
        assert!(names().count() > 500);
        assert!(names().all(|name| Zone::find(name).is_some()));
        for name in ["", "a", "asia", "asia/shangha", "asia/shanghai ", "zzz", "asia/shanghai\n"] {
            assert_eq!(Zone::find(name), None, "{name:?}");
        }
    }

    #[test]
    fn shanghai_had_summer_time_from_1986_to_1991() {
        let shanghai = zone("Asia/Shanghai");
        assert_eq!(shanghai.offset_at(515_527_199), 28_800);
        assert_eq!(shanghai.offset_at(515_527_200), 32_400); // 1986-05-03T18:00Z
        assert_eq!(shanghai.offset_at(584_000_000), 32_400); // July 1988
        assert_eq!(shanghai.offset_at(1_777_000_000), 28_800);
    }

    #[test]
    fn names_are_found_in_any_letter_case_and_unknown_ones_are_named() {
        assert_eq!(zone("asia/shanghai"), zone("Asia/Shanghai"));
        assert_eq!(zone("UTC").offset_at(0), 0);
        let error = Zone::named("Asia/Beijing").unwrap_err();
        assert_eq!(error.code, "timezone.unknown");
        assert!(error.message.contains("Asia/Beijing"));
    }

    /// Every zone at four moments of each week, 1970 to 2060; every half hour would be too many.
    #[test]
    fn every_zone_agrees_with_jiff() {
        for name in names() {
            let (ours, theirs) = (zone(name), TimeZone::get(name).unwrap());
            for instant in (0..2_840_140_800).step_by(151_200 + 37) {
                let expected = theirs.to_offset(Timestamp::from_second(instant).unwrap()).seconds();
                assert_eq!(ours.offset_at(instant), expected, "{name} at {instant}");
            }
        }
    }

    #[test]
    fn every_turn_of_the_clock_is_exact() {
        for name in names() {
            let (ours, theirs) = (zone(name), TimeZone::get(name).unwrap());
            for transition in theirs
                .following(Timestamp::from_second(1).unwrap())
                .take_while(|t| t.timestamp().as_second() < 2_840_140_800)
            {
                let instant = transition.timestamp().as_second();
                for instant in [instant - 1, instant] {
                    let expected = theirs.to_offset(Timestamp::from_second(instant).unwrap()).seconds();
                    assert_eq!(ours.offset_at(instant), expected, "{name} at {instant}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn clock_times_agree_with_jiff(number in 0..names().count(), local in 100_000i64..2_500_000_000) {
            let name = names().nth(number).unwrap();
            let theirs = TimeZone::get(name).unwrap();
            let wall = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
                .checked_add(jiff::SignedDuration::from_secs(local)).unwrap();
            let expected = theirs.to_ambiguous_timestamp(wall).compatible().unwrap().as_second();
            prop_assert_eq!(zone(name).instant_of(local), expected, "{} {}", name, wall);
        }

        #[test]
        fn days_and_dates_are_each_others_inverse(number in -800_000i64..800_000) {
            let (year, month, day) = civil(number);
            prop_assert_eq!(days(year, month, day), number);
            prop_assert!((1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day));
        }
    }
}
