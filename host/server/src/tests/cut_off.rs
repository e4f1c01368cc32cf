//! Runs during which the process ended.

use std::collections::BTreeMap;

use super::{Served, acme, now};
use ruzhi_plan::Counts;
use ruzhi_store::{RunKind, RunRow, RunState, WakeKind};

fn begun(id: &str, kind: RunKind) -> RunRow {
    RunRow {
        tenant: acme(),
        flow: "onboarding".parse().unwrap(),
        id: id.parse().unwrap(),
        kind,
        cause: None,
        state: RunState::Running,
        started_at: now(),
        ended_at: None,
        plan: None,
        rules: None,
        counts: Counts::default(),
        calls: BTreeMap::new(),
        problem: None,
        failure: None,
    }
}

#[tokio::test]
async fn the_work_of_a_run_that_was_killed_is_due_until_it_is_done_whatever_runs_in_between() {
    let served = Served::full().await;
    let app = &served.state.app;
    let flow = "onboarding".parse().unwrap();
    let kept = async || {
        let wakes = app.store.wakes_list().await.unwrap();
        wakes.into_iter().map(|wake| (wake.flow, wake.kind)).collect::<Vec<_>>()
    };
    app.store.run_put(&begun("killed-check", RunKind::Drift)).await.unwrap();
    ruzhi_scheduler::restore(app).await.unwrap();
    assert_eq!(kept().await, [], "a run that writes nothing has no work left");

    app.store.run_put(&begun("killed-sync", RunKind::Sync)).await.unwrap();
    ruzhi_scheduler::restore(app).await.unwrap();
    // A person asks for a plan, which ends the row of the killed run, and the process is restarted.
    app.store.runs_abandon(&acme(), &flow, &"plan".parse().unwrap(), now()).await.unwrap();
    ruzhi_scheduler::restore(app).await.unwrap();
    assert_eq!(kept().await, [(flow, WakeKind::CutOff)]);
}
