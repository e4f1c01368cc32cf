//! The handle through which the process reports what its alarms depend on.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::mpsc;

use ruzhi_app::scheduler::{FlowStanding, RunResult};
use ruzhi_message::Report;
use ruzhi_scheduler::SchedulerObserver;
use ruzhi_store::AlarmRow;

/// Reports to the task.
#[derive(Debug)]
pub(super) enum AlarmObservation {
    /// A run has ended.
    RunEnded(Box<RunResult>),
    /// How the flows stand.
    FlowsChecked(Vec<FlowStanding>),
    /// Why the configuration on disk is not fully in use.
    FilesChanged(Option<Report>),
}

/// The receiving end of the handle, for the task.
pub struct AlarmInbox {
    pub(super) heard: mpsc::UnboundedReceiver<AlarmObservation>,
    pub(super) standing: Arc<RwLock<Vec<AlarmRow>>>,
}

/// The handle of the alarms. None of its methods wait.
#[derive(Clone, Default)]
pub struct Alarms {
    observations: Option<mpsc::UnboundedSender<AlarmObservation>>,
    standing: Arc<RwLock<Vec<AlarmRow>>>,
}

impl Alarms {
    /// The handle, and its receiving end for the notifier.
    pub fn new() -> (Self, AlarmInbox) {
        let (observations, heard) = mpsc::unbounded_channel();
        let alarms = Self { observations: Some(observations), standing: Arc::default() };
        let standing = Arc::clone(&alarms.standing);
        (alarms, AlarmInbox { heard, standing })
    }

    /// Reports why the configuration on disk is not fully in use; none once it is.
    pub fn files(&self, refused: Option<&Report>) {
        self.send(AlarmObservation::FilesChanged(refused.cloned()));
    }

    /// The list of the alarms that stand, latest first, as it is kept up to date.
    pub(crate) fn list(&self) -> Arc<RwLock<Vec<AlarmRow>>> {
        Arc::clone(&self.standing)
    }

    /// The alarms that stand, latest first.
    pub fn standing(&self) -> Vec<AlarmRow> {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Messages are dropped once the task has ended.
    fn send(&self, observation: AlarmObservation) {
        if let Some(to) = &self.observations {
            let _ = to.send(observation);
        }
    }
}

impl SchedulerObserver for Alarms {
    fn run_ended(&self, ended: &RunResult) {
        self.send(AlarmObservation::RunEnded(Box::new(ended.clone())));
    }

    fn flows_checked(&self, standings: &[FlowStanding]) {
        self.send(AlarmObservation::FlowsChecked(standings.to_vec()));
    }
}
