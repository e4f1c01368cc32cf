//! Runs during which the process ended.

use super::{Served, acme, now, run_begun};
use ruzhi_store::{RunKind, WakeKind};

#[tokio::test]
async fn the_work_of_a_run_that_was_killed_is_due_until_it_is_done_whatever_runs_in_between() {
    let served = Served::full().await;
    let app = &served.state.app;
    let flow = "onboarding".parse().unwrap();
    let kept = async || {
        let wakes = app.store.wakes_list().await.unwrap();
        wakes.into_iter().map(|wake| (wake.flow, wake.kind)).collect::<Vec<_>>()
    };
    app.store.run_put(&run_begun(&acme(), "killed-check", RunKind::Drift)).await.unwrap();
    ruzhi_scheduler::restore(app).await.unwrap();
    assert_eq!(kept().await, [], "a run that writes nothing has no work left");

    app.store.run_put(&run_begun(&acme(), "killed-sync", RunKind::Sync)).await.unwrap();
    ruzhi_scheduler::restore(app).await.unwrap();
    // A person asks for a plan, which ends the row of the killed run, and the process is restarted.
    app.store.runs_abandon(&acme(), &flow, &"plan".parse().unwrap(), now()).await.unwrap();
    ruzhi_scheduler::restore(app).await.unwrap();
    assert_eq!(kept().await, [(flow, WakeKind::CutOff)]);
}
