//! The messages due to each channel, and how often.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{condition, noon};
use crate::alerts::state::{AlertEvent, AlertState};
use ruzhi_model::Digest;

/// An event in the life of the state.
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
        let mut state = AlertState::default();
        // A person's view: when a channel last said that the alert stands; none once it said that it is over.
        let mut heard: BTreeMap<(usize, &str), chrono::DateTime<chrono::Utc>> = BTreeMap::new();
        for step in steps {
            now += TimeDelta::seconds(1);
            match step {
                Step::Raise(key) => drop(state.raise(condition(KEYS[key]), now)),
                Step::Over(key) => drop(state.resolve(KEYS[key], now)),
                Step::Hours(hours) => now += TimeDelta::hours(hours),
                // The state of each channel is lost; the time of the last message to any of them is not.
                Step::Restart => {
                    state = AlertState::new(state.rows().cloned().collect());
                    let told: Vec<&str> = state.rows().filter(|row| row.notified_at.is_some()).map(|row| KEYS[usize::from(row.key == "b")]).collect();
                    heard.clear();
                    for key in told {
                        let row = state.rows().find(|row| row.key == key).unwrap().clone();
                        if let (Some(at), None) = (row.notified_at, row.resolution_notified_at) {
                            heard.insert((0, key), at);
                            heard.insert((1, key), at);
                        }
                    }
                }
                Step::Tell(channel, takes) => {
                    let rows: Vec<_> = state.rows().cloned().collect();
                    for row in rows {
                        let key = KEYS[usize::from(row.key == "b")];
                        let Some(event) = state.due(&channels[channel], &row, now) else { continue };
                        let before = heard.get(&(channel, key)).copied();
                        match event {
                            AlertEvent::Raised => prop_assert!(before.is_none() && row.resolved_at.is_none()),
                            AlertEvent::Reminder => {
                                prop_assert!(now - before.unwrap() >= TimeDelta::hours(24) && row.resolved_at.is_none());
                            }
                            AlertEvent::Resolved => prop_assert!(before.is_some() && row.resolved_at.is_some()),
                        }
                        if takes {
                            state.notified(&channels[channel], key, event, now);
                            match event {
                                AlertEvent::Resolved => heard.remove(&(channel, key)),
                                _ => heard.insert((channel, key), now),
                            };
                            let row = state.rows().find(|row| row.key == key).unwrap().clone();
                            prop_assert_eq!(state.due(&channels[channel], &row, now), None);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn an_alert_that_stands_is_told_once_reminded_of_after_a_day_and_told_to_be_over() {
    let channel = Digest::of("robot");
    let (mut state, mut now) = (AlertState::default(), noon());
    let due = |state: &AlertState, now| {
        let row = state.rows().next().unwrap().clone();
        state.due(&channel, &row, now)
    };
    assert!(state.raise(condition("a"), now).is_some());
    assert!(state.raise(condition("a"), now).is_none(), "seen once more: nothing else to remember");
    assert_eq!(due(&state, now), Some(AlertEvent::Raised));
    state.notified(&channel, "a", AlertEvent::Raised, now);
    assert_eq!(due(&state, now + TimeDelta::hours(23)), None);
    now += TimeDelta::hours(24);
    assert_eq!(due(&state, now), Some(AlertEvent::Reminder));
    state.notified(&channel, "a", AlertEvent::Reminder, now);
    assert!(state.resolve("a", now).is_some() && state.resolve("a", now).is_none());
    assert_eq!(due(&state, now), Some(AlertEvent::Resolved));
    // It comes back before its end was told, so for all channels it never ended.
    state.raise(condition("a"), now);
    assert_eq!(due(&state, now), None);
    state.resolve("a", now);
    state.notified(&channel, "a", AlertEvent::Resolved, now);
    assert_eq!(due(&state, now + TimeDelta::days(9)), None);
    state.raise(condition("a"), now);
    assert_eq!(due(&state, now), Some(AlertEvent::Raised));
}

#[test]
fn an_alert_that_is_over_before_it_was_told_is_never_told() {
    let mut state = AlertState::default();
    state.raise(condition("a"), noon());
    state.resolve("a", noon());
    let row = state.rows().next().unwrap().clone();
    assert_eq!(state.due(&Digest::of("robot"), &row, noon()), None);
    assert!(state.active().is_empty());
}
