//! Failures, pauses, blocks, and the actions a person may take on them.

use super::*;

/// The minutes from the end of each failed run to the next one.
fn waits(state: &mut SchedulerState, mut now: DateTime<Utc>, count: usize) -> Vec<i64> {
    let mut waits = Vec::new();
    for _ in 0..count {
        end(state, "a", RunOutcome::Failed, now);
        let next = state.next_moment().unwrap();
        assert_eq!(why(state, next - TimeDelta::seconds(1)), None);
        assert_eq!(why(state, next), Some(Trigger::Retry));
        waits.push((next - now).num_minutes());
        now = next + TimeDelta::seconds(10);
    }
    waits
}

#[test]
fn failing_work_is_tried_again_on_a_ladder_until_it_succeeds() {
    // Retries take the place of ticks, whether these are more frequent or less.
    for (schedule, next) in [("*/5 * * * *", at("15:00")), ("5 12 * * *", on("2026-06-02", "12:05"))] {
        let mut state = state(&[planned("a", schedule)]);
        assert_eq!(why(&mut state, at("12:05")), Some(Trigger::Tick));
        assert_eq!(waits(&mut state, at("12:06"), 7), [1, 5, 15, 30, 60, 60, 60], "{schedule}");
        assert_eq!(schedule_state(&state, "a", at("14:59")).failures, 7);
        end(&mut state, "a", RunOutcome::Done, at("14:59"));
        assert_eq!(schedule_state(&state, "a", at("14:59")).failures, 0);
        assert_eq!(why(&mut state, at("14:59")), None, "the retry took up every tick before it");
        assert_eq!(state.next_moment(), Some(next));
    }
}

#[test]
fn the_ladder_goes_on_after_a_restart() {
    let flows = [planned("a", "*/5 * * * *")];
    let mut before = state(&flows);
    assert_eq!(why(&mut before, at("12:05")), Some(Trigger::Tick));
    assert_eq!(waits(&mut before, at("12:06"), 2), [1, 5]);
    end(&mut before, "a", RunOutcome::Failed, at("12:20"));
    let mut again = restarted(before, &flows, at("12:22"));
    assert_eq!(schedule_state(&again, "a", at("12:22")).state, ScheduleStateKind::Retrying);
    assert_eq!(schedule_state(&again, "a", at("12:22")).next, Some(at("12:35")));
    assert_eq!(why(&mut again, at("12:34")), None);
    assert_eq!(why(&mut again, at("12:35")), Some(Trigger::Retry));
}

#[test]
fn a_push_while_it_fails_waits_for_the_retry_that_takes_it_up() {
    let mut state = state(&[planned("a", "")]);
    state.wake(&tenant("a"), &flow("f"), Wake::Push, at("12:01"));
    assert_eq!(why(&mut state, at("12:01")), Some(Trigger::Push));
    assert_eq!(waits(&mut state, at("12:02"), 1), [1]);
    end(&mut state, "a", RunOutcome::Failed, at("12:04"));
    state.wake(&tenant("a"), &flow("f"), Wake::Push, at("12:05"));
    assert_eq!(why(&mut state, at("12:05")), None);
    assert_eq!(why(&mut state, at("12:09")), Some(Trigger::Retry));
    end(&mut state, "a", RunOutcome::Done, at("12:10"));
    assert_eq!(why(&mut state, at("12:10")), None);
    assert_eq!(state.next_moment(), None);
}

#[test]
fn a_held_plan_is_no_failure() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut state, at("12:05")), Some(Trigger::Tick));
    end(&mut state, "a", RunOutcome::Failed, at("12:06"));
    assert_eq!(why(&mut state, at("12:07")), Some(Trigger::Retry));
    end(&mut state, "a", RunOutcome::Held, at("12:08"));
    assert_eq!(schedule_state(&state, "a", at("12:08")).state, ScheduleStateKind::Waiting);
    assert_eq!(state.next_moment(), Some(at("12:10")));
}

