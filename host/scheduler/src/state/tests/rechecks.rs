//! Differences that a drift check left, and the checks that follow.

use super::*;

fn left(state: &mut SchedulerState, moment: Option<DateTime<Utc>>, now: DateTime<Utc>) {
    state.set_recheck(&tenant("a"), &flow("f"), moment, now);
}

#[test]
fn differences_that_are_left_are_checked_again_at_their_moment_and_then_no_more() {
    let mut state = state(&[planned("a", "")]);
    left(&mut state, Some(at("15:00")), at("12:00"));
    let waits = schedule_state(&state, "a", at("12:00"));
    assert_eq!((waits.state, waits.next), (ScheduleStateKind::Idle, None), "it is not the flow's work");
    assert_eq!(state.next_moment(), Some(at("15:00")));
    assert_eq!(why(&mut state, at("14:59")), None);
    assert_eq!(why(&mut state, at("15:00")), Some(Trigger::Recheck));
    end(&mut state, "a", RunOutcome::Done, at("15:01"));
    assert_eq!((why(&mut state, at("18:00")), state.next_moment()), (None, None));
    left(&mut state, Some(at("19:00")), at("18:00"));
    left(&mut state, None, at("18:30"));
    assert_eq!((why(&mut state, at("20:00")), state.next_moment()), (None, None), "they have been settled");
}

#[test]
fn a_check_that_fails_is_made_again_a_day_later_and_holds_up_no_work() {
    let mut state = state(&[planned("a", "30 * * * *")]);
    left(&mut state, Some(at("12:00")), at("12:00"));
    let mut checks = Vec::new();
    for minutes in 0..(3 * 24 * 60) {
        let now = at("12:00") + TimeDelta::minutes(minutes);
        let Some(trigger) = why(&mut state, now) else { continue };
        let is_check = trigger == Trigger::Recheck;
        end(&mut state, "a", if is_check { RunOutcome::Failed } else { RunOutcome::Done }, now);
        // The last check that succeeded is as old as before.
        left(&mut state, Some(at("12:00")), now);
        if is_check {
            checks.push(now);
        }
    }
    let day = |day| on(&format!("2026-06-0{day}"), "12:00");
    assert_eq!(checks, [day(1), day(2), day(3)]);
    assert_eq!(schedule_state(&state, "a", on("2026-06-04", "12:00")).failures, 0);
}

#[test]
fn a_callback_takes_up_the_check_and_a_paused_flow_makes_it_when_it_goes_on() {
    let mut state = state(&[planned("a", "")]);
    left(&mut state, Some(at("13:00")), at("12:00"));
    state.wake(&tenant("a"), &flow("f"), Wake::Callback, at("13:30"));
    assert_eq!(why(&mut state, at("13:30")), Some(Trigger::Callback));
    end(&mut state, "a", RunOutcome::Done, at("13:31"));
    assert_eq!(why(&mut state, at("13:31")), None);

    left(&mut state, Some(at("14:00")), at("13:31"));
    pause(&mut state, "a", at("13:45"));
    assert_eq!((why(&mut state, at("16:00")), state.next_moment()), (None, None));
    state.resume(&tenant("a"), &flow("f"), at("16:30"));
    assert_eq!(why(&mut state, at("16:30")), Some(Trigger::Recheck));
}
