//! State shared by the tasks of the process.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::alarm::Alarms;
use super::hooks::Gate;
use super::signals::Pulse;
use super::streams::Streams;
use ruzhi_app::App;
use ruzhi_app::deployment::Deployment;
use ruzhi_app::scheduler::Scheduler;
use ruzhi_model::Clock;

/// The running process.
pub struct Process {
    /// The use cases, with deployment, store, clock and scheduler.
    pub app: App,
    /// Notifies people.
    pub alarms: Alarms,
    /// Cancelled when the process is to end.
    pub quit: CancellationToken,
    /// The sessions, and the limits on logins and wrong tokens.
    pub(super) access: Access,
    /// The limits on pushes of unknown senders.
    pub(super) gate: Gate,
    /// The event streams being followed.
    pub(super) streams: Streams,
    /// Shows whether the scheduler still works.
    pub pulse: Pulse,
}

impl Process {
    /// A process over a deployment.
    pub fn new(deployment: Deployment, clock: Arc<dyn Clock>, scheduler: Scheduler, alarms: Alarms) -> Self {
        Self {
            quit: deployment.quit.clone(),
            pulse: Pulse::new(clock.now()),
            app: App::new(deployment, clock, scheduler, alarms.list()),
            access: Access::default(),
            gate: Gate::default(),
            streams: Streams::default(),
            alarms,
        }
    }
}
