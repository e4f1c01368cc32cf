//! Notifies people of events, with the suggested next step.
//!
//! Observations (a run that ended, a look at the flows, a count in the store) go into the [`watch`], which turns them
//! into conditions that hold or no longer hold; the [`book`] turns these into alarms and knows which channels were
//! told; the [`delivery`] sends messages to group robots and other addresses. The first two are pure. One task owns all
//! three, and no caller ever waits for it.

mod address;
mod book;
mod cause;
mod delivery;
mod message;
mod task;
mod watch;

#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::mpsc;

use address::Addresses;
use task::{Said, Telling};

use super::process::Process;
use ruzhi_app::scheduler::{Ended, FlowStanding};
use ruzhi_message::Failure;
use ruzhi_store::AlarmRow;

/// The receiving end of the handle, for the task.
pub struct Hearing {
    heard: mpsc::UnboundedReceiver<Said>,
    standing: Arc<RwLock<Vec<AlarmRow>>>,
}

/// Sends alarms until the process is to end, and once more then.
pub async fn tell(process: Arc<Process>, hearing: Hearing) {
    let Hearing { heard, standing } = hearing;
    let (store, clock) = (Arc::clone(&process.app.store), Arc::clone(&process.app.clock));
    let quit = process.app.deployment().quit.clone();
    let addresses = Box::new(move || Addresses::of(&process.app.deployment().config));
    let transport = Arc::new(delivery::Http::new());
    Telling::new(store, clock, addresses, transport, standing).until(quit, heard).await;
}

/// The handle of the alarms. None of its methods wait.
#[derive(Clone, Default)]
pub struct Alarms {
    said: Option<mpsc::UnboundedSender<Said>>,
    standing: Arc<RwLock<Vec<AlarmRow>>>,
}

impl Alarms {
    /// The handle, and its receiving end for [`tell`].
    pub fn new() -> (Self, Hearing) {
        let (said, heard) = mpsc::unbounded_channel();
        let alarms = Self { said: Some(said), standing: Arc::default() };
        let standing = Arc::clone(&alarms.standing);
        (alarms, Hearing { heard, standing })
    }

    /// Reports that a run has ended, or that a flow could not run.
    pub fn run_ended(&self, ended: &Ended) {
        self.say(Said::Ended(Box::new(ended.clone())));
    }

    /// Reports the state of the flows, every minute.
    pub fn looked(&self, standings: &[FlowStanding]) {
        self.say(Said::Looked(standings.to_vec()));
    }

    /// Reports why the configuration on disk is not fully in use; none once it is.
    pub fn files(&self, refused: Option<&Failure>) {
        self.say(Said::Files(refused.cloned()));
    }

    /// The list of the alarms that stand, latest first, as it is kept up to date.
    pub(super) fn list(&self) -> Arc<RwLock<Vec<AlarmRow>>> {
        Arc::clone(&self.standing)
    }

    /// The alarms that stand, latest first.
    pub fn standing(&self) -> Vec<AlarmRow> {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Messages are dropped once the task has ended.
    fn say(&self, said: Said) {
        if let Some(to) = &self.said {
            let _ = to.send(said);
        }
    }
}
