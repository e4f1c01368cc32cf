//! A row whose decision differs from the expected one.

use serde::Serialize;
use similar::TextDiff;

use super::decision_json::DecisionJson;

/// The expected and the actual decision, and their diff.
#[derive(Debug, Clone, Serialize)]
pub struct CaseDifference {
    /// The row's number, from 1.
    pub row: usize,
    /// The row's id.
    pub id: String,
    /// A unified diff of both decisions: `-` expected, `+` actual.
    pub diff: String,
    pub(super) expected: DecisionJson,
    pub(super) found: DecisionJson,
}

impl CaseDifference {
    pub(super) fn new(row: usize, id: String, expected: DecisionJson, found: DecisionJson) -> Self {
        let (old, new) = (expected.pretty() + "\n", found.pretty() + "\n");
        let diff = TextDiff::from_lines(&old, &new).unified_diff().context_radius(2).to_string();
        Self { row, id, diff, expected, found }
    }
}
