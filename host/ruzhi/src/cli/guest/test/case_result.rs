//! The result of one case.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::printer::Printer;
use ruzhi_author::CaseDifference;
use ruzhi_model::Text;

/// One case with its result.
pub(super) struct CaseResult {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) rows: usize,
    pub(super) verdict: CaseVerdict,
    pub(super) wall: Duration,
    pub(super) fuel: Option<u64>,
    pub(super) peak: usize,
}

/// The comparison of a case with its expectation.
pub(super) enum CaseVerdict {
    Ok,
    Blessed,
    Differs(Vec<CaseDifference>),
    Failed { code: String, text: Text },
}

impl CaseResult {
    /// The result as JSON.
    pub(super) fn value(&self, printer: &Printer) -> Value {
        json!({
            "name": self.name,
            "path": self.path,
            "rows": self.rows,
            "result": self.verdict.code(),
            "ms": self.wall.as_secs_f64() * 1e3,
            "fuel": self.fuel,
            "peak_memory": self.peak,
            "differences": match &self.verdict { CaseVerdict::Differs(differences) => json!(differences), _ => json!([]) },
            "error": match &self.verdict {
                CaseVerdict::Failed { code, text } => json!({ "code": code, "message": text.in_lang(printer.lang) }),
                _ => Value::Null,
            },
        })
    }
}

impl CaseVerdict {
    /// True if the case counts as passed.
    pub(super) fn passed(&self) -> bool {
        matches!(self, Self::Ok | Self::Blessed)
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Blessed => "blessed",
            Self::Differs(_) => "differs",
            Self::Failed { .. } => "failed",
        }
    }

    /// A word for it.
    pub(super) fn word(&self, printer: &Printer) -> &'static str {
        match self {
            Self::Ok => printer.text("ok", "通过"),
            Self::Blessed => printer.text("blessed", "已认可"),
            Self::Differs(_) => printer.text("differs", "不一致"),
            Self::Failed { .. } => printer.text("failed", "失败"),
        }
    }
}
