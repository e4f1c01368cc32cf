//! The errors of this crate as a person reads them.

use ruzhi_message::{Report, ReportKind, exit};

use super::error::ActivationError;

impl From<ActivationError> for Report {
    fn from(error: ActivationError) -> Self {
        match error {
            ActivationError::Load(error) => error.into(),
            ActivationError::Store(error) => error.into(),
            error => {
                let exit = match error {
                    ActivationError::TooMuch { .. } => exit::HELD,
                    ActivationError::Unknown { .. }
                    | ActivationError::Ambiguous { .. }
                    | ActivationError::Pinned { .. } => exit::USAGE,
                    _ => exit::FAILED,
                };
                let kind = match error {
                    ActivationError::Unknown { .. } => ReportKind::Unknown,
                    ActivationError::Pinned { .. } => ReportKind::Plain,
                    _ => ReportKind::Conflict,
                };
                Self::new(exit, error.code(), error.text(), Some(error.hint()))
                    .on_page(error.page_hint())
                    .of_kind(kind)
                    .behind(&error)
            }
        }
    }
}
