//! A case run on a guest.

use std::time::Duration;

use super::GuestCase;
use super::difference::CaseDifference;
use ruzhi_guest_runtime::{BATCH, BatchError, Guest};
use ruzhi_model::Outcome;

/// The result and its cost.
#[derive(Debug)]
pub struct CaseTrial {
    /// The result.
    pub finding: CaseFinding,
    /// Wall time, including instantiation.
    pub wall: Duration,
    /// Executed instructions, if the guest's engine counts them.
    pub fuel: Option<u64>,
    /// Peak memory of an instance, in bytes.
    pub peak: usize,
}

/// The result of a case.
#[derive(Debug)]
pub enum CaseFinding {
    /// Every row was decided as expected.
    Agrees,
    /// Some rows were not. `found` has a decision for each row.
    Differs {
        /// The rows that differ; empty if the case expects nothing comparable.
        differences: Vec<CaseDifference>,
        /// One decision for each row.
        found: Vec<Outcome>,
    },
    /// The guest made no decisions.
    Failed(BatchError),
}

impl GuestCase {
    /// Decides the rows as a run does, each batch in its own instance, and compares. Without `expected` the finding
    /// is [`CaseFinding::Differs`] unless the guest fails.
    pub fn try_on(&self, guest: &Guest, expected: Option<&[Outcome]>) -> CaseTrial {
        let (context, records) = (self.context(), self.records(guest.description()));
        let mut trial = CaseTrial { finding: CaseFinding::Agrees, wall: Duration::ZERO, fuel: None, peak: 0 };
        let mut found = Vec::with_capacity(records.len());
        for batch in records.chunks(BATCH) {
            let measured = guest.measure(&context, batch);
            trial.wall += measured.wall;
            trial.fuel =
                measured.fuel.map(|fuel| trial.fuel.unwrap_or(0).saturating_add(fuel)).or(trial.fuel);
            trial.peak = trial.peak.max(measured.peak);
            match measured.outcomes {
                Ok(outcomes) => found.extend(outcomes),
                Err(error) => {
                    trial.finding = CaseFinding::Failed(error);
                    return trial;
                }
            }
        }
        let differences = expected.map(|expected| self.differences(expected, &found));
        if differences.as_ref().is_none_or(|differences| !differences.is_empty()) {
            trial.finding = CaseFinding::Differs { differences: differences.unwrap_or_default(), found };
        }
        trial
    }
}
