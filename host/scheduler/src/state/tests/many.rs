//! Hundreds of tenants for days, in seconds: how often each runs and how long each waits, as numbers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

/// The figures of one tenant.
#[derive(Debug, Default, Clone)]
struct Measured {
    runs: u64,
    /// Longest delay between being due and beginning, in seconds.
    worst: i64,
    sum: i64,
}

/// Runs the flows for a number of days from noon of a Monday; a run of a tenant takes `takes` seconds.
fn simulate(
    flows: Vec<ScheduledFlow>,
    days: i64,
    at_once: usize,
    takes: impl Fn(&str) -> i64,
    pushed: Option<&str>,
) -> BTreeMap<String, Measured> {
    let mut measured: BTreeMap<String, Measured> = BTreeMap::new();
    let mut now = at("12:00");
    let end = now + TimeDelta::days(days);
    let mut state = SchedulerState::default();
    state.set_flows(flows, now);
    let mut ends: BinaryHeap<Reverse<(DateTime<Utc>, TenantId)>> = BinaryHeap::new();
    loop {
        if let Some(id) = pushed {
            state.wake(&tenant(id), &flow("f"), Wake::Push, now);
        }
        for batch in state.take_due(now, at_once) {
            for due in batch.runs {
                let seen = measured.entry(due.tenant.to_string()).or_default();
                let waited = (now - due.since).num_seconds();
                seen.runs += 1;
                seen.sum += waited;
                seen.worst = seen.worst.max(waited);
                ends.push(Reverse((now + TimeDelta::seconds(takes(due.tenant.as_str())), due.tenant)));
            }
        }
        assert!(state.busy() <= at_once);
        let next_end = ends.peek().map(|Reverse((at, _))| *at);
        let next = [state.next_moment(), next_end].into_iter().flatten().min();
        now = match next {
            Some(next) if next < end => next,
            _ => return measured,
        };
        while let Some(Reverse((at, _))) = ends.peek()
            && *at <= now
            && let Some(Reverse((_, ended))) = ends.pop()
        {
            state.ended(&ended, &flow("f"), RunOutcome::Done, now);
        }
    }
}

fn tenants(count: usize, schedule: &str) -> Vec<ScheduledFlow> {
    (0..count).map(|index| planned(&format!("t{index:03}"), schedule)).collect()
}

#[test]
fn five_hundred_tenants_run_exactly_on_time_for_three_days() {
    let mut flows = tenants(499, "*/15 * * * *");
    flows.push(planned("daily", "30 2 * * *"));
    let measured = simulate(flows, 3, 500, |_| 20, None);
    assert_eq!(measured.len(), 500);
    for (id, seen) in measured {
        // Noon to noon: a tick each quarter of an hour, the first at 12:15, the last at 11:45.
        let expected = if id == "daily" { 3 } else { 3 * 96 - 1 };
        assert_eq!((seen.runs, seen.worst), (expected, 0), "{id}");
    }
}

#[test]
fn a_tenant_whose_runs_take_an_hour_delays_no_other() {
    let quick = |id: &str| if id == "t000" { 3_600 } else { 20 };
    let alone = simulate(tenants(500, "*/15 * * * *"), 2, 32, |_| 20, None);
    let beside = simulate(tenants(500, "*/15 * * * *"), 2, 32, quick, None);
    assert_eq!((alone.len(), beside.len()), (500, 500));
    let ticks = 2 * 96 - 1;
    // Without the slow tenant 32 at once serve 500 in 16 rounds of 20 s: no tenant waits longer than 15 rounds.
    assert!(alone.values().all(|seen| seen.runs == ticks && seen.worst <= 15 * 20));
    // With it 31 do, in 17 rounds.
    for (id, seen) in &beside {
        if id == "t000" {
            // It begins again as soon as it ends: four ticks missed meanwhile count as one.
            assert_eq!(seen.runs, 48);
        } else {
            assert_eq!(seen.runs, ticks, "{id}: not one run fewer");
            assert!(seen.worst <= 16 * 20, "{id} waited {} s", seen.worst);
        }
    }
    let mean = |all: &BTreeMap<String, Measured>| {
        let others = all.iter().filter(|(id, _)| *id != "t000").map(|(_, seen)| seen);
        others.clone().map(|seen| seen.sum).sum::<i64>() * 1_000 / (others.count() as i64 * ticks as i64)
    };
    // Average in milliseconds over 95,000 runs: one of 32 places is taken, so the delay grows by a thirtieth and no
    // more.
    let (alone, beside) = (mean(&alone), mean(&beside));
    assert!(beside < alone * 106 / 100, "{alone} ms alone, {beside} ms beside a slow tenant");
}

#[test]
fn waiting_is_shared_evenly() {
    let measured = simulate(tenants(100, "*/15 * * * *"), 2, 4, |_| 36, None);
    // 100 tenants in 25 rounds of 36 s fill the quarter of an hour to the last second.
    assert_eq!(measured.len(), 100);
    assert!(measured.values().all(|seen| seen.runs == 2 * 96 - 1));
    let worst = measured.values().map(|seen| seen.worst).max();
    assert_eq!(worst, Some(24 * 36));
}

#[test]
fn with_too_little_room_everybody_runs_less_often_and_equally_often() {
    // Twice the work there is room for.
    let measured = simulate(tenants(100, "*/15 * * * *"), 2, 4, |_| 72, None);
    let runs: Vec<u64> = measured.values().map(|seen| seen.runs).collect();
    let (least, most) = (runs.iter().min().unwrap(), runs.iter().max().unwrap());
    assert!(*least >= 94 && most - least <= 1, "from {least} to {most} runs");
}

#[test]
fn a_tenant_with_pushes_without_end_takes_no_more_than_its_turn() {
    let mut flows = tenants(49, "*/15 * * * *");
    flows.push(planned("pushed", ""));
    // 49 runs of 36 s in a quarter of an hour need two places; a third is enough for the rest.
    let measured = simulate(flows, 1, 3, |_| 36, Some("pushed"));
    for (id, seen) in measured.iter().filter(|(id, _)| *id != "pushed") {
        assert_eq!(seen.runs, 95, "{id}");
        assert!(seen.worst <= 17 * 36, "{id} waited {} s", seen.worst);
    }
    assert!(measured["pushed"].worst <= 17 * 36);
    assert!(measured["pushed"].runs > 800);
}
