//! The rules of the scheduler, one by one, over random histories, and over many tenants for days.

use chrono_tz::Tz;

use super::*;
use ruzhi_app::scheduler::ScheduleStateKind;
use ruzhi_config::Schedule;
use ruzhi_model::{RemoteService, Text};
use ruzhi_store::WakeKind;

mod many;
mod moments;
mod obstacles;
mod order;
mod random;
mod rechecks;
mod ticks;
mod zones;

/// A moment of a Monday, in UTC.
fn at(time: &str) -> DateTime<Utc> {
    on("2026-06-01", time)
}

fn on(day: &str, time: &str) -> DateTime<Utc> {
    let seconds = if time.len() == 5 { ":00" } else { "" };
    format!("{day}T{time}{seconds}Z").parse().unwrap()
}

fn tenant(id: &str) -> TenantId {
    id.parse().unwrap()
}

fn flow(id: &str) -> FlowId {
    id.parse().unwrap()
}

/// Flow `f` of a tenant with a corp of its own.
fn planned(id: &str, schedule: &str) -> ScheduledFlow {
    ScheduledFlow {
        tenant: tenant(id),
        flow: flow("f"),
        corp: id.to_owned(),
        schedule: (!schedule.is_empty()).then(|| Schedule::parse(schedule, Tz::UTC).unwrap()),
        settings: "as they are".to_owned(),
    }
}

/// A state of these flows, all first seen at noon.
fn state(flows: &[ScheduledFlow]) -> SchedulerState {
    let mut state = SchedulerState::default();
    state.set_flows(flows.to_vec(), at("12:00"));
    state
}

/// The runs that begin, as `tenant/flow why`, a batch in one text.
fn begins(state: &mut SchedulerState, now: DateTime<Utc>, at_once: usize) -> Vec<String> {
    let batches = state.take_due(now, at_once);
    let name = |due: &DueRun| format!("{}/{} {:?}", due.tenant, due.flow, due.trigger);
    batches.iter().map(|batch| batch.runs.iter().map(name).collect::<Vec<_>>().join(", ")).collect()
}

/// The reason why flow `a/f`, the only one, begins; none if it does not.
fn why(state: &mut SchedulerState, now: DateTime<Utc>) -> Option<Trigger> {
    let batches = state.take_due(now, 1);
    assert!(batches.len() <= 1);
    batches.first().map(|batch| batch.runs.first().unwrap().trigger)
}

fn end(state: &mut SchedulerState, id: &str, outcome: RunOutcome, now: DateTime<Utc>) {
    state.ended(&tenant(id), &flow("f"), outcome, now);
}

fn blocked(settings: &str) -> RunOutcome {
    RunOutcome::Blocked {
        service: RemoteService::Wecom,
        code: "wecom.60020".to_owned(),
        text: Text::new("not allowed to access from your ip", "IP 不在白名单"),
        hint: None,
        settings: settings.to_owned(),
    }
}

fn pause(state: &mut SchedulerState, id: &str, now: DateTime<Utc>) {
    let paused = Paused { who: "李雷".to_owned(), at: now, why: None };
    assert!(state.pause(&tenant(id), &flow("f"), paused));
}

fn schedule_state(state: &SchedulerState, id: &str, now: DateTime<Utc>) -> ScheduleState {
    let all = state.schedule_states(now, Duration::from_secs(15 * 60));
    all.into_iter().find(|schedule_state| schedule_state.tenant == tenant(id)).unwrap()
}

/// The state as a restarted process restores it.
fn restarted(mut state: SchedulerState, flows: &[ScheduledFlow], now: DateTime<Utc>) -> SchedulerState {
    let mut again = SchedulerState::restore(state.changed_rows(), vec![]);
    again.set_flows(flows.to_vec(), now);
    again
}
