//! The order of the queue.

use super::*;

#[test]
fn flows_of_one_corp_that_are_due_together_begin_together_and_never_apart() {
    let of = |id: &str, schedule: &str| ScheduledFlow { corp: "c".to_owned(), ..planned(id, schedule) };
    let mut state = state(&[
        of("a", "*/5 * * * *"),
        of("b", "*/5 * * * *"),
        of("d", "6 12 * * *"),
        planned("e", "6 12 * * *"),
    ]);
    assert_eq!(begins(&mut state, at("12:05"), 9), ["a/f Tick, b/f Tick"]);
    assert_eq!(begins(&mut state, at("12:06"), 9), ["e/f Tick"], "the corp is busy");
    end(&mut state, "a", RunOutcome::Done, at("12:07"));
    assert_eq!(begins(&mut state, at("12:10"), 9), Vec::<String>::new(), "one of the batch is not done");
    assert_eq!(schedule_state(&state, "d", at("12:10")).state, ScheduleStateKind::Queued);
    end(&mut state, "b", RunOutcome::Done, at("12:11"));
    assert_eq!(begins(&mut state, at("12:11"), 9), ["a/f Tick, b/f Tick, d/f Tick"]);
}

#[test]
fn at_most_so_many_corps_are_busy() {
    let flows: Vec<_> = ["a", "b", "c", "d"].map(|id| planned(id, "*/5 * * * *")).into();
    let mut state = state(&flows);
    assert_eq!(begins(&mut state, at("12:05"), 2), ["a/f Tick", "b/f Tick"]);
    assert_eq!(begins(&mut state, at("12:05"), 2), Vec::<String>::new());
    end(&mut state, "b", RunOutcome::Done, at("12:06"));
    assert_eq!(begins(&mut state, at("12:06"), 2), ["c/f Tick"]);
    assert_eq!(begins(&mut state, at("12:06"), 3), ["d/f Tick"], "more may be at once from now on");
    assert_eq!(state.busy(), 3);
}

#[test]
fn a_corp_that_is_always_due_waits_behind_those_that_waited_meanwhile() {
    let mut state = state(&[planned("a", ""), planned("b", ""), planned("c", "")]);
    let push = |state: &mut SchedulerState, id: &str, time: &str| {
        state.wake(&tenant(id), &flow("f"), Wake::Push, at(time))
    };
    push(&mut state, "a", "12:00");
    assert_eq!(begins(&mut state, at("12:00"), 1), ["a/f Push"]);
    // It is pushed again before the others are, while it runs.
    push(&mut state, "a", "12:01");
    push(&mut state, "c", "12:02");
    push(&mut state, "b", "12:03");
    end(&mut state, "a", RunOutcome::Done, at("12:04"));
    assert_eq!(begins(&mut state, at("12:04"), 1), ["c/f Push"]);
    end(&mut state, "c", RunOutcome::Done, at("12:05"));
    push(&mut state, "c", "12:05");
    assert_eq!(begins(&mut state, at("12:05"), 1), ["b/f Push"]);
    end(&mut state, "b", RunOutcome::Done, at("12:06"));
    assert_eq!(begins(&mut state, at("12:06"), 1), ["a/f Push"]);
}

#[test]
fn a_corp_of_many_flows_has_one_turn_like_every_other() {
    let of = |id: &str| ScheduledFlow { corp: "c".to_owned(), ..planned(id, "") };
    let mut state = state(&[of("a"), of("b"), planned("z", "")]);
    let push = |state: &mut SchedulerState, id: &str, time: &str| {
        state.wake(&tenant(id), &flow("f"), Wake::Push, at(time))
    };
    push(&mut state, "a", "12:00");
    assert_eq!(begins(&mut state, at("12:00"), 1), ["a/f Push"]);
    push(&mut state, "b", "12:01");
    push(&mut state, "z", "12:02");
    end(&mut state, "a", RunOutcome::Done, at("12:03"));
    assert_eq!(begins(&mut state, at("12:03"), 1), ["z/f Push"], "the corp of `b` has just had its turn");
    end(&mut state, "z", RunOutcome::Done, at("12:04"));
    assert_eq!(begins(&mut state, at("12:04"), 1), ["b/f Push"]);
}

#[test]
fn of_those_who_wait_equally_long_the_one_that_ran_least_recently_is_next() {
    let mut state =
        state(&[planned("a", "*/5 * * * *"), planned("b", "5 12 * * *"), planned("c", "10 12 * * *")]);
    assert_eq!(begins(&mut state, at("12:05"), 2), ["a/f Tick", "b/f Tick"]);
    end(&mut state, "a", RunOutcome::Done, at("12:06"));
    end(&mut state, "b", RunOutcome::Done, at("12:06"));
    assert_eq!(begins(&mut state, at("12:10"), 1), ["c/f Tick"]);
}

#[test]
fn a_person_goes_before_every_queue() {
    let mut state = state(&[planned("a", "*/5 * * * *"), planned("b", "*/5 * * * *"), planned("c", "")]);
    assert_eq!(begins(&mut state, at("12:05"), 1), ["a/f Tick"]);
    state.ask(&tenant("c"), &flow("f"), 1, RequestKind::Sync, at("12:06"));
    end(&mut state, "a", RunOutcome::Done, at("12:07"));
    assert_eq!(begins(&mut state, at("12:07"), 1), ["c/f Person(1)"]);
}

#[test]
fn a_tick_or_retry_that_has_not_begun_in_time_is_late() {
    let mut state = state(&[planned("a", "5 12 * * *"), planned("b", "5 12 * * *"), planned("c", "")]);
    assert_eq!(begins(&mut state, at("12:05"), 1), ["a/f Tick"]);
    state.wake(&tenant("c"), &flow("f"), Wake::Push, at("12:05"));
    let late = |state: &SchedulerState, time: &str| -> Vec<String> {
        let all = state.schedule_states(at(time), Duration::from_secs(15 * 60));
        all.into_iter().filter(|flow| flow.late).map(|flow| flow.tenant.to_string()).collect()
    };
    assert_eq!(late(&state, "12:19"), Vec::<String>::new());
    assert_eq!(late(&state, "12:20"), ["b"], "a push has no time that it could miss");
    end(&mut state, "a", RunOutcome::Failed, at("12:21"));
    assert_eq!(begins(&mut state, at("12:22"), 1), ["b/f Tick"]);
    assert_eq!(late(&state, "12:36"), Vec::<String>::new());
    assert_eq!(late(&state, "12:37"), ["a"], "its retry was due at 12:22");
}
