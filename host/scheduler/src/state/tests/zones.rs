//! Clocks that are put forward and back.

use super::*;

/// The moments of a schedule in a zone, in UTC, from one moment to another.
fn moments(schedule: &str, zone: Tz, from: &str, until: &str) -> Vec<String> {
    let flow = ScheduledFlow { schedule: Schedule::parse(schedule, zone).ok(), ..planned("a", "") };
    let (from, until): (DateTime<Utc>, DateTime<Utc>) = (from.parse().unwrap(), until.parse().unwrap());
    let mut state = SchedulerState::default();
    state.set_flows(vec![flow], from);
    let mut found = Vec::new();
    while let Some(next) = state.next_moment().filter(|next| *next < until) {
        assert_eq!(why(&mut state, next), Some(Trigger::Tick));
        end(&mut state, "a", RunOutcome::Done, next + TimeDelta::seconds(5));
        found.push(next.format("%d %H:%M").to_string());
    }
    found
}

#[test]
fn an_hour_that_the_clock_skips_is_taken_up_right_after() {
    // Berlin, 29 March 2026: 02:00 becomes 03:00, at 01:00 UTC.
    let found = moments("30 2 * * *", Tz::Europe__Berlin, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z");
    assert_eq!(found, ["28 01:30", "29 01:00", "30 00:30"]);
    // New York, 8 March 2026: 02:00 becomes 03:00, at 07:00 UTC.
    let found = moments("30 2 * * *", Tz::America__New_York, "2026-03-07T00:00:00Z", "2026-03-10T00:00:00Z");
    assert_eq!(found, ["07 07:30", "08 07:00", "09 06:30"]);
}

#[test]
fn an_hour_that_the_clock_repeats_is_taken_up_once() {
    // Berlin, 25 October 2026: 03:00 becomes 02:00, at 01:00 UTC.
    let found = moments("30 2 * * *", Tz::Europe__Berlin, "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z");
    assert_eq!(found, ["24 00:30", "25 00:30", "26 01:30"]);
    // New York, 1 November 2026: 02:00 becomes 01:00, at 06:00 UTC.
    let found = moments("30 1 * * *", Tz::America__New_York, "2026-10-31T00:00:00Z", "2026-11-03T00:00:00Z");
    assert_eq!(found, ["31 05:30", "01 05:30", "02 06:30"]);
}

#[test]
fn every_so_many_minutes_is_every_so_many_minutes_whatever_the_clock_says() {
    for (zone, from, until) in [
        (Tz::Europe__Berlin, "2026-03-29T00:01:00Z", "2026-03-29T02:01:00Z"),
        (Tz::Europe__Berlin, "2026-10-25T00:01:00Z", "2026-10-25T02:01:00Z"),
        (Tz::America__New_York, "2026-03-08T06:01:00Z", "2026-03-08T08:01:00Z"),
        (Tz::America__New_York, "2026-11-01T05:01:00Z", "2026-11-01T07:01:00Z"),
    ] {
        let minutes: Vec<String> = moments("*/15 * * * *", zone, from, until);
        let minutes: Vec<&str> = minutes.iter().map(|moment| moment.rsplit(':').next().unwrap()).collect();
        assert_eq!(minutes, ["15", "30", "45", "00", "15", "30", "45", "00"], "{zone} {from}");
    }
}

#[test]
fn a_tick_that_a_zone_begins_in_is_the_tenants_own() {
    let found = moments("0 8 * * 1-5", Tz::Asia__Shanghai, "2026-06-05T00:00:00Z", "2026-06-09T00:00:00Z");
    assert_eq!(found, ["08 00:00"]);
}
