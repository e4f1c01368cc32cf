//! The schedule, pushes and callbacks.

use super::*;

#[test]
fn a_flow_never_seen_before_waits_for_its_next_tick() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut state, at("12:00")), None);
    assert_eq!(state.next_moment(), Some(at("12:05")));
    assert_eq!(schedule_state(&state, "a", at("12:01")).next, Some(at("12:05")));
    assert_eq!(why(&mut state, at("12:04:59")), None);
    assert_eq!(why(&mut state, at("12:05")), Some(Trigger::Tick));
    assert_eq!(state.next_moment(), Some(at("12:10")));
}

#[test]
fn its_first_tick_is_not_lost_if_the_process_is_down_then() {
    let flows = [planned("a", "5 12 * * *")];
    let mut again = restarted(state(&flows), &flows, at("12:30"));
    assert_eq!(why(&mut again, at("12:30")), Some(Trigger::Tick));
}

#[test]
fn ticks_missed_while_the_process_was_down_are_one() {
    let flows = [planned("a", "*/5 * * * *")];
    let mut before = state(&flows);
    assert_eq!(why(&mut before, at("12:05")), Some(Trigger::Tick));
    end(&mut before, "a", RunOutcome::Done, at("12:06"));
    let start = on("2026-06-04", "08:02");
    let mut again = restarted(before, &flows, start);
    assert!(!schedule_state(&again, "a", start).late, "it could not run before it was started");
    assert_eq!(why(&mut again, start), Some(Trigger::Tick));
    end(&mut again, "a", RunOutcome::Done, start);
    assert_eq!(why(&mut again, start), None);
    assert_eq!(again.next_moment(), Some(on("2026-06-04", "08:05")));
}

#[test]
fn nothing_is_missed_by_a_restart_between_two_ticks() {
    let flows = [planned("a", "*/5 * * * *")];
    let mut before = state(&flows);
    assert_eq!(why(&mut before, at("12:05")), Some(Trigger::Tick));
    end(&mut before, "a", RunOutcome::Done, at("12:06"));
    let mut again = restarted(before, &flows, at("12:08"));
    assert_eq!(why(&mut again, at("12:08")), None);
    assert_eq!(again.next_moment(), Some(at("12:10")));
}

#[test]
fn a_run_that_shutdown_or_a_crash_cuts_off_is_due_at_the_next_start() {
    for outcome in [Some(RunOutcome::CutOff), None] {
        let flows = [planned("a", "0 13 * * *")];
        let mut before = state(&flows);
        assert_eq!(why(&mut before, at("13:00")), Some(Trigger::Tick));
        if let Some(outcome) = outcome {
            end(&mut before, "a", outcome, at("13:02"));
        }
        let mut again = restarted(before, &flows, at("13:05"));
        assert_eq!(why(&mut again, at("13:05")), Some(Trigger::Tick));
    }
}

#[test]
fn ticks_that_pass_during_a_run_are_one() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut state, at("12:05")), Some(Trigger::Tick));
    assert_eq!(why(&mut state, at("12:17")), None);
    assert!(!schedule_state(&state, "a", at("12:47")).late, "it is its own run that it waits for");
    end(&mut state, "a", RunOutcome::Done, at("12:17"));
    assert!(!schedule_state(&state, "a", at("12:31")).late, "it could begin from 12:17 on");
    assert!(schedule_state(&state, "a", at("12:32")).late);
    assert_eq!(why(&mut state, at("12:17")), Some(Trigger::Tick));
    end(&mut state, "a", RunOutcome::Done, at("12:18"));
    assert_eq!(why(&mut state, at("12:18")), None);
    assert_eq!(state.next_moment(), Some(at("12:20")));
}

#[test]
fn pushes_before_a_run_are_one_and_pushes_during_it_are_one_more() {
    let mut state = state(&[planned("a", "")]);
    assert_eq!(schedule_state(&state, "a", at("12:00")).state, ScheduleStateKind::Idle);
    for second in 10..20 {
        assert!(state.wake(&tenant("a"), &flow("f"), Wake::Push, at(&format!("12:00:{second}"))));
    }
    assert_eq!(schedule_state(&state, "a", at("12:01")).queued_since, Some(at("12:00:10")));
    assert_eq!(why(&mut state, at("12:01")), Some(Trigger::Push));
    for second in 10..20 {
        state.wake(&tenant("a"), &flow("f"), Wake::Push, at(&format!("12:01:{second}")));
    }
    assert_eq!(why(&mut state, at("12:02")), None);
    end(&mut state, "a", RunOutcome::Done, at("12:03"));
    assert_eq!(why(&mut state, at("12:03")), Some(Trigger::Push));
    end(&mut state, "a", RunOutcome::Done, at("12:04"));
    assert_eq!(why(&mut state, at("12:04")), None);
    assert!(!state.wake(&tenant("b"), &flow("f"), Wake::Push, at("12:04")));
}

