//! State shared by the tasks of the process.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::alarm::Alarms;
use super::hooks::Gate;
use super::live::Live;
use super::scheduler::Scheduler;
use super::signals::Pulse;
use super::streams::Streams;
use ruzhi_app::deployment::Deployment;
use ruzhi_message::Failure;
use ruzhi_model::Clock;
use ruzhi_store::Store;

/// The running process.
pub struct Process {
    deployment: RwLock<Arc<Deployment>>,
    /// Why the configuration on disk is not in use; none if it is.
    refused: RwLock<Option<Failure>>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The source of the current time.
    pub clock: Arc<dyn Clock>,
    /// The runs that are under way.
    pub live: Live,
    /// Starts runs.
    pub scheduler: Scheduler,
    /// Sends alarms to people.
    pub alarms: Alarms,
    /// Cancelled when the process is to end.
    pub quit: CancellationToken,
    /// Sessions, and counts of logins and wrong tokens.
    pub(super) access: Access,
    /// Limits on pushes from unverified senders.
    pub(super) gate: Gate,
    /// Event streams being followed.
    pub(super) streams: Streams,
    /// The scheduler's sign of life.
    pub pulse: Pulse,
    /// The start of the process.
    pub started_at: DateTime<Utc>,
}

impl Process {
    /// A process over a deployment.
    pub fn new(deployment: Deployment, clock: Arc<dyn Clock>, scheduler: Scheduler, alarms: Alarms) -> Self {
        Self {
            store: Arc::clone(&deployment.store),
            started_at: clock.now(),
            quit: deployment.quit.clone(),
            pulse: Pulse::new(clock.now()),
            deployment: RwLock::new(Arc::new(deployment)),
            refused: RwLock::new(None),
            clock,
            live: Live::default(),
            access: Access::default(),
            gate: Gate::default(),
            streams: Streams::default(),
            scheduler,
            alarms,
        }
    }

    /// The current deployment. A caller may keep using it after it has been exchanged.
    pub fn deployment(&self) -> Arc<Deployment> {
        Arc::clone(&self.deployment.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Exchanges the deployment. `refused` is why part of the configuration on disk is not in use.
    pub(super) fn exchange(&self, deployment: Deployment, refused: Option<Failure>) {
        *self.deployment.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(deployment);
        self.refuse(refused);
    }

    /// Notes why the configuration on disk is not in use.
    pub(super) fn refuse(&self, refused: Option<Failure>) {
        *self.refused.write().unwrap_or_else(PoisonError::into_inner) = refused;
    }

    /// Why the configuration on disk is not in use: the running one differs from the desired one.
    pub fn refused(&self) -> Option<Failure> {
        self.refused.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
