//! The progress of a collect, by the clock of the form's service.
//!
//! An incremental collect asks for rows changed since the watermark, and the service compares that with its own
//! timestamps on the rows. So the watermark must be a moment of the service's clock, and one at which every row changed
//! before had surely been read. This machine's clock may be wrong by hours: no watermark is ever taken from it.
//!
//! Two things tell the service's time. The `Date` of the first page's answer, less the time the answer took, is a
//! moment before that page was read. And a row changed at `t` that is read some time after the first page was asked for
//! proves that the service's clock had passed `t` less that time when it was asked. The first is close but may come
//! from something in between (a proxy, a cache); the second is certain but may be old. So:
//!
//! - The `Date` is used, unless something contradicts it.
//! - Rows that were changed later than the `Date` contradict it. So does this machine's clock if the `Date` is ahead of
//!   it: one of the two is wrong, and if it is the `Date`, rows would be lost. One that is behind loses none.
//! - Then, and without a `Date`, the rows alone decide; without rows the watermark stays where it is.
//!
//! A time that is too early costs reading the last rows again, which are recognised by their content.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use ruzhi_jiandaoyun::FormRow;
use ruzhi_model::Sighting;

/// Largest difference between clocks that agree: machines of one service do, and dates are cut to the second.
pub(super) const AGREE: TimeDelta = TimeDelta::minutes(1);

/// The field with the moment of a row's last change.
pub(super) const UPDATED: &str = "updateTime";

/// The service's time, as far as a collect has learned it.
#[derive(Debug, Clone)]
pub(super) struct ServiceTime {
    /// The time of the first page's request: by a monotonic clock, and by this machine's.
    asked: Instant,
    here: DateTime<Utc>,
    /// The service's `Date` at that moment, or a little earlier.
    date: Option<DateTime<Utc>>,
    /// The service's clock had passed this moment then, as rows prove.
    rows: Option<DateTime<Utc>>,
}

impl ServiceTime {
    /// The first page is about to be asked for.
    pub(super) fn begin(here: DateTime<Utc>) -> Self {
        Self { asked: Instant::now(), here, date: None, rows: None }
    }

    /// The time of the first page's request, by a monotonic clock.
    pub(super) fn asked(&self) -> Instant {
        self.asked
    }

    /// Takes in the sighting from an answer received since.
    pub(super) fn saw(&mut self, sighting: Option<Sighting>) {
        self.date = self.date.or_else(|| sighting.map(|sighting| sighting.at(self.here)));
    }

    /// Takes in a page that has just been read.
    pub(super) fn read(&mut self, page: &[FormRow]) {
        let since = TimeDelta::from_std(self.asked.elapsed()).unwrap_or(TimeDelta::MAX);
        let newest = page.iter().filter_map(updated_at).filter_map(|at| at.checked_sub_signed(since));
        self.prove(newest);
    }

    fn prove(&mut self, moments: impl Iterator<Item = DateTime<Utc>>) {
        // A row of the future is an error of the service or of an import.
        let latest = self.date.map_or(self.here, |date| date.max(self.here)) + AGREE;
        self.rows = moments.filter(|at| *at <= latest).chain(self.rows).max();
    }

    /// True if a watermark is ahead of the service's own clock: it was never right.
    pub(super) fn contradicts(&self, watermark: DateTime<Utc>) -> bool {
        self.date.is_some_and(|date| watermark > date + AGREE)
    }

    /// The moment before which every change has surely been read; none if nothing tells it.
    pub(super) fn reached(&self) -> Option<DateTime<Utc>> {
        let date = self.date.filter(|date| *date <= self.here + AGREE);
        let date = date.filter(|date| self.rows.is_none_or(|rows| rows <= *date + AGREE));
        date.or(self.rows)
    }
}

