//! A decision holds exactly until the moment it names.

use proptest::prelude::*;

use super::*;

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

fn clock(now: i64, zone: &str) -> Clock {
    Clock::new(&Context { now: date::utc(now).unwrap(), timezone: zone.to_owned() }).unwrap()
}

fn moment(text: &str) -> i64 {
    date::parse(text, &Zone::named("UTC").unwrap()).unwrap().timestamp_ms()
}

/// A question to the clock about a moment.
type Question = fn(&Clock, Moment) -> bool;

const EXACT: [(&str, Question); 8] = [
    ("moment < now", |clock, moment| moment < clock.now()),
    ("moment <= now", |clock, moment| moment <= clock.now()),
    ("moment > now", |clock, moment| moment > clock.now()),
    ("now > moment", |clock, moment| clock.now() > moment),
    ("moment < today", |clock, moment| moment < clock.today()),
    ("moment >= today", |clock, moment| moment >= clock.today()),
    ("moment > today", |clock, moment| moment > clock.today()),
    ("today < moment", |clock, moment| clock.today() < moment),
];

const BOUNDED: [(&str, Question); 4] = [
    ("moment == now", |clock, moment| moment == clock.now()),
    ("now.cmp", |clock, moment| clock.now().partial_cmp(&moment) == Some(Ordering::Less)),
    ("today == moment", |clock, moment| clock.today() == moment),
    ("the day", |clock, moment| clock.now().date() < moment.date()),
];

fn asked(question: Question, now: i64, then: i64, zone: &str) -> (bool, Option<i64>) {
    let clock = clock(now, zone);
    let answer = question(&clock, Moment::at(then, clock.zone()));
    (answer, clock.take().map(|until| moment(&until)))
}

#[test]
fn a_comparison_narrows_to_the_moment_at_which_it_comes_out_otherwise() {
    let (now, then) = (moment("2026-05-01T08:00:00Z"), moment("2026-05-03T01:30:00Z"));
    let midnight = moment("2026-05-03T16:00:00Z");
    let begun = moment("2026-05-02T16:00:00Z");
    for (name, question) in EXACT {
        let (answer, until) = asked(question, now, then, "Asia/Shanghai");
        let due = match name {
            "moment > now" | "now > moment" | "moment <= now" => then,
            "moment < now" => then + 1,
            _ => midnight,
        };
        // `now > moment` is `moment < now`, and `today < moment` is `moment > today`.
        let due = if name == "now > moment" { then + 1 } else { due };
        assert_eq!(until, Some(due), "{name}");
        assert_ne!(asked(question, due, then, "Asia/Shanghai").0, answer, "{name}");
        assert_eq!(asked(question, due - 1, then, "Asia/Shanghai").0, answer, "{name}");
        // A past event holds for ever.
        assert_eq!(asked(question, due, then, "Asia/Shanghai").1, None, "{name}");
    }
    // A date is the first moment of its day.
    assert_eq!(asked(EXACT[6].1, now, begun, "Asia/Shanghai"), (true, Some(begun)));
    assert_eq!(asked(EXACT[4].1, now, begun, "Asia/Shanghai"), (false, Some(midnight)));
}

#[test]
fn who_reads_the_clock_is_asked_again_tomorrow_and_who_does_not_never() {
    let now = moment("2026-05-01T08:00:00.5Z");
    for (zone, midnight) in
        [("Asia/Shanghai", "2026-05-01T16:00:00Z"), ("America/New_York", "2026-05-02T04:00:00Z")]
    {
        let reads: [fn(&Clock); 5] = [
            |clock| drop(clock.now().iso8601()),
            |clock| assert!(clock.now().timestamp() > 0),
            |clock| drop(clock.now().date()),
            |clock| drop(clock.today().date()),
            |clock| drop(clock.now().start_of_day(clock.zone()).date()),
        ];
        for read in &reads[..4] {
            let clock = clock(now, zone);
            read(&clock);
            assert_eq!(clock.take().as_deref().map(moment), Some(moment(midnight)));
            assert_eq!(clock.take(), None, "it is taken once");
        }
        let clock = clock(now, zone);
        assert_eq!((clock.zone().offset_at(0) == 0, clock.take()), (false, None));
        reads[4](&clock);
        assert_eq!(clock.take().as_deref().map(moment), Some(moment(midnight)));
    }
}

#[test]
fn the_soonest_of_several_counts() {
    let clock = clock(moment("2026-05-01T08:00:00Z"), "Asia/Shanghai");
    let at = |text| Moment::at(moment(text), clock.zone());
    assert!(at("2026-07-01T00:00:00Z") > clock.now());
    assert!(at("2026-06-01T00:00:00Z") > clock.now());
    assert!(at("2026-08-01T00:00:00Z") > clock.now());
    assert_eq!(
        clock.clone().take().as_deref(),
        Some("2026-06-01T00:00:00.000Z"),
        "a copy asks the same clock"
    );
}

