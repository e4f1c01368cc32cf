//! Failures, pauses, blocks, and the actions a person may take on them.

use super::*;

/// The minutes from the end of each failed run to the next one.
fn waits(agenda: &mut Agenda, mut now: DateTime<Utc>, count: usize) -> Vec<i64> {
    let mut waits = Vec::new();
    for _ in 0..count {
        end(agenda, "a", Outcome::Failed, now);
        let next = agenda.next_moment().unwrap();
        assert_eq!(why(agenda, next - TimeDelta::seconds(1)), None);
        assert_eq!(why(agenda, next), Some(Why::Retry));
        waits.push((next - now).num_minutes());
        now = next + TimeDelta::seconds(10);
    }
    waits
}

#[test]
fn failing_work_is_tried_again_on_a_ladder_until_it_succeeds() {
    // Retries take the place of ticks, whether these are more frequent or less.
    for (schedule, next) in [("*/5 * * * *", at("15:00")), ("5 12 * * *", on("2026-06-02", "12:05"))] {
        let mut agenda = agenda(&[planned("a", schedule)]);
        assert_eq!(why(&mut agenda, at("12:05")), Some(Why::Tick));
        assert_eq!(waits(&mut agenda, at("12:06"), 7), [1, 5, 15, 30, 60, 60, 60], "{schedule}");
        assert_eq!(standing(&agenda, "a", at("14:59")).failures, 7);
        end(&mut agenda, "a", Outcome::Done, at("14:59"));
        assert_eq!(standing(&agenda, "a", at("14:59")).failures, 0);
        assert_eq!(why(&mut agenda, at("14:59")), None, "the retry took up every tick before it");
        assert_eq!(agenda.next_moment(), Some(next));
    }
}

#[test]
fn the_ladder_goes_on_after_a_restart() {
    let flows = [planned("a", "*/5 * * * *")];
    let mut before = agenda(&flows);
    assert_eq!(why(&mut before, at("12:05")), Some(Why::Tick));
    assert_eq!(waits(&mut before, at("12:06"), 2), [1, 5]);
    end(&mut before, "a", Outcome::Failed, at("12:20"));
    let mut again = restarted(before, &flows, at("12:22"));
    assert_eq!(standing(&again, "a", at("12:22")).state, StandingState::Retrying);
    assert_eq!(standing(&again, "a", at("12:22")).next, Some(at("12:35")));
    assert_eq!(why(&mut again, at("12:34")), None);
    assert_eq!(why(&mut again, at("12:35")), Some(Why::Retry));
}

#[test]
fn a_push_while_it_fails_waits_for_the_retry_that_takes_it_up() {
    let mut agenda = agenda(&[planned("a", "")]);
    agenda.wake(&tenant("a"), &flow("f"), Wake::Push, at("12:01"));
    assert_eq!(why(&mut agenda, at("12:01")), Some(Why::Push));
    assert_eq!(waits(&mut agenda, at("12:02"), 1), [1]);
    end(&mut agenda, "a", Outcome::Failed, at("12:04"));
    agenda.wake(&tenant("a"), &flow("f"), Wake::Push, at("12:05"));
    assert_eq!(why(&mut agenda, at("12:05")), None);
    assert_eq!(why(&mut agenda, at("12:09")), Some(Why::Retry));
    end(&mut agenda, "a", Outcome::Done, at("12:10"));
    assert_eq!(why(&mut agenda, at("12:10")), None);
    assert_eq!(agenda.next_moment(), None);
}

#[test]
fn a_held_plan_is_no_failure() {
    let mut agenda = agenda(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut agenda, at("12:05")), Some(Why::Tick));
    end(&mut agenda, "a", Outcome::Failed, at("12:06"));
    assert_eq!(why(&mut agenda, at("12:07")), Some(Why::Retry));
    end(&mut agenda, "a", Outcome::Held, at("12:08"));
    assert_eq!(standing(&agenda, "a", at("12:08")).state, StandingState::Waiting);
    assert_eq!(agenda.next_moment(), Some(at("12:10")));
}

