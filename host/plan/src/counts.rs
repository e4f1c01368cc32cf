//! Outcomes, counted.

use serde::{Deserialize, Serialize};

use super::disposition::Disposition;
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
    // Runs and plans of older stores say `refused`.
    #[serde(alias = "refused")]
    pub rejected: u64,
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
            rejected,
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
            ("rejected", rejected),
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
            rejected: self.rejected + other.rejected,
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
    pub(super) fn count_record(&mut self, disposition: &Disposition) {
        match disposition {
            Disposition::Operation(operation) => self.count(operation.kind),
            Disposition::Unchanged { .. } => self.unchanged += 1,
            Disposition::Ignored { .. } => self.ignored += 1,
            Disposition::Rejected { .. } => self.rejected += 1,
            Disposition::Failed { .. } => self.failed += 1,
        }
    }

    /// Operations done.
    pub fn operations(&self) -> u64 {
        self.created + self.updated + self.disabled + self.enabled + self.deleted + self.adopted + self.kept
    }

    /// The records without an operation.
    pub fn without_operations(&self) -> Self {
        Self {
            unchanged: self.unchanged,
            ignored: self.ignored,
            rejected: self.rejected,
            failed: self.failed,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn the_counts_of_an_older_store_are_read() {
        let old: Counts = serde_json::from_str(r#"{"created":1,"refused":2}"#).unwrap();
        let new: Counts = serde_json::from_str(r#"{"created":1,"rejected":2}"#).unwrap();
        assert_eq!((old, old.rejected), (new, 2));
        let written = serde_json::to_string(&old).unwrap();
        assert!(written.contains(r#""rejected":2"#) && !written.contains("refused"), "{written}");
    }
}
