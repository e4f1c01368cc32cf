//! Decisions that expire, and the runs they begin.

use super::*;

fn holds_until(state: &mut SchedulerState, moment: Option<DateTime<Utc>>, now: DateTime<Utc>) {
    state.set_moment(&tenant("a"), &flow("f"), moment, now);
}

#[test]
fn a_flow_without_a_schedule_runs_when_a_decision_ceases_to_hold() {
    let mut state = state(&[planned("a", "")]);
    assert_eq!(schedule_state(&state, "a", at("12:00")).state, ScheduleStateKind::Idle);
    holds_until(&mut state, Some(at("13:30:05")), at("12:00"));
    let waits = schedule_state(&state, "a", at("12:00"));
    assert_eq!((waits.state, waits.next), (ScheduleStateKind::Waiting, Some(at("13:30:05"))));
    assert_eq!(state.next_moment(), Some(at("13:30:05")));
    assert_eq!(why(&mut state, at("13:30:04")), None);
    assert_eq!(why(&mut state, at("13:30:05")), Some(Trigger::Moment));
    end(&mut state, "a", RunOutcome::Done, at("13:31"));
    assert_eq!((why(&mut state, at("18:00")), state.next_moment()), (None, None), "one moment, one run");
}

#[test]
fn whichever_comes_first_begins_the_run_and_takes_up_the_other() {
    let mut state = state(&[planned("a", "0 * * * *")]);
    holds_until(&mut state, Some(at("12:30")), at("12:00"));
    assert_eq!(state.next_moment(), Some(at("12:30")));
    assert_eq!(why(&mut state, at("12:30")), Some(Trigger::Moment));
    end(&mut state, "a", RunOutcome::Done, at("12:31"));
    holds_until(&mut state, Some(at("13:00:01")), at("12:31"));
    assert_eq!(why(&mut state, at("13:00")), Some(Trigger::Tick));
    end(&mut state, "a", RunOutcome::Done, at("13:02"));
    assert_eq!(why(&mut state, at("13:02")), None, "the run says itself what comes next");
}

#[test]
fn a_moment_that_is_far_off_or_past_is_no_trouble() {
    let mut state = state(&[planned("a", "")]);
    holds_until(&mut state, Some(DateTime::<Utc>::MAX_UTC), at("12:00"));
    assert_eq!(why(&mut state, on("2099-01-01", "12:00")), None);
    // A process that was down, or a row that is due again as soon as it was decided.
    holds_until(&mut state, Some(DateTime::UNIX_EPOCH), on("2099-01-01", "12:00"));
    let mut runs = 0;
    for second in 0..60 {
        let now = on("2099-01-01", "12:00") + TimeDelta::seconds(second);
        if why(&mut state, now).is_some() {
            runs += 1;
            end(&mut state, "a", RunOutcome::Done, now);
            holds_until(&mut state, Some(now), now);
        }
    }
    assert_eq!(runs, 6);
}

#[test]
fn a_flow_that_is_stopped_is_not_woken_and_makes_up_for_it() {
    let mut state = state(&[planned("a", "")]);
    holds_until(&mut state, Some(at("12:10")), at("12:00"));
    pause(&mut state, "a", at("12:05"));
    assert_eq!((why(&mut state, at("12:20")), state.next_moment()), (None, None));
    state.resume(&tenant("a"), &flow("f"), at("12:30"));
    assert_eq!(why(&mut state, at("12:30")), Some(Trigger::Moment));
    end(&mut state, "a", blocked("as they are"), at("12:31"));
    holds_until(&mut state, Some(at("12:10")), at("12:31"));
    assert_eq!((why(&mut state, at("14:00")), state.next_moment()), (None, None));
}

#[test]
fn a_run_that_fails_goes_to_the_ladder_and_the_moment_with_it() {
    let mut state = state(&[planned("a", "")]);
    holds_until(&mut state, Some(at("12:10")), at("12:00"));
    assert_eq!(why(&mut state, at("12:10")), Some(Trigger::Moment));
    end(&mut state, "a", RunOutcome::Failed, at("12:11"));
    holds_until(&mut state, Some(at("12:10")), at("12:11"));
    assert_eq!(why(&mut state, at("12:11:30")), None);
    assert_eq!(why(&mut state, at("12:12")), Some(Trigger::Retry));
    end(&mut state, "a", RunOutcome::Done, at("12:13"));
    holds_until(&mut state, None, at("12:13"));
    assert_eq!((why(&mut state, at("18:00")), state.next_moment()), (None, None));
}

#[test]
fn a_clock_that_is_set_back_stops_no_moment() {
    let mut state = state(&[planned("a", "")]);
    holds_until(&mut state, Some(at("15:00")), at("14:59"));
    assert_eq!(why(&mut state, at("15:00")), Some(Trigger::Moment));
    end(&mut state, "a", RunOutcome::Done, at("15:00:01"));
    holds_until(&mut state, Some(at("13:00:05")), at("13:00"));
    assert_eq!(why(&mut state, at("13:00:04")), None);
    assert_eq!(why(&mut state, at("13:00:10")), Some(Trigger::Moment));
}
