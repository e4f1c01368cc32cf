//! The long-running process: keeps every flow on time, shows what happens, and sends alerts.
//!
//! It has four tasks. The *scheduler* (a crate of its own) starts runs; the *watch* polls the configuration files and
//! exchanges the deployment; the *alerts* notify people; the *server* answers pages, the API and the services' pushes.
//! None of them brings data into a run: a timer, a push and a person only wake it. The use cases of pages and API are
//! in the crate `app`, once; `api` writes their results as JSON and `pages` as HTML.

pub mod alerts;
pub mod api;
pub mod auth;
mod connections;
mod input;
mod local_socket;
pub mod pages;
mod server;
mod state;
mod streams;
pub mod telemetry;
#[cfg(test)]
pub(crate) mod tests;
mod turns;
mod warnings;
mod watch;
pub mod webhooks;

pub use local_socket::{LocalListener, LocalSocket, USER_HEADER};
pub use server::router;
pub use state::AppState;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::net::TcpListener;

use alerts::handle::Alerts;
use ruzhi_app::audit::delete_idle;

use ruzhi_app::deployment::Deployment;
use ruzhi_app::scheduler::Scheduler;
use ruzhi_message::Report;
use ruzhi_model::Clock;
use ruzhi_scheduler::SchedulerContext;

/// Serves a deployment until it is told to quit.
pub async fn run(
    deployment: Deployment,
    listener: TcpListener,
    local: Option<LocalListener>,
    clock: Arc<dyn Clock>,
) -> Result<(), Report> {
    let quit = deployment.quit.clone();
    let (scheduler, inbox) = Scheduler::new();
    let (alerts, hearing) = Alerts::new();
    let state = Arc::new(AppState::new(deployment, clock, scheduler, alerts));
    // Requests are answered only after this: an earlier push would both be read from the store and arrive as a message.
    let scheduler_state = ruzhi_scheduler::restore(&state.app).await?;
    let watched = tokio::spawn(watch::watch(Arc::clone(&state)));
    let tidied = tokio::spawn(tidy(Arc::clone(&state)));
    let told = tokio::spawn(alerts::run(Arc::clone(&state.app), hearing));
    let commanded = tokio::spawn(local_socket::answer(Arc::clone(&state), local));
    let answered = tokio::spawn(server::answer(Arc::clone(&state), listener));
    let context = SchedulerContext {
        app: Arc::clone(&state.app),
        heartbeat: Arc::clone(&state.heartbeat),
        observer: Arc::new(state.alerts.clone()),
        quit: quit.clone(),
    };
    let kept = tokio::spawn(ruzhi_scheduler::run(context, scheduler_state, inbox)).await;
    // When the scheduler ends, for any reason, everything else ends.
    quit.cancel();
    let broken = |error: &dyn std::error::Error| Report::io("go on serving", "继续运行", error);
    drop(tokio::join!(watched, told, tidied, commanded));
    answered.await.map_err(|error| broken(&error))?;
    kept.map_err(|error| broken(&error))?
}

/// Interval between clean-ups.
const TIDY: Duration = Duration::from_secs(60 * 60);

/// Audit rows of actions that changed nothing are kept this long.
const IDLE_AUDIT: TimeDelta = TimeDelta::days(90);

/// Removes unused compiled components and outdated audit rows, until the process is to end.
async fn tidy(state: Arc<AppState>) {
    loop {
        state.app.deployment().prune_cache().await;
        if let Err(error) = delete_idle(&state.app.store, state.app.clock.now() - IDLE_AUDIT).await {
            tracing::warn!(
                error.code = error.code(),
                "the audit log could not be tidied; it is tried again in an hour"
            );
        }
        tokio::select! {
            () = state.quit.cancelled() => return,
            () = tokio::time::sleep(TIDY) => {}
        }
    }
}