#[test]
fn a_tick_takes_up_the_pushes_before_it() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut state, at("12:04")), None);
    state.wake(&tenant("a"), &flow("f"), Wake::Push, at("12:05"));
    assert_eq!(why(&mut state, at("12:05")), Some(Trigger::Tick));
    end(&mut state, "a", RunOutcome::Done, at("12:06"));
    assert_eq!(why(&mut state, at("12:06")), None);
}

#[test]
fn the_work_of_a_run_that_was_cut_off_is_due_at_once_and_says_so() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    state.wake(&tenant("a"), &flow("f"), Wake::Push, at("12:01"));
    state.wake(&tenant("a"), &flow("f"), Wake::CutOff, at("12:02"));
    // It takes up the push and the tick as well.
    assert_eq!(why(&mut state, at("12:05")), Some(Trigger::CutOff));
    end(&mut state, "a", RunOutcome::CutOff, at("12:06"));
    assert_eq!(why(&mut state, at("12:06")), Some(Trigger::CutOff));
    end(&mut state, "a", RunOutcome::Done, at("12:07"));
    assert_eq!(why(&mut state, at("12:07")), None);
    // While the flow fails, it waits for the retry like anything else.
    state.wake(&tenant("a"), &flow("f"), Wake::Push, at("12:08"));
    assert_eq!(why(&mut state, at("12:08")), Some(Trigger::Push));
    end(&mut state, "a", RunOutcome::Failed, at("12:09"));
    state.wake(&tenant("a"), &flow("f"), Wake::CutOff, at("12:09"));
    assert_eq!(why(&mut state, at("12:09")), None);
    assert_eq!(why(&mut state, at("12:10")), Some(Trigger::Retry));
    end(&mut state, "a", RunOutcome::Done, at("12:11"));
    assert_eq!(why(&mut state, at("12:11")), None);
}

#[test]
fn a_callback_asks_for_a_look_of_its_own() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    state.wake(&tenant("a"), &flow("f"), Wake::Callback, at("12:05"));
    assert_eq!(why(&mut state, at("12:05")), Some(Trigger::Tick));
    end(&mut state, "a", RunOutcome::Done, at("12:06"));
    assert_eq!(why(&mut state, at("12:06")), Some(Trigger::Callback));
    end(&mut state, "a", RunOutcome::Failed, at("12:07"));
    assert_eq!(schedule_state(&state, "a", at("12:07")).failures, 0);
    assert_eq!(why(&mut state, at("12:07")), None);
    assert_eq!(why(&mut state, at("12:10")), Some(Trigger::Tick));
}

#[test]
fn what_a_flow_was_woken_for_is_due_at_the_next_start() {
    let flows = [planned("a", ""), planned("b", "")];
    let wake = |id: &str, kind, moment: &str| WakeRow {
        tenant: tenant(id),
        flow: flow("f"),
        kind,
        at: at(moment),
        count: 1,
    };
    let mut before = state(&flows);
    pause(&mut before, "b", at("12:01"));
    let wakes = vec![
        wake("a", WakeKind::Callback, "12:02"),
        wake("a", WakeKind::Push, "12:03"),
        wake("b", WakeKind::Push, "12:03"),
        wake("gone", WakeKind::Push, "12:03"),
    ];
    let mut again = SchedulerState::restore(before.changed_rows(), wakes);
    again.set_flows(flows.to_vec(), at("12:30"));
    assert_eq!(begins(&mut again, at("12:30"), 9), ["a/f Push"]);
    end(&mut again, "a", RunOutcome::Done, at("12:31"));
    assert_eq!(begins(&mut again, at("12:31"), 9), ["a/f Callback"]);
    end(&mut again, "a", RunOutcome::Done, at("12:32"));
    // Once: a reload of unchanged files wakes no flow.
    again.set_flows(flows.to_vec(), at("12:33"));
    assert_eq!(begins(&mut again, at("12:33"), 9), Vec::<String>::new());
    again.resume(&tenant("b"), &flow("f"), at("12:34"));
    assert_eq!(begins(&mut again, at("12:34"), 9), ["b/f Push"], "a person had stopped it");
}

#[test]
fn another_schedule_counts_from_now_and_the_same_goes_on() {
    let mut state = state(&[planned("a", "5 12 * * *")]);
    state.set_flows(vec![planned("a", "5 12 * * *")], at("12:06"));
    assert_eq!(why(&mut state, at("12:06")), Some(Trigger::Tick));
    end(&mut state, "a", RunOutcome::Done, at("12:07"));
    state.set_flows(vec![planned("a", "*/5 * * * *")], at("14:01"));
    assert_eq!(why(&mut state, at("14:01")), None);
    assert_eq!(state.next_moment(), Some(at("14:05")));
    state.set_flows(vec![planned("a", "")], at("14:02"));
    assert_eq!(state.next_moment(), None);
}

