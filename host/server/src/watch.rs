//! Polls the configuration files and exchanges the deployment when they change.
//!
//! Files are polled because a mounted volume, a network share or a rename in place sends a listener too few events or
//! too many. A change takes effect once the files are the same in two polls, so that a file is not read while it is
//! being written.

use std::sync::Arc;
use std::time::Duration;

use super::state::AppState;
use ruzhi_app::deployment;
use ruzhi_app::scheduler::Wake;
use ruzhi_config::{self as config, Config, Fingerprint, Problems, ProcessEnvironment};
use ruzhi_message::Report;

/// Interval between polls.
const LOOK: Duration = Duration::from_secs(2);

/// Watches the files until the process is to end.
pub(super) async fn watch(state: Arc<AppState>) {
    let mut seen = None;
    loop {
        tokio::select! {
            () = state.quit.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let deployment = state.app.deployment();
        let taken = deployment.config.fingerprint.clone();
        let Some(now) = beside(&state, move || Fingerprint::of(&deployment.config)).await else { return };
        if now != taken && seen.as_ref() == Some(&now) {
            let deployment = state.app.deployment();
            let Some((config, problems)) = beside(&state, move || reload(&deployment.config)).await else {
                return;
            };
            take_up(&state, (config, problems), &taken, &now);
        }
        seen = Some(now);
    }
}

/// Runs work that may block on file systems on a thread of its own; none if the process is to end before it is done.
async fn beside<T: Send + 'static>(state: &AppState, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::select! {
        () = state.quit.cancelled() => None,
        done = tokio::task::spawn_blocking(work) => done.ok(),
    }
}

fn reload(before: &Config) -> (Config, Option<Problems>) {
    Config::reload(&before.dir, &ProcessEnvironment, &deployment::checks(), before)
}

/// Puts the valid part of the files into effect.
fn take_up(
    state: &Arc<AppState>,
    (config, problems): (Config, Option<Problems>),
    before: &Fingerprint,
    now: &Fingerprint,
) {
    let deployment = state.app.deployment();
    let invalid = problems.map(Report::from);
    match &invalid {
        // A file that cannot be read fails on every poll: its error is logged once.
        Some(report) if same(state.app.invalid().as_ref(), report) => {}
        Some(report) => log(report),
        None => tracing::info!("the files have changed and are taken up"),
    }
    let rules = rules_changed(&config, before, now);
    state.app.exchange(deployment.with(config), invalid.clone());
    state.app.scheduler.exchanged();
    state.alerts.files(invalid.as_ref());
    for (tenant, flow) in rules {
        state.app.scheduler.wake(&tenant, &flow, Wake::Rules);
    }
}

/// True if the problems are the same as before.
fn same(before: Option<&Report>, now: &Report) -> bool {
    let list = |report: &Report| report.problems().map(|problems| problems.list.clone());
    before.is_some_and(|before| list(before) == list(now))
}

/// Logs each problem with its place.
fn log(report: &Report) {
    tracing::warn!(error.code = report.code(), "the files are not taken up whole: {}", report.text().en);
    for problem in report.problems().iter().flat_map(|problems| &problems.list) {
        tracing::warn!(
            config.file = %problem.file.display(),
            config.line = problem.line,
            "{}",
            problem.text.en
        );
    }
}

/// The flows with a changed component or rules file.
fn rules_changed(
    config: &Config,
    before: &Fingerprint,
    now: &Fingerprint,
) -> Vec<(ruzhi_model::TenantId, ruzhi_model::FlowId)> {
    let changed = |flow: &config::FlowConfig| {
        let files = std::iter::once(&flow.guest.component).chain(&flow.guest.config);
        files.into_iter().any(|file| before.differs_at(now, file))
    };
    let flows = config.tenants.iter().flat_map(|tenant| tenant.flows.iter().map(move |flow| (tenant, flow)));
    flows
        .filter(|(_, flow)| changed(flow))
        .map(|(tenant, flow)| (tenant.id.clone(), flow.id.clone()))
        .collect()
}