/// The time of a row's last change, by the service's clock.
pub(super) fn updated_at(row: &FormRow) -> Option<DateTime<Utc>> {
    let at = row.fields.get(UPDATED).and_then(Value::as_str)?;
    Some(DateTime::parse_from_rfc3339(at).ok()?.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngSeed, TestRunner};

    use super::super::collect::CollectSummary;
    use super::*;

    const NOON: &str = "2026-05-01T12:00:00Z";

    fn noon() -> DateTime<Utc> {
        NOON.parse().unwrap()
    }

    fn minutes(minutes: i64) -> TimeDelta {
        TimeDelta::minutes(minutes)
    }

    /// It is noon by this machine; the `Date` and the newest row are the given minutes after that.
    fn time(date: Option<i64>, row: Option<i64>) -> ServiceTime {
        let mut time = ServiceTime::begin(noon());
        time.date = date.map(|after| noon() + minutes(after));
        time.prove(row.map(|after| noon() + minutes(after)).into_iter());
        time
    }

    fn reached(date: Option<i64>, row: Option<i64>) -> Option<i64> {
        Some((time(date, row).reached()? - noon()).num_minutes())
    }

    #[test]
    fn the_services_date_says_how_far_a_collect_has_come() {
        assert_eq!(reached(Some(0), None), Some(0));
        assert_eq!(reached(Some(-30), None), Some(-30), "this machine is ahead");
        assert_eq!(reached(Some(-30), Some(-31)), Some(-30));
        assert_eq!(
            reached(Some(1), Some(-60)),
            Some(1),
            "clocks that agree are never the same to the second"
        );
    }

    #[test]
    fn where_the_date_is_ahead_of_this_machine_the_rows_say_it() {
        assert_eq!(reached(Some(30), Some(29)), Some(29), "this machine is behind");
        assert_eq!(reached(Some(30), Some(-5)), Some(-5), "or the date is wrong");
        assert_eq!(reached(Some(60 * 24 * 365 * 70), Some(-5)), Some(-5));
        assert_eq!(reached(Some(30), None), None);
    }

    #[test]
    fn a_date_that_rows_contradict_is_none() {
        assert_eq!(reached(Some(-60 * 24 * 365 * 50), Some(-5)), Some(-5));
        assert_eq!(reached(Some(-30), Some(-5)), Some(-5));
        assert_eq!(reached(Some(-1), Some(0)), Some(-1), "a minute is the spread of one service");
    }

    #[test]
    fn without_a_date_the_rows_say_it_and_without_both_nothing_does() {
        assert_eq!(reached(None, Some(-5)), Some(-5));
        assert_eq!(reached(None, None), None);
    }

    #[test]
    fn a_row_of_the_future_proves_nothing() {
        assert_eq!(reached(None, Some(60 * 24 * 365)), None);
        assert_eq!(reached(Some(-30), Some(60 * 24)), Some(-30));
        let mut time = time(Some(0), Some(60 * 24));
        time.prove([noon() - minutes(5)].into_iter());
        assert_eq!(time.rows, Some(noon() - minutes(5)), "it hides no other");
    }

    #[test]
    fn a_watermark_ahead_of_the_service_is_contradicted() {
        assert!(time(Some(-30), None).contradicts(noon()));
        assert!(!time(Some(-1), None).contradicts(noon()));
        assert!(!time(None, None).contradicts(noon() + minutes(600)), "nothing says so");
    }

    /// The events at a form between two collects, in minutes.
    #[derive(Debug, Clone)]
    struct Collect {
        /// Times of row changes after the last collect, one after the other.
        changes: Vec<i64>,
        /// The delay until the form is read.
        after: i64,
        /// This machine's clock is ahead of the service's by this much.
        ahead: i64,
        /// A proxy puts its own `Date`, ahead of the service's by this much, or removes it.
        date: Option<i64>,
        /// The whole form is read.
        complete: bool,
    }

    fn any_collect() -> impl Strategy<Value = Collect> {
        let wrong = || prop_oneof![2 => Just(0_i64), 1 => -600..600_i64];
        // Either this machine's clock or the `Date` is right.
        let clocks = prop_oneof![
            3 => wrong().prop_map(|ahead| (ahead, Some(0))),
            1 => wrong().prop_map(|ahead| (ahead, None)),
            1 => wrong().prop_map(|date| (0, Some(date))),
        ];
        (prop::collection::vec(0..40_i64, 0..3), 1..60_i64, clocks, prop::bool::weighted(0.1)).prop_map(
            |(changes, after, (ahead, date), complete)| Collect { changes, after, ahead, date, complete },
        )
    }

    /// However the clocks differ, no change of a row is passed over.
    #[test]
    fn no_change_is_passed_over() {
        let config = Config {
            cases: 2_000,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(0x636c_6f63_6b00),
            ..Config::default()
        };
        let passed_over = |collects: Vec<Collect>| {
            let (mut service, mut watermark) = (noon(), None::<DateTime<Utc>>);
            // The time of each row's change, and whether it was read since.
            let mut rows: Vec<(DateTime<Utc>, bool)> = Vec::new();
            for Collect { changes, after, ahead, date, complete } in collects {
                for change in changes {
                    service += minutes(change);
                    rows.push((service, false));
                }
                service += minutes(after);
                let mut time = ServiceTime::begin(service + minutes(ahead));
                time.date = date.map(|date| service + minutes(date));
                let before = watermark.filter(|watermark| !time.contradicts(*watermark));
                let since = before.filter(|_| !complete).map(|before| before - minutes(2));
                let mut read = Vec::new();
                for (changed, was_read) in &mut rows {
                    if since.is_none_or(|since| *changed >= since) {
                        *was_read = true;
                        read.push(*changed);
                    }
                }
                prop_assert!(rows.iter().all(|(_, was_read)| *was_read), "{rows:?} since {since:?}");
                time.prove(read.into_iter());
                let complete = since.is_none();
                let reached = CollectSummary { complete, time, before, nothing_yet: None }.reached();
                watermark = Some(reached).filter(|reached| *reached != DateTime::UNIX_EPOCH);
            }
            Ok(())
        };
        TestRunner::new(config).run(&prop::collection::vec(any_collect(), 1..12), passed_over).unwrap();
    }

    #[test]
    fn a_row_is_read_some_time_after_the_first_page_was_asked_for() {
        let mut time = ServiceTime::begin(noon());
        time.asked = Instant::now().checked_sub(std::time::Duration::from_secs(600)).unwrap();
        let row = |at: &str| FormRow {
            id: "6a0000000000000000000001".parse().unwrap(),
            fields: [(UPDATED.to_owned(), Value::from(at))].into_iter().collect(),
        };
        time.read(&[row("2026-05-01T12:05:00.000Z"), row("soon")]);
        let proven = time.rows.unwrap();
        assert!(proven <= noon() - minutes(5) && proven > noon() - minutes(6), "{proven}");
    }
}
