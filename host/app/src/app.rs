//! The state that use cases share.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};

use super::deployment::Deployment;
use super::live::LiveRuns;
use super::scheduler::Scheduler;
use super::tally::Tally;
use ruzhi_message::Report;
use ruzhi_model::Clock;
use ruzhi_store::{AlertRow, Database, StoreLock};

/// Denied actions of one person in an hour that are each audited.
const DENIALS: u32 = 60;

/// The context of every use case.
pub struct App {
    deployment: RwLock<Arc<Deployment>>,
    /// The reason the configuration on disk is not fully in use.
    invalid: RwLock<Option<Report>>,
    alerts: Arc<RwLock<Vec<AlertRow>>>,
    /// The store.
    pub store: Arc<Database>,
    /// The source of the time.
    pub clock: Arc<dyn Clock>,
    /// The runs under way.
    pub live: LiveRuns,
    /// Starts runs.
    pub scheduler: Scheduler,
    /// Denied actions, by person.
    pub(crate) denials: Tally,
    /// The start of the process.
    pub started_at: DateTime<Utc>,
}

impl App {
    /// The use cases over a deployment. `alerts` is the list of those that stand.
    pub fn new(
        deployment: Deployment,
        clock: Arc<dyn Clock>,
        scheduler: Scheduler,
        alerts: Arc<RwLock<Vec<AlertRow>>>,
    ) -> Self {
        Self {
            store: Arc::clone(&deployment.store),
            started_at: clock.now(),
            deployment: RwLock::new(Arc::new(deployment)),
            invalid: RwLock::new(None),
            alerts,
            clock,
            live: LiveRuns::default(),
            scheduler,
            denials: Tally::new(DENIALS),
        }
    }

    /// The use cases of a command, beside the process that may run flows.
    pub fn of_command(deployment: Deployment, clock: Arc<dyn Clock>) -> Self {
        Self::new(deployment, clock, Scheduler::absent(), Arc::default())
    }

    /// Keeps other processes from running flows; the process that runs them has no need to.
    pub(crate) fn lock_store(&self) -> Result<Option<StoreLock>, Report> {
        match self.scheduler.is_absent() {
            true => Ok(Some(Database::lock(&self.deployment().config.store.path)?)),
            false => Ok(None),
        }
    }

    /// The current deployment. A holder keeps working with it after an exchange.
    pub fn deployment(&self) -> Arc<Deployment> {
        Arc::clone(&self.deployment.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Exchanges the deployment. `invalid` is the part of the files that could not be loaded.
    pub fn exchange(&self, deployment: Deployment, invalid: Option<Report>) {
        *self.deployment.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(deployment);
        self.set_invalid(invalid);
    }

    /// Notes the reason the configuration on disk is not fully in use.
    pub fn set_invalid(&self, invalid: Option<Report>) {
        *self.invalid.write().unwrap_or_else(PoisonError::into_inner) = invalid;
    }

    /// The reason the configuration on disk is not fully in use.
    pub fn invalid(&self) -> Option<Report> {
        self.invalid.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The alerts that stand, latest first.
    pub fn active_alerts(&self) -> Vec<AlertRow> {
        self.alerts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
