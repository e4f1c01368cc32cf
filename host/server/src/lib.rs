//! The long-running process: keeps every flow on time, shows what happens, and sends alarms.
//!
//! It has four tasks. The *scheduler* owns the agenda and starts runs; the *watch* polls the configuration files and
//! exchanges the deployment; the *alarms* notify people; the *server* answers pages, the API and the services' pushes.
//! None of them brings data into a run: a timer, a push and a person only wake it. The use cases of pages and API are
//! in the crate `app`, once; `api` writes their results as JSON and `pages` as HTML.

pub mod access;
pub mod agenda;
pub mod alarm;
pub mod api;
mod connections;
pub mod hooks;
mod input;
mod keeping;
mod local_socket;
pub mod pages;
mod process;
mod runner;
mod server;
pub mod signals;
mod streams;
#[cfg(test)]
pub(crate) mod tests;
mod turns;
mod warnings;
mod watch;

pub use local_socket::{LocalSocket, USER_HEADER};
pub use process::Process;
pub use server::router;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::net::TcpListener;

use ruzhi_app::audit::delete_idle;
use ruzhi_app::deployment::Deployment;
use ruzhi_app::scheduler::Scheduler;
use ruzhi_message::Failure;
use ruzhi_model::Clock;

/// Serves a deployment until it is told to quit.
pub async fn run(
    deployment: Deployment,
    listener: TcpListener,
    clock: Arc<dyn Clock>,
) -> Result<(), Failure> {
    let quit = deployment.quit.clone();
    let (scheduler, inbox) = Scheduler::new();
    let (alarms, hearing) = alarm::Alarms::new();
    let process = Arc::new(Process::new(deployment, clock, scheduler, alarms));
    // Requests are answered only after this: an earlier push would both be read from the store and arrive as a message.
    let agenda = keeping::restore(&process).await?;
    let watched = tokio::spawn(watch::watch(Arc::clone(&process)));
    let tidied = tokio::spawn(tidy(Arc::clone(&process)));
    let told = tokio::spawn(alarm::tell(Arc::clone(&process), hearing));
    let commanded = tokio::spawn(local_socket::answer(Arc::clone(&process)));
    let answered = tokio::spawn(server::answer(Arc::clone(&process), listener));
    let kept = tokio::spawn(keeping::keep(Arc::clone(&process), agenda, inbox)).await;
    // When the scheduler ends, for any reason, everything else ends.
    quit.cancel();
    let broken = |error: &dyn std::error::Error| Failure::io("go on serving", "继续运行", error);
    drop(tokio::join!(watched, told, tidied, commanded));
    answered.await.map_err(|error| broken(&error))?;
    kept.map_err(|error| broken(&error))?
}

/// Interval between clean-ups.
const TIDY: Duration = Duration::from_secs(60 * 60);

/// Audit rows of actions that changed nothing are kept this long.
const IDLE_AUDIT: TimeDelta = TimeDelta::days(90);

/// Removes unused compiled components and outdated audit rows, until the process is to end.
async fn tidy(process: Arc<Process>) {
    loop {
        process.app.deployment().prune_cache().await;
        if let Err(error) = delete_idle(&process.app.store, process.app.clock.now() - IDLE_AUDIT).await {
            tracing::warn!(
                error.code = error.code(),
                "the audit log could not be tidied; it is tried again in an hour"
            );
        }
        tokio::select! {
            () = process.quit.cancelled() => return,
            () = tokio::time::sleep(TIDY) => {}
        }
    }
}