#[test]
fn a_paused_flow_runs_for_a_person_alone_and_catches_up_when_it_is_resumed() {
    let mut agenda = agenda(&[planned("a", "*/5 * * * *")]);
    pause(&mut agenda, "a", at("12:01"));
    agenda.wake(&tenant("a"), &flow("f"), Wake::Push, at("12:02"));
    agenda.wake(&tenant("a"), &flow("f"), Wake::Callback, at("12:02"));
    assert_eq!(why(&mut agenda, at("13:00")), None);
    assert_eq!(agenda.next_moment(), None);
    let paused = standing(&agenda, "a", at("13:00"));
    assert_eq!((paused.state, paused.next, paused.late), (StandingState::Paused, None, false));
    agenda.ask(&tenant("a"), &flow("f"), 1, Ask::Other, at("13:01"));
    assert_eq!(why(&mut agenda, at("13:01")), Some(Why::Person(1)));
    end(&mut agenda, "a", Outcome::Done, at("13:02"));
    assert_eq!(why(&mut agenda, at("13:02")), None);
    agenda.resume(&tenant("a"), &flow("f"), at("13:03"));
    assert!(!standing(&agenda, "a", at("13:03")).late, "it was not to run");
    assert_eq!(why(&mut agenda, at("13:03")), Some(Why::Tick));
    end(&mut agenda, "a", Outcome::Done, at("13:04"));
    assert_eq!(why(&mut agenda, at("13:04")), Some(Why::Callback));
    end(&mut agenda, "a", Outcome::Done, at("13:04"));
    assert_eq!(why(&mut agenda, at("13:04")), None);
}

#[test]
fn a_pause_outlives_the_process_and_ends_no_run() {
    let flows = [planned("a", "*/5 * * * *")];
    let mut before = agenda(&flows);
    assert_eq!(why(&mut before, at("12:05")), Some(Why::Tick));
    pause(&mut before, "a", at("12:05"));
    assert_eq!(standing(&before, "a", at("12:05")).state, StandingState::Running);
    end(&mut before, "a", Outcome::Done, at("12:06"));
    let mut again = restarted(before, &flows, at("14:00"));
    assert_eq!(why(&mut again, at("14:00")), None);
    assert_eq!(standing(&again, "a", at("14:00")).paused.unwrap().who, "李雷");
}

/// A flow rejected by a service at 12:06.
fn refused() -> Agenda {
    let mut agenda = agenda(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut agenda, at("12:05")), Some(Why::Tick));
    end(&mut agenda, "a", blocked("as they are"), at("12:06"));
    agenda.wake(&tenant("a"), &flow("f"), Wake::Push, at("12:07"));
    assert_eq!(why(&mut agenda, on("2026-06-09", "12:00")), None);
    agenda
}

#[test]
fn a_refused_flow_is_not_tried_until_its_settings_change() {
    let flows = [planned("a", "*/5 * * * *")];
    let mut agenda = refused();
    let day = |time: &str| on("2026-06-09", time);
    let stands = standing(&agenda, "a", day("12:00"));
    assert_eq!((stands.state, stands.failures), (StandingState::Blocked, 1));
    assert_eq!(stands.blocked.unwrap().code, "wecom.60020");
    agenda.set_flows(flows.to_vec(), day("12:01"));
    assert_eq!(why(&mut agenda, day("12:01")), None);
    let mut again = restarted(agenda, &flows, day("12:02"));
    assert_eq!(why(&mut again, day("12:02")), None);
    let others = vec![AgendaFlow { settings: "others".to_owned(), ..planned("a", "*/5 * * * *") }];
    again.set_flows(others, day("12:03"));
    assert_eq!(standing(&again, "a", day("12:03")).failures, 0);
    assert_eq!(why(&mut again, day("12:03")), Some(Why::Retry));
    end(&mut again, "a", Outcome::Done, day("12:04"));
    assert_eq!(why(&mut again, day("12:04")), None);
}

#[test]
fn a_refused_flow_that_a_person_resumes_is_tried_at_once() {
    let mut agenda = refused();
    assert!(agenda.resume(&tenant("a"), &flow("f"), on("2026-06-09", "12:01")));
    assert_eq!(why(&mut agenda, on("2026-06-09", "12:01")), Some(Why::Retry));
    end(&mut agenda, "a", blocked("as they are"), on("2026-06-09", "12:02"));
    assert_eq!(why(&mut agenda, on("2026-06-10", "12:00")), None);
}

