//! Tells people what has happened, and what to do next.
//!
//! What is seen (a run that ended, a look at the flows, a count in the store) goes into the [`watch`], which says what
//! is so and what no longer is; the [`book`] makes alarms of it and knows who was told; the [`delivery`] takes messages to
//! group robots and other addresses. The first two are pure. One task owns all three, and nobody ever waits for it.

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
use super::scheduler::{Ended, FlowStanding};
use ruzhi_message::Failure;
use ruzhi_store::AlarmRow;

/// What is said to the alarms, on its way to the task.
pub struct Hearing {
    heard: mpsc::UnboundedReceiver<Said>,
    standing: Arc<RwLock<Vec<AlarmRow>>>,
}

/// Tells people until the process is to end, and what is due then once more.
pub async fn tell(process: Arc<Process>, hearing: Hearing) {
    let Hearing { heard, standing } = hearing;
    let (store, clock) = (Arc::clone(&process.store), Arc::clone(&process.clock));
    let quit = process.deployment().quit.clone();
    let addresses = Box::new(move || Addresses::of(&process.deployment().config));
    let transport = Arc::new(delivery::Http::new());
    Telling::new(store, clock, addresses, transport, standing).until(quit, heard).await;
}

/// The handle by which everybody speaks to the alarms. Nothing of it waits.
#[derive(Clone, Default)]
pub struct Alarms {
    said: Option<mpsc::UnboundedSender<Said>>,
    standing: Arc<RwLock<Vec<AlarmRow>>>,
}

impl Alarms {
    /// The handle, and what [`tell`] hears by it.
    pub fn new() -> (Self, Hearing) {
        let (said, heard) = mpsc::unbounded_channel();
        let alarms = Self { said: Some(said), standing: Arc::default() };
        let standing = Arc::clone(&alarms.standing);
        (alarms, Hearing { heard, standing })
    }

    /// A run has ended, or a flow could not run.
    pub fn run_ended(&self, ended: &Ended) {
        self.say(Said::Ended(Box::new(ended.clone())));
    }

    /// How the flows stand, said every minute.
    pub fn looked(&self, standings: &[FlowStanding]) {
        self.say(Said::Looked(standings.to_vec()));
    }

    /// What of the files could not be taken over; none once all of it runs.
    pub fn files(&self, refused: Option<&Failure>) {
        self.say(Said::Files(refused.cloned()));
    }

    /// The alarms that stand, the latest first.
    pub fn standing(&self) -> Vec<AlarmRow> {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Once the task has ended, nobody is told any more.
    fn say(&self, said: Said) {
        if let Some(to) = &self.said {
            let _ = to.send(said);
        }
    }
}