#[test]
fn a_moment_after_the_year_9999_never_comes() {
    let now = moment("2026-05-01T08:00:00Z");
    let last = moment("2026-01-01") + 7973 * 366 * DAY;
    for (name, question) in EXACT {
        assert_eq!(asked(question, now, last, "Asia/Shanghai").1, None, "{name}");
    }
}

/// Newfoundland put its clocks back at a minute past midnight until 2011: that minute's day came twice.
#[test]
fn a_day_that_comes_twice_is_two_days() {
    let zone = "America/St_Johns";
    let midnight = moment("2010-11-07T02:30:00Z");
    let turned = midnight + 60 * SECOND;
    let again = midnight + HOUR;
    let days = |now| {
        let clock = clock(now, zone);
        (clock.now().date(), moment(&clock.take().unwrap()))
    };
    assert_eq!(days(midnight - 1), ("2010-11-06".to_owned(), midnight));
    assert_eq!(days(midnight), ("2010-11-07".to_owned(), turned));
    assert_eq!(days(turned), ("2010-11-06".to_owned(), again));
    assert_eq!(days(again), ("2010-11-07".to_owned(), again + DAY));
}

/// Samoa left out 30 December 2011.
#[test]
fn a_day_that_is_left_out_is_none() {
    let now = moment("2011-12-30T09:00:00Z");
    let clock = clock(now, "Pacific/Apia");
    assert_eq!(clock.now().date(), "2011-12-29");
    assert_eq!(clock.take().as_deref(), Some("2011-12-30T10:00:00.000Z"));
}

fn some_zone() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("Asia/Shanghai"),
        Just("America/New_York"),
        Just("America/St_Johns"),
        Just("America/Sao_Paulo"),
        Just("Australia/Lord_Howe"),
        Just("Pacific/Apia"),
        Just("Africa/Casablanca"),
        Just("Atlantic/Azores"),
        Just("UTC"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn nothing_changes_before_the_moment(zone in some_zone(), now in 0i64..2_200_000_000, near in -3i64..3,
                                         within in 0..DAY, later in prop::collection::vec(0.0f64..1.0, 8)) {
        let now = now * SECOND + within % SECOND;
        for then in [now + near * DAY + within, now + near, now + near * 400 * DAY] {
            for (name, question) in EXACT.iter().chain(&BOUNDED) {
                let (answer, until) = asked(*question, now, then, zone);
                prop_assert!(until.is_none_or(|until| until > now), "{} until {:?}", name, until);
                let end = until.unwrap_or(now + 900 * DAY);
                for part in &later {
                    let moment = now + ((end - 1 - now) as f64 * part) as i64;
                    prop_assert_eq!(asked(*question, moment, then, zone).0, answer, "{} at {}", name, moment);
                }
                prop_assert_eq!(asked(*question, end - 1, then, zone).0, answer, "{}", name);
            }
        }
    }

    /// Errors would show within half an hour of every clock change and every midnight.
    #[test]
    fn the_next_day_is_the_first_moment_of_another_day(zone in some_zone(), now in 0i64..2_200_000_000) {
        let zone = Zone::named(zone).unwrap();
        let next = zone.next_day(now);
        prop_assert!(next > now);
        prop_assert_ne!(zone.day_of(next), zone.day_of(now));
        prop_assert_eq!(zone.day_of(next - 1), zone.day_of(now));
        for minute in (now..next).step_by(61) {
            prop_assert_eq!(zone.day_of(minute), zone.day_of(now));
        }
    }
}

/// Every zone of the world, on both sides of each of its clock changes.
#[test]
fn no_turn_of_a_clock_is_missed() {
    let names = crate::zone::every_name();
    let mut turns = 0;
    for name in names {
        let zone = Zone::named(name).unwrap();
        let mut before = zone.offset_at(0);
        for hour in (0..2_150_000_000).step_by(3_600 * 6) {
            let after = zone.offset_at(hour);
            if after == before {
                continue;
            }
            turns += 1;
            before = after;
            for now in ((hour - 10 * 3_600)..(hour + 4 * 3_600)).step_by(4_999) {
                let next = zone.next_day(now);
                assert!(next > now && zone.day_of(next) != zone.day_of(now), "{name} at {now}");
                for minute in (now..next).step_by(2_400).chain([next - 1]) {
                    assert_eq!(zone.day_of(minute), zone.day_of(now), "{name} at {now}: {minute}");
                }
            }
        }
    }
    assert!(turns > 10_000, "{turns}");
}
