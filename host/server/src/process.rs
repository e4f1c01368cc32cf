//! What the tasks of the process share.

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
    /// What the files hold and does not run, and why.
    refused: RwLock<Option<Failure>>,
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// Where the moment comes from.
    pub clock: Arc<dyn Clock>,
    /// The runs that are under way.
    pub live: Live,
    /// Starts runs.
    pub scheduler: Scheduler,
    /// Tells people.
    pub alarms: Alarms,
    /// Cancelled when the process is to end.
    pub quit: CancellationToken,
    /// Who came in.
    pub(super) access: Access,
    /// What bounds pushes before it is known who sends them.
    pub(super) gate: Gate,
    /// Events that are followed.
    pub(super) streams: Streams,
    /// Whether the scheduler still looks at its agenda.
    pub pulse: Pulse,
    /// Since when it runs.
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

    /// The deployment that runs now. Whoever holds it works on with it; the next one to ask may get another.
    pub fn deployment(&self) -> Arc<Deployment> {
        Arc::clone(&self.deployment.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Exchanges the deployment. `refused` is what of the files could not be taken over.
    pub(super) fn exchange(&self, deployment: Deployment, refused: Option<Failure>) {
        *self.deployment.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(deployment);
        self.refuse(refused);
    }

    /// Notes what of the files does not run.
    pub(super) fn refuse(&self, refused: Option<Failure>) {
        *self.refused.write().unwrap_or_else(PoisonError::into_inner) = refused;
    }

    /// What the files hold and does not run: running is not desired.
    pub fn refused(&self) -> Option<Failure> {
        self.refused.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
