//! The process that stays: keeps every flow on time, shows what happens, and tells who has to know.
//!
//! Four tasks. The *scheduler* owns the agenda and starts runs; the *watch* looks at the files and exchanges the
//! deployment; the *alarms* tell people; the *server* answers pages, the API and the services' pushes. None of them
//! brings data into a run: a timer, a push and a person only wake it. What a person asks for and what they are shown is
//! in `desk`, once; `api` writes it as JSON and `pages` as HTML.

pub mod access;
pub mod agenda;
pub mod alarm;
pub mod api;
mod claim;
mod connections;
pub mod desk;
pub mod hooks;
mod input;
mod keeping;
mod live;
pub mod pages;
mod process;
mod runner;
mod scheduler;
mod server;
pub mod signals;
mod streams;
#[cfg(test)]
pub(crate) mod tests;
mod turns;
mod warnings;
mod watch;

pub use live::{Live, LiveRun};
pub use process::Process;
pub use scheduler::{Asked, Ended, FlowStanding, Scheduler, StandingState, Wake};
pub use server::router;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::net::TcpListener;

use ruzhi_app::deployment::Deployment;
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
    // Nothing is answered before: a push that came meanwhile would be both read from the store and told.
    let agenda = keeping::restore(&process).await?;
    let watched = tokio::spawn(watch::watch(Arc::clone(&process)));
    let tidied = tokio::spawn(tidy(Arc::clone(&process)));
    let told = tokio::spawn(alarm::tell(Arc::clone(&process), hearing));
    let answered = tokio::spawn(server::answer(Arc::clone(&process), listener));
    let kept = tokio::spawn(keeping::keep(Arc::clone(&process), agenda, inbox)).await;
    // Whatever ended the scheduler ends the rest.
    quit.cancel();
    let broken = |error: &dyn std::error::Error| Failure::io("go on serving", "继续运行", error);
    drop(tokio::join!(watched, told, tidied));
    answered.await.map_err(|error| broken(&error))?;
    kept.map_err(|error| broken(&error))?
}

/// How often what lies about is put away.
const TIDY: Duration = Duration::from_secs(60 * 60);

/// What changed nothing stays in the audit log for so long.
const IDLE_AUDIT: TimeDelta = TimeDelta::days(90);

/// Puts away compiled components that nobody uses any more and what of the audit log is of no use any more, until the
/// process is to end.
async fn tidy(process: Arc<Process>) {
    loop {
        process.deployment().prune_cache().await;
        if let Err(error) = process.store.forget_idle_audit(process.clock.now() - IDLE_AUDIT).await {
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
