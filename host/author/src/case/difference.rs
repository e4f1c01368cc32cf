//! A row whose decision differs from the expected one.

use serde::Serialize;
use similar::TextDiff;

use super::written::Written;

/// The expected and the actual decision, and their diff.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The row's number, from 1.
    pub row: usize,
    /// The row's id.
    pub id: String,
    /// A unified diff of both decisions: `-` expected, `+` actual.
    pub diff: String,
    pub(super) expected: Written,
    pub(super) found: Written,
}

impl Difference {
    pub(super) fn new(row: usize, id: String, expected: Written, found: Written) -> Self {
        let (old, new) = (expected.pretty() + "\n", found.pretty() + "\n");
        let diff = TextDiff::from_lines(&old, &new).unified_diff().context_radius(2).to_string();
        Self { row, id, diff, expected, found }
    }
}
