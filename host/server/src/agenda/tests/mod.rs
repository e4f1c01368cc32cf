//! The rules of the agenda, one by one, over random histories, and over many tenants for days.

use chrono_tz::Tz;

use super::*;
use ruzhi_app::scheduler::StandingState;
use ruzhi_store::WakeKind;

mod many;
mod moments;
mod obstacles;
mod order;
mod random;
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
fn planned(id: &str, schedule: &str) -> AgendaFlow {
    AgendaFlow {
        tenant: tenant(id),
        flow: flow("f"),
        corp: id.to_owned(),
        schedule: (!schedule.is_empty()).then(|| Schedule::new(schedule, Tz::UTC).unwrap()),
        settings: "as they are".to_owned(),
    }
}

/// An agenda of these flows, all first seen at noon.
fn agenda(flows: &[AgendaFlow]) -> Agenda {
    let mut agenda = Agenda::default();
    agenda.set_flows(flows.to_vec(), at("12:00"));
    agenda
}

/// The runs that begin, as `tenant/flow why`, a batch in one text.
fn begins(agenda: &mut Agenda, now: DateTime<Utc>, at_once: usize) -> Vec<String> {
    let batches = agenda.take_due(now, at_once);
    let name = |due: &Due| format!("{}/{} {:?}", due.tenant, due.flow, due.why);
    batches.iter().map(|batch| batch.runs.iter().map(name).collect::<Vec<_>>().join(", ")).collect()
}

/// The reason why flow `a/f`, the only one, begins; none if it does not.
fn why(agenda: &mut Agenda, now: DateTime<Utc>) -> Option<Why> {
    let batches = agenda.take_due(now, 1);
    assert!(batches.len() <= 1);
    batches.first().map(|batch| batch.runs.first().unwrap().why)
}

fn end(agenda: &mut Agenda, id: &str, outcome: Outcome, now: DateTime<Utc>) {
    agenda.ended(&tenant(id), &flow("f"), outcome, now);
}

fn blocked(settings: &str) -> Outcome {
    Outcome::Blocked {
        code: "wecom.60020".to_owned(),
        text: Text::new("not allowed to access from your ip", "IP 不在白名单"),
        hint: None,
        settings: settings.to_owned(),
    }
}

fn pause(agenda: &mut Agenda, id: &str, now: DateTime<Utc>) {
    let paused = Paused { who: "李雷".to_owned(), at: now, why: None };
    assert!(agenda.pause(&tenant(id), &flow("f"), paused));
}

fn standing(agenda: &Agenda, id: &str, now: DateTime<Utc>) -> FlowStanding {
    let all = agenda.standings(now, Duration::from_secs(15 * 60));
    all.into_iter().find(|standing| standing.tenant == tenant(id)).unwrap()
}

/// The agenda as a restarted process restores it.
fn restarted(mut agenda: Agenda, flows: &[AgendaFlow], now: DateTime<Utc>) -> Agenda {
    let mut again = Agenda::restore(agenda.changed_rows(), vec![]);
    again.set_flows(flows.to_vec(), now);
    again
}
