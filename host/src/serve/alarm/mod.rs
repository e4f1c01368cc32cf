//! Tells people what has happened, and what to do next.

use super::scheduler::{Ended, FlowStanding};
use crate::failure::Failure;
use crate::store::AlarmRow;

/// The handle by which everybody speaks to the alarms. Nothing of it waits.
#[derive(Clone, Default)]
pub struct Alarms {}

impl Alarms {
    /// A run has ended, or a flow could not run.
    pub fn run_ended(&self, _ended: &Ended) {}

    /// How the flows stand, said every minute.
    pub fn looked(&self, _standings: &[FlowStanding]) {}

    /// What of the files could not be taken over; none once all of it runs.
    pub fn files(&self, _refused: Option<&Failure>) {}

    /// The alarms that stand, the latest first.
    pub fn standing(&self) -> Vec<AlarmRow> {
        Vec::new()
    }
}