#[test]
fn a_paused_flow_runs_for_a_person_alone_and_catches_up_when_it_is_resumed() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    pause(&mut state, "a", at("12:01"));
    state.wake(&tenant("a"), &flow("f"), Wake::Push, at("12:02"));
    state.wake(&tenant("a"), &flow("f"), Wake::Callback, at("12:02"));
    assert_eq!(why(&mut state, at("13:00")), None);
    assert_eq!(state.next_moment(), None);
    let paused = schedule_state(&state, "a", at("13:00"));
    assert_eq!((paused.state, paused.next, paused.late), (ScheduleStateKind::Paused, None, false));
    state.ask(&tenant("a"), &flow("f"), 1, RequestKind::Other, at("13:01"));
    assert_eq!(why(&mut state, at("13:01")), Some(Trigger::Person(1)));
    end(&mut state, "a", RunOutcome::Done, at("13:02"));
    assert_eq!(why(&mut state, at("13:02")), None);
    state.resume(&tenant("a"), &flow("f"), at("13:03"));
    assert!(!schedule_state(&state, "a", at("13:03")).late, "it was not to run");
    assert_eq!(why(&mut state, at("13:03")), Some(Trigger::Tick));
    end(&mut state, "a", RunOutcome::Done, at("13:04"));
    assert_eq!(why(&mut state, at("13:04")), Some(Trigger::Callback));
    end(&mut state, "a", RunOutcome::Done, at("13:04"));
    assert_eq!(why(&mut state, at("13:04")), None);
}

#[test]
fn a_pause_outlives_the_process_and_ends_no_run() {
    let flows = [planned("a", "*/5 * * * *")];
    let mut before = state(&flows);
    assert_eq!(why(&mut before, at("12:05")), Some(Trigger::Tick));
    pause(&mut before, "a", at("12:05"));
    assert_eq!(schedule_state(&before, "a", at("12:05")).state, ScheduleStateKind::Running);
    end(&mut before, "a", RunOutcome::Done, at("12:06"));
    let mut again = restarted(before, &flows, at("14:00"));
    assert_eq!(why(&mut again, at("14:00")), None);
    assert_eq!(schedule_state(&again, "a", at("14:00")).paused.unwrap().who, "李雷");
}

/// A flow rejected by a service at 12:06.
fn refused() -> SchedulerState {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut state, at("12:05")), Some(Trigger::Tick));
    end(&mut state, "a", blocked("as they are"), at("12:06"));
    state.wake(&tenant("a"), &flow("f"), Wake::Push, at("12:07"));
    assert_eq!(why(&mut state, on("2026-06-09", "12:00")), None);
    state
}

#[test]
fn a_refused_flow_is_not_tried_until_its_settings_change() {
    let flows = [planned("a", "*/5 * * * *")];
    let mut state = refused();
    let day = |time: &str| on("2026-06-09", time);
    let stands = schedule_state(&state, "a", day("12:00"));
    assert_eq!((stands.state, stands.failures), (ScheduleStateKind::Blocked, 1));
    assert_eq!(stands.blocked.unwrap().code, "wecom.60020");
    state.set_flows(flows.to_vec(), day("12:01"));
    assert_eq!(why(&mut state, day("12:01")), None);
    let mut again = restarted(state, &flows, day("12:02"));
    assert_eq!(why(&mut again, day("12:02")), None);
    let others = vec![ScheduledFlow { settings: "others".to_owned(), ..planned("a", "*/5 * * * *") }];
    again.set_flows(others, day("12:03"));
    assert_eq!(schedule_state(&again, "a", day("12:03")).failures, 0);
    assert_eq!(why(&mut again, day("12:03")), Some(Trigger::Retry));
    end(&mut again, "a", RunOutcome::Done, day("12:04"));
    assert_eq!(why(&mut again, day("12:04")), None);
}

#[test]
fn a_refused_flow_that_a_person_resumes_is_tried_at_once() {
    let mut state = refused();
    assert!(state.resume(&tenant("a"), &flow("f"), on("2026-06-09", "12:01")));
    assert_eq!(why(&mut state, on("2026-06-09", "12:01")), Some(Trigger::Retry));
    end(&mut state, "a", blocked("as they are"), on("2026-06-09", "12:02"));
    assert_eq!(why(&mut state, on("2026-06-10", "12:00")), None);
}

