//! A plan's result for one record.

use ruzhi_model::{Operation, RejectedBy, Rejection, Text, Violation};

/// A plan's result for one record of its flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// An operation carries it out.
    Operation(Box<Operation>),
    /// The directory is as the record wants it.
    Unchanged {
        /// The record owns the member, and the ledger may say that its decision is carried out.
        confirmed: bool,
    },
    /// The record asks for nothing in the directory.
    Ignored {
        /// The reason.
        reason: Text,
    },
    /// The record is in quarantine.
    Rejected {
        /// The reason.
        rejection: Rejection,
    },
    /// The record could not be decided.
    Failed {
        /// The reason.
        reason: String,
    },
}

/// A plan's result for one record, and the rest that its person waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPlan {
    /// The result for the record.
    pub disposition: Disposition,
    /// An entry of the quarantine that holds nothing else of the record back: its direct leader is missing.
    pub pending: Option<Rejection>,
}

impl From<Disposition> for RecordPlan {
    fn from(disposition: Disposition) -> Self {
        Self { disposition, pending: None }
    }
}

pub(super) const UNCHANGED: Disposition = Disposition::Unchanged { confirmed: false };

/// A rejection by the plan itself.
pub(super) fn plan_rejection(violations: Vec<Violation>) -> Rejection {
    Rejection::new(RejectedBy::Plan, violations)
}

/// A record that the plan itself rejects.
pub(super) fn rejected(violations: Vec<Violation>) -> Disposition {
    Disposition::Rejected { rejection: plan_rejection(violations) }
}