#[test]
fn a_flow_that_is_gone_begins_no_more_and_comes_back_as_it_was() {
    let both = [planned("a", "*/5 * * * *"), planned("b", "*/5 * * * *")];
    let mut state = state(&both);
    pause(&mut state, "b", at("12:01"));
    assert_eq!(state.set_flows(vec![both[0].clone()], at("12:02")), Vec::<u64>::new());
    assert_eq!(begins(&mut state, at("12:05"), 9), ["a/f Tick"]);
    assert!(!state.wake(&tenant("b"), &flow("f"), Wake::Push, at("12:05")));
    end(&mut state, "a", RunOutcome::Done, at("12:05"));
    state.set_flows(both.to_vec(), at("12:06"));
    assert_eq!(schedule_state(&state, "b", at("12:06")).state, ScheduleStateKind::Paused);
    state.resume(&tenant("b"), &flow("f"), at("12:06"));
    assert_eq!(begins(&mut state, at("12:06"), 9), ["b/f Tick"]);
}

#[test]
fn a_flow_that_goes_while_it_runs_keeps_its_corp_busy_until_it_ends() {
    let moved = |corp: &str, id: &str| ScheduledFlow { corp: corp.to_owned(), ..planned(id, "*/5 * * * *") };
    let mut state = state(&[moved("c", "a"), moved("d", "b")]);
    assert_eq!(begins(&mut state, at("12:05"), 9), ["a/f Tick", "b/f Tick"]);
    state.ask(&tenant("a"), &flow("f"), 7, RequestKind::Sync, at("12:06"));
    end(&mut state, "b", RunOutcome::Done, at("12:06"));
    assert_eq!(state.set_flows(vec![moved("c", "b")], at("12:07")), [7], "it gets no run");
    assert_eq!(begins(&mut state, at("12:10"), 9), Vec::<String>::new());
    assert_eq!(state.busy(), 1);
    end(&mut state, "a", RunOutcome::Done, at("12:12"));
    assert_eq!(begins(&mut state, at("12:12"), 9), ["b/f Tick"]);
    assert_eq!(state.schedule_states(at("12:12"), Duration::ZERO).len(), 1);
    let rows = state.changed_rows();
    assert_eq!(rows.iter().map(|row| row.tenant.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_clock_set_back_stops_nothing() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut state, on("2026-07-01", "12:00")), Some(Trigger::Tick));
    end(&mut state, "a", RunOutcome::Failed, on("2026-07-01", "12:01"));
    // The clock was a month ahead.
    assert_eq!(why(&mut state, at("12:07")), None);
    assert_eq!(why(&mut state, at("12:08")), Some(Trigger::Retry));
    end(&mut state, "a", RunOutcome::Done, at("12:09"));
    assert_eq!(state.next_moment(), Some(at("12:10")));
    assert_eq!(why(&mut state, at("12:10")), Some(Trigger::Tick));
    // A restart would work too: the stored row is correct.
    end(&mut state, "a", RunOutcome::Done, at("12:11"));
    let row = state.changed_rows().pop().unwrap();
    assert_eq!(row.reached, Some(at("12:10")));
}

#[test]
fn a_clock_set_back_before_the_start_stops_nothing() {
    let flows = [planned("a", "*/5 * * * *")];
    let mut before = state(&flows);
    assert_eq!(why(&mut before, on("2026-07-01", "12:00")), Some(Trigger::Tick));
    end(&mut before, "a", RunOutcome::Failed, on("2026-07-01", "12:01"));
    let mut again = restarted(before, &flows, at("12:07"));
    assert_eq!(again.next_moment(), Some(at("12:08")));
    assert_eq!(why(&mut again, at("12:08")), Some(Trigger::Retry));
}

#[test]
fn a_clock_that_steps_back_a_little_does_not_repeat_a_tick() {
    let mut state = state(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut state, at("12:05:01")), Some(Trigger::Tick));
    end(&mut state, "a", RunOutcome::Done, at("12:04:58"));
    assert_eq!(why(&mut state, at("12:04:59")), None);
    assert_eq!(why(&mut state, at("12:05:02")), None);
    assert_eq!(state.next_moment(), Some(at("12:10")));
}

#[test]
fn a_row_is_stored_once_for_each_change() {
    let mut state = state(&[planned("a", "*/5 * * * *"), planned("b", "*/5 * * * *")]);
    assert_eq!(state.changed_rows().len(), 2, "new flows");
    assert_eq!(state.changed_rows(), []);
    assert_eq!(begins(&mut state, at("12:05"), 1), ["a/f Tick"]);
    assert_eq!(state.changed_rows(), [], "a tick is not taken up before its run has ended");
    end(&mut state, "a", RunOutcome::Done, at("12:06"));
    let rows = state.changed_rows();
    assert_eq!(rows.iter().map(|row| row.reached).collect::<Vec<_>>(), [Some(at("12:05"))]);
}
