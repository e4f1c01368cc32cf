//! Work that waits for the next run of a flow.

use chrono::{DateTime, Utc};

/// Reasons for the flow's work apart from the schedule and the retries.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pending {
    pub(super) push: Option<DateTime<Utc>>,
    /// A run that was cut off with the process before this one.
    pub(super) cut_off: Option<DateTime<Utc>>,
    /// Work left undone when the flow was stopped, due once it continues.
    pub(super) unfinished: Option<DateTime<Utc>>,
}

impl Pending {
    /// Makes due again what a run took up and did not do.
    pub(super) fn give_back(&mut self, taken: Self) {
        self.push = taken.push.or(self.push);
        self.cut_off = taken.cut_off.or(self.cut_off);
        self.unfinished = taken.unfinished.or(self.unfinished);
    }

    /// Pulls back what was noted of later moments.
    pub(super) fn pull_back(&mut self, now: DateTime<Utc>) {
        self.push = self.push.map(|at| at.min(now));
        self.cut_off = self.cut_off.map(|at| at.min(now));
        self.unfinished = self.unfinished.map(|at| at.min(now));
    }
}
