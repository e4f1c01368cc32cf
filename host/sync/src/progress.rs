//! What a person who waits is told.

use ruzhi_store::RunRow;

/// Where in a run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// What a crash left is settled, and the form's fields are looked at.
    Settle,
    /// The form is read and its rows are decided.
    Collect,
    /// The plan is made, or the directory is compared.
    Plan,
    /// Operations are done.
    Apply,
}

impl Stage {
    /// Its name in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settle => "settle",
            Self::Collect => "collect",
            Self::Plan => "plan",
            Self::Apply => "apply",
        }
    }
}

/// Told how far a run has come. Never waits and never fails.
pub trait Progress: Send + Sync {
    /// A run has begun, and is in the store.
    fn began(&self, _run: &RunRow) {}
    /// It is here now.
    fn entered(&self, _stage: Stage) {}
    /// So many rows have been read.
    fn collected(&self, _rows: u64) {}
    /// So many operations are to be done.
    fn planned(&self, _operations: u64) {}
    /// So many more of them are done.
    fn settled(&self, _operations: u64) {}
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
