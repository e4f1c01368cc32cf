//! The messages due to each channel, and how often.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{cause, noon};
use crate::alarm::book::{Book, Event};
use ruzhi_model::Digest;

/// An event in the life of the book.
#[derive(Debug, Clone)]
enum Step {
    Raise(usize),
    Over(usize),
    /// A channel takes the message that is due, or does not.
    Tell(usize, bool),
    Hours(i64),
    Restart,
}

const KEYS: [&str; 2] = ["a", "b"];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..2_usize).prop_map(Step::Raise),
        (0..2_usize).prop_map(Step::Over),
        (0..2_usize, any::<bool>()).prop_map(|(channel, takes)| Step::Tell(channel, takes)),
        (1..30_i64).prop_map(Step::Hours),
        Just(Step::Restart),
    ]
}

proptest! {
    #[test]
    fn no_channel_is_told_twice_of_what_stands_or_of_an_end_without_its_beginning(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let channels = [Digest::of("one"), Digest::of("two")];
        let mut now = noon();
        let mut book = Book::default();
        // A person's view: when a channel last said that the alarm stands; none once it said that it is over.
        let mut heard: BTreeMap<(usize, &str), chrono::DateTime<chrono::Utc>> = BTreeMap::new();
        for step in steps {
            now += TimeDelta::seconds(1);
            match step {
                Step::Raise(key) => drop(book.raise(cause(KEYS[key]), now)),
                Step::Over(key) => drop(book.over(KEYS[key], now)),
                Step::Hours(hours) => now += TimeDelta::hours(hours),
                // The state of each channel is lost; the time of the last message to any of them is not.
                Step::Restart => {
                    book = Book::new(book.rows().cloned().collect());
                    let told: Vec<&str> = book.rows().filter(|row| row.told_at.is_some()).map(|row| KEYS[usize::from(row.key == "b")]).collect();
                    heard.clear();
                    for key in told {
                        let row = book.rows().find(|row| row.key == key).unwrap().clone();
                        if let (Some(at), None) = (row.told_at, row.over_told_at) {
                            heard.insert((0, key), at);
                            heard.insert((1, key), at);
                        }
                    }
                }
                Step::Tell(channel, takes) => {
                    let rows: Vec<_> = book.rows().cloned().collect();
                    for row in rows {
                        let key = KEYS[usize::from(row.key == "b")];
                        let Some(event) = book.due(&channels[channel], &row, now) else { continue };
                        let before = heard.get(&(channel, key)).copied();
                        match event {
                            Event::Raised => prop_assert!(before.is_none() && row.over_at.is_none()),
                            Event::Reminder => {
                                prop_assert!(now - before.unwrap() >= TimeDelta::hours(24) && row.over_at.is_none());
                            }
                            Event::Over => prop_assert!(before.is_some() && row.over_at.is_some()),
                        }
                        if takes {
                            book.told(&channels[channel], key, event, now);
                            match event {
                                Event::Over => heard.remove(&(channel, key)),
                                _ => heard.insert((channel, key), now),
                            };
                            let row = book.rows().find(|row| row.key == key).unwrap().clone();
                            prop_assert_eq!(book.due(&channels[channel], &row, now), None);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn an_alarm_that_stands_is_told_once_reminded_of_after_a_day_and_told_to_be_over() {
    let channel = Digest::of("robot");
    let (mut book, mut now) = (Book::default(), noon());
    let due = |book: &Book, now| {
        let row = book.rows().next().unwrap().clone();
        book.due(&channel, &row, now)
    };
    assert!(book.raise(cause("a"), now).is_some());
    assert!(book.raise(cause("a"), now).is_none(), "seen once more: nothing else to remember");
    assert_eq!(due(&book, now), Some(Event::Raised));
    book.told(&channel, "a", Event::Raised, now);
    assert_eq!(due(&book, now + TimeDelta::hours(23)), None);
    now += TimeDelta::hours(24);
    assert_eq!(due(&book, now), Some(Event::Reminder));
    book.told(&channel, "a", Event::Reminder, now);
    assert!(book.over("a", now).is_some() && book.over("a", now).is_none());
    assert_eq!(due(&book, now), Some(Event::Over));
    // It comes back before its end was told, so for all channels it never ended.
    book.raise(cause("a"), now);
    assert_eq!(due(&book, now), None);
    book.over("a", now);
    book.told(&channel, "a", Event::Over, now);
    assert_eq!(due(&book, now + TimeDelta::days(9)), None);
    book.raise(cause("a"), now);
    assert_eq!(due(&book, now), Some(Event::Raised));
}

#[test]
fn an_alarm_that_is_over_before_it_was_told_is_never_told() {
    let mut book = Book::default();
    book.raise(cause("a"), noon());
    book.over("a", noon());
    let row = book.rows().next().unwrap().clone();
    assert_eq!(book.due(&Digest::of("robot"), &row, noon()), None);
    assert!(book.standing().is_empty());
}
