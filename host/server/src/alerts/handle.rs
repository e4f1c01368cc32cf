//! The handle through which the process reports what its alerts depend on.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::mpsc;

use ruzhi_app::scheduler::{RunResult, ScheduleState};
use ruzhi_message::Report;
use ruzhi_scheduler::SchedulerObserver;
use ruzhi_store::AlertRow;

/// Reports to the task.
#[derive(Debug)]
pub(super) enum AlertObservation {
    /// A run has ended.
    RunEnded(Box<RunResult>),
    /// How the flows stand.
    FlowsChecked(Vec<ScheduleState>),
    /// Why the configuration on disk is not fully in use.
    FilesChanged(Option<Report>),
}

/// The receiving end of the handle, for the task.
pub struct AlertInbox {
    pub(super) heard: mpsc::UnboundedReceiver<AlertObservation>,
    pub(super) active: Arc<RwLock<Vec<AlertRow>>>,
}

/// The handle of the alerts. None of its methods wait.
#[derive(Clone, Default)]
pub struct Alerts {
    observations: Option<mpsc::UnboundedSender<AlertObservation>>,
    active: Arc<RwLock<Vec<AlertRow>>>,
}

impl Alerts {
    /// The handle, and its receiving end for the notifier.
    pub fn new() -> (Self, AlertInbox) {
        let (observations, heard) = mpsc::unbounded_channel();
        let alerts = Self { observations: Some(observations), active: Arc::default() };
        let active = Arc::clone(&alerts.active);
        (alerts, AlertInbox { heard, active })
    }

    /// Reports why the configuration on disk is not fully in use; none once it is.
    pub fn files(&self, invalid: Option<&Report>) {
        self.send(AlertObservation::FilesChanged(invalid.cloned()));
    }

    /// The list of the alerts that stand, latest first, as it is kept up to date.
    pub(crate) fn list(&self) -> Arc<RwLock<Vec<AlertRow>>> {
        Arc::clone(&self.active)
    }

    /// The alerts that stand, latest first.
    pub fn active(&self) -> Vec<AlertRow> {
        self.active.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Messages are dropped once the task has ended.
    fn send(&self, observation: AlertObservation) {
        if let Some(to) = &self.observations {
            let _ = to.send(observation);
        }
    }
}

impl SchedulerObserver for Alerts {
    fn run_ended(&self, ended: &RunResult) {
        self.send(AlertObservation::RunEnded(Box::new(ended.clone())));
    }

    fn flows_checked(&self, schedule_states: &[ScheduleState]) {
        self.send(AlertObservation::FlowsChecked(schedule_states.to_vec()));
    }
}
