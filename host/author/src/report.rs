//! The errors of this crate as a person reads them.

use ruzhi_message::{Report, exit};
use ruzhi_model::Text;

use crate::build::BuildError;
use crate::case::CaseError;
use crate::qeasy::ImportError;

impl From<CaseError> for Report {
    fn from(error: CaseError) -> Self {
        Self::new(exit::USAGE, error.code(), error.text(), Some(error.hint())).behind(&error)
    }
}

impl From<BuildError> for Report {
    fn from(error: BuildError) -> Self {
        let text = Text::new(error.to_string(), format!("无法构建规则组件：{error}"));
        Self::new(exit::FAILED, error.code(), text, Some(error.hint())).behind(&error)
    }
}

impl From<ImportError> for Report {
    fn from(error: ImportError) -> Self {
        Self::new(exit::USAGE, error.code(), error.text(), Some(error.hint()))
    }
}
