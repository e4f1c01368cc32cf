//! Progress for a person who waits.

use ruzhi_model::Label;
use ruzhi_store::RunRow;

/// The stage of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A crash's leftovers are settled, and the form's fields are checked.
    Settle,
    /// The form is read and its rows are decided.
    Collect,
    /// The plan is made, or the directory is compared.
    Plan,
    /// Operations are done.
    Apply,
}

impl Stage {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Settle => Label::new("Settle", "核实"),
            Self::Collect => Label::new("Collect and decide", "读取与判定"),
            Self::Plan => Label::new("Plan", "计划"),
            Self::Apply => Label::new("Apply", "执行"),
        }
    }
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

/// Receives the progress of a run. Never waits and never fails.
pub trait Progress: Send + Sync {
    /// A run has begun, and is in the store.
    fn began(&self, _run: &RunRow) {}
    /// The run has entered this stage.
    fn entered(&self, _stage: Stage) {}
    /// The number of rows read.
    fn collected(&self, _rows: u64) {}
    /// The number of operations to be done.
    fn planned(&self, _operations: u64) {}
    /// The number of further operations done.
    fn settled(&self, _operations: u64) {}
}

/// Discards all progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
