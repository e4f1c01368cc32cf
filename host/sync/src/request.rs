//! Requests to a run.

use ruzhi_model::{PlanId, RunId};
use ruzhi_plan::{AdoptBy, DriftResolution};
use ruzhi_store::RunKind;

/// Options a person may set for a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Read the whole form, decide every row again, and try quarantined records again.
    pub full: bool,
    /// Believe the form even if most of its rows are missing.
    pub accept_missing: bool,
}

impl RunOptions {
    /// The request, as worded in the audit log.
    pub fn told(self, what: &str) -> String {
        let full = if self.full { " full" } else { "" };
        let accept = if self.accept_missing { " accept_missing" } else { "" };
        format!("{what}{full}{accept}")
    }
}

/// The task of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunTask {
    /// Collect, decide and plan, and write nothing to the directory.
    Plan(RunOptions),
    /// Plan, and apply the plan if the guard lets it pass.
    Sync(RunOptions),
    /// Apply a stored plan, if the data is still as it was when the plan was made.
    Apply {
        /// The plan.
        plan: PlanId,
        /// A person approves it although the guard holds it.
        approved: bool,
    },
    /// Plan to adopt members who were in the directory before ruzhi.
    Adopt(AdoptBy),
    /// Plan to undo a run.
    Revert(RunId),
    /// Compare the directory with the ledger, and plan to settle the difference if asked to.
    Drift(Option<DriftResolution>),
}

impl RunTask {
    /// The kind of its work.
    pub fn kind(&self) -> RunKind {
        match self {
            Self::Plan(_) => RunKind::Plan,
            Self::Sync(_) => RunKind::Sync,
            Self::Apply { .. } => RunKind::Apply,
            Self::Adopt(_) => RunKind::Adopt,
            Self::Revert(_) => RunKind::Revert,
            Self::Drift(_) => RunKind::Drift,
        }
    }

    pub(super) fn options(&self) -> RunOptions {
        match self {
            Self::Plan(options) | Self::Sync(options) => *options,
            _ => RunOptions::default(),
        }
    }

    /// True if a plan is made and left unapplied.
    pub(super) fn only_plans(&self) -> bool {
        !matches!(self, Self::Sync(_) | Self::Apply { .. })
    }
}
