//! Outcomes, counted.

use serde::{Deserialize, Serialize};

use super::planner::{Plan, Standing};
use crate::model::OperationKind;

/// Outcomes of a run, by kind. Unchanged, ignored, refused and failed count every record of the flow, not only the
/// rows that were fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// New members.
    pub created: u64,
    /// Members with changed fields.
    pub updated: u64,
    /// Members that may no longer log in.
    pub disabled: u64,
    /// Members that may log in again.
    pub enabled: u64,
    /// Members removed.
    pub deleted: u64,
    /// Records whose member is as they want it.
    pub unchanged: u64,
    /// Records that say nothing of the directory.
    pub ignored: u64,
    /// Records in quarantine.
    pub refused: u64,
    /// Records that could not be decided or written; the next run tries them again.
    pub failed: u64,
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            created: self.created + other.created,
            updated: self.updated + other.updated,
            disabled: self.disabled + other.disabled,
            enabled: self.enabled + other.enabled,
            deleted: self.deleted + other.deleted,
            unchanged: self.unchanged + other.unchanged,
            ignored: self.ignored + other.ignored,
            refused: self.refused + other.refused,
            failed: self.failed + other.failed,
        }
    }
}

impl Counts {
    /// Counts an operation that was done, or would be.
    pub fn count(&mut self, kind: OperationKind) {
        match kind {
            OperationKind::Create => self.created += 1,
            OperationKind::Update => self.updated += 1,
            OperationKind::Disable => self.disabled += 1,
            OperationKind::Enable => self.enabled += 1,
            OperationKind::Delete => self.deleted += 1,
        }
    }

    /// Writes done.
    pub fn writes(&self) -> u64 {
        self.created + self.updated + self.disabled + self.enabled + self.deleted
    }
}

impl Plan {
    /// What the plan comes to if every operation succeeds.
    pub fn counts(&self) -> Counts {
        let mut counts = self.standing_counts();
        for operation in &self.operations {
            counts.count(operation.kind);
        }
        counts
    }

    /// The records that no operation is for.
    pub fn standing_counts(&self) -> Counts {
        let mut counts = Counts::default();
        for standing in self.standings.values() {
            match standing {
                Standing::Acting { .. } => {}
                Standing::Unchanged => counts.unchanged += 1,
                Standing::Ignored { .. } => counts.ignored += 1,
                Standing::Refused { .. } => counts.refused += 1,
                Standing::Failed { .. } => counts.failed += 1,
            }
        }
        counts
    }
}