#[test]
fn a_person_s_sync_that_succeeds_lifts_a_block_and_nothing_else_of_theirs_does() {
    let mut agenda = refused();
    let day = |time: &str| on("2026-06-09", time);
    for (ticket, ask, outcome) in [(1, Ask::Other, Outcome::Done), (2, Ask::Sync, Outcome::Failed)] {
        agenda.ask(&tenant("a"), &flow("f"), ticket, ask, day("12:01"));
        assert_eq!(standing(&agenda, "a", day("12:01")).state, StandingState::Queued);
        assert_eq!(why(&mut agenda, day("12:01")), Some(Why::Person(ticket)));
        end(&mut agenda, "a", outcome, day("12:02"));
        assert_eq!(why(&mut agenda, day("12:02")), None);
        assert_eq!(standing(&agenda, "a", day("12:02")).state, StandingState::Blocked);
    }
    agenda.ask(&tenant("a"), &flow("f"), 3, Ask::Sync, day("12:03"));
    assert_eq!(why(&mut agenda, day("12:03")), Some(Why::Person(3)));
    end(&mut agenda, "a", Outcome::Done, day("12:04"));
    assert_eq!(standing(&agenda, "a", day("12:04")).state, StandingState::Waiting);
    assert_eq!(agenda.next_moment(), Some(day("12:05")));
}

#[test]
fn settings_that_change_during_the_run_that_is_refused_are_tried() {
    let mut agenda = agenda(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut agenda, at("12:05")), Some(Why::Tick));
    let others = vec![AgendaFlow { settings: "others".to_owned(), ..planned("a", "*/5 * * * *") }];
    agenda.set_flows(others, at("12:06"));
    end(&mut agenda, "a", blocked("as they are"), at("12:07"));
    assert_eq!(why(&mut agenda, at("12:07")), Some(Why::Retry));
}

#[test]
fn a_person_is_next_in_the_flow_and_one_request_is_one_run() {
    let mut agenda = agenda(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut agenda, at("12:05")), Some(Why::Tick));
    for (ticket, ask) in [(1, Ask::Other), (2, Ask::Sync)] {
        assert!(agenda.ask(&tenant("a"), &flow("f"), ticket, ask, at("12:06")));
    }
    end(&mut agenda, "a", Outcome::Failed, at("12:10"));
    assert_eq!(why(&mut agenda, at("12:10")), Some(Why::Person(1)));
    end(&mut agenda, "a", Outcome::Done, at("12:10"));
    assert_eq!(standing(&agenda, "a", at("12:10")).failures, 1, "no work was done");
    assert_eq!(why(&mut agenda, at("12:10")), Some(Why::Person(2)));
    end(&mut agenda, "a", Outcome::Done, at("12:11"));
    assert_eq!(standing(&agenda, "a", at("12:11")).failures, 0);
    assert_eq!(why(&mut agenda, at("12:11")), None);
    assert_eq!(agenda.next_moment(), Some(at("12:15")));
    assert!(!agenda.ask(&tenant("b"), &flow("f"), 3, Ask::Sync, at("12:11")));
}

#[test]
fn what_a_person_s_failed_sync_took_up_is_due_again() {
    let mut agenda = agenda(&[planned("a", "0 13 * * *")]);
    agenda.ask(&tenant("a"), &flow("f"), 1, Ask::Sync, at("13:00"));
    assert_eq!(why(&mut agenda, at("13:00")), Some(Why::Person(1)));
    end(&mut agenda, "a", Outcome::Failed, at("13:01"));
    assert_eq!(standing(&agenda, "a", at("13:01")).failures, 0);
    assert_eq!(why(&mut agenda, at("13:01")), Some(Why::Tick));
}

#[test]
fn a_run_has_its_id_while_it_runs() {
    let mut agenda = agenda(&[planned("a", "*/5 * * * *")]);
    assert_eq!(why(&mut agenda, at("12:05")), Some(Why::Tick));
    agenda.began(&tenant("a"), &flow("f"), "r1".parse().unwrap());
    assert_eq!(standing(&agenda, "a", at("12:05")).run, Some("r1".parse().unwrap()));
    end(&mut agenda, "a", Outcome::Done, at("12:06"));
    assert_eq!(standing(&agenda, "a", at("12:06")).run, None);
}
