//! Outcomes, counted.

use serde::{Deserialize, Serialize};

use super::planner::Standing;
use ruzhi_model::OperationKind;

/// Outcomes of a run, by kind. Unchanged, ignored, rejected and failed count every record of the flow, not only the
/// rows that were fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
    /// Records that ask for nothing in the directory.
    pub ignored: u64,
    /// Records in quarantine.
    pub refused: u64,
    /// Records that could not be decided or written; the next run tries them again.
    pub failed: u64,
    /// Members that existed already and are now owned by ruzhi.
    #[serde(skip_serializing_if = "is_none")]
    pub adopted: u64,
    /// Members with changes by hand that stand.
    #[serde(skip_serializing_if = "is_none")]
    pub kept: u64,
    /// Operations not called because the run was stopped; the next run plans them again.
    #[serde(skip_serializing_if = "is_none")]
    pub untried: u64,
    /// People for whom the corp has no free account; the next run tries again.
    #[serde(skip_serializing_if = "is_none")]
    pub unplaced: u64,
}

impl Counts {
    /// Every outcome by its name.
    pub fn outcomes(&self) -> [(&'static str, u64); 13] {
        let Self {
            created,
            updated,
            disabled,
            enabled,
            deleted,
            unchanged,
            ignored,
            refused,
            failed,
            adopted,
            kept,
            untried,
            unplaced,
        } = *self;
        [
            ("created", created),
            ("updated", updated),
            ("disabled", disabled),
            ("enabled", enabled),
            ("deleted", deleted),
            ("unchanged", unchanged),
            ("ignored", ignored),
            ("refused", refused),
            ("failed", failed),
            ("adopted", adopted),
            ("kept", kept),
            ("untried", untried),
            ("unplaced", unplaced),
        ]
    }
}

fn is_none(count: &u64) -> bool {
    *count == 0
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
            adopted: self.adopted + other.adopted,
            kept: self.kept + other.kept,
            untried: self.untried + other.untried,
            unplaced: self.unplaced + other.unplaced,
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
            OperationKind::Adopt => self.adopted += 1,
            OperationKind::Keep => self.kept += 1,
        }
    }

    /// Counts a plan's result for a record.
    pub(super) fn stand(&mut self, standing: &Standing) {
        match standing {
            Standing::Acting(operation) => self.count(operation.kind),
            Standing::Unchanged { .. } => self.unchanged += 1,
            Standing::Ignored { .. } => self.ignored += 1,
            Standing::Refused { .. } => self.refused += 1,
            Standing::Failed { .. } => self.failed += 1,
        }
    }

    /// Operations done.
    pub fn operations(&self) -> u64 {
        self.created + self.updated + self.disabled + self.enabled + self.deleted + self.adopted + self.kept
    }

    /// The records without an operation.
    pub fn standing(&self) -> Self {
        Self {
            unchanged: self.unchanged,
            ignored: self.ignored,
            refused: self.refused,
            failed: self.failed,
            ..Self::default()
        }
    }
}