#[test]
fn a_person_s_sync_that_succeeds_lifts_a_block_and_nothing_else_of_theirs_does() {
    let mut state = refused();
    let day = |time: &str| on("2026-06-09", time);
    for (ticket, ask, outcome) in
        [(1, RequestKind::Other, RunOutcome::Done), (2, RequestKind::Sync, RunOutcome::Failed)]
    {
        state.ask(&tenant("a"), &flow("f"), ticket, ask, day("12:01"));
        assert_eq!(schedule_state(&state, "a", day("12:01")).state, ScheduleStateKind::Queued);
        assert_eq!(why(&mut state, day("12:01")), Some(Trigger::Person(ticket)));
        end(&mut state, "a", outcome, day("12:02"));
        assert_eq!(why(&mut state, day("12:02")), None);
        assert_eq!(schedule_state(&state, "a", day("12:02")).state, ScheduleStateKind::Blocked);
    }
    state.ask(&tenant("a"), &flow("f"), 3, RequestKind::Sync, day("12:03"));
    assert_eq!(why(&mut state, day("12:03")), Some(Trigger::Person(3)));
    end(&mut state, "a", RunOutcome::Done, day("12:04"));
    assert_eq!(schedule_state(&state, "a", day("12:04")).state, ScheduleStateKind::Waiting);
    assert_eq!(state.next_moment(), Some(day("12:05")));
}

#[test]
fn settings_that_change_during_the_run_that_is_refused_are_tried() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut state, at("12:05")), Some(Trigger::Tick));
    let others = vec![ScheduledFlow { settings: "others".to_owned(), ..planned("a", "*/5 * * * *") }];
    state.set_flows(others, at("12:06"));
    end(&mut state, "a", blocked("as they are"), at("12:07"));
    assert_eq!(why(&mut state, at("12:07")), Some(Trigger::Retry));
}

#[test]
fn a_person_is_next_in_the_flow_and_one_request_is_one_run() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut state, at("12:05")), Some(Trigger::Tick));
    for (ticket, ask) in [(1, RequestKind::Other), (2, RequestKind::Sync)] {
        assert!(state.ask(&tenant("a"), &flow("f"), ticket, ask, at("12:06")));
    }
    end(&mut state, "a", RunOutcome::Failed, at("12:10"));
    assert_eq!(why(&mut state, at("12:10")), Some(Trigger::Person(1)));
    end(&mut state, "a", RunOutcome::Done, at("12:10"));
    assert_eq!(schedule_state(&state, "a", at("12:10")).failures, 1, "no work was done");
    assert_eq!(why(&mut state, at("12:10")), Some(Trigger::Person(2)));
    end(&mut state, "a", RunOutcome::Done, at("12:11"));
    assert_eq!(schedule_state(&state, "a", at("12:11")).failures, 0);
    assert_eq!(why(&mut state, at("12:11")), None);
    assert_eq!(state.next_moment(), Some(at("12:15")));
    assert!(!state.ask(&tenant("b"), &flow("f"), 3, RequestKind::Sync, at("12:11")));
}

#[test]
fn what_a_person_s_failed_sync_took_up_is_due_again() {
    let mut state = state(&[planned("a", "0 13 * * *")]);
    state.ask(&tenant("a"), &flow("f"), 1, RequestKind::Sync, at("13:00"));
    assert_eq!(why(&mut state, at("13:00")), Some(Trigger::Person(1)));
    end(&mut state, "a", RunOutcome::Failed, at("13:01"));
    assert_eq!(schedule_state(&state, "a", at("13:01")).failures, 0);
    assert_eq!(why(&mut state, at("13:01")), Some(Trigger::Tick));
}

#[test]
fn a_run_has_its_id_while_it_runs() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut state, at("12:05")), Some(Trigger::Tick));
    state.began(&tenant("a"), &flow("f"), "r1".parse().unwrap());
    assert_eq!(schedule_state(&state, "a", at("12:05")).run, Some("r1".parse().unwrap()));
    end(&mut state, "a", RunOutcome::Done, at("12:06"));
    assert_eq!(schedule_state(&state, "a", at("12:06")).run, None);
}
