//! The errors of this crate as a person reads them.

use ruzhi_message::{Report, ReportKind, exit};

use crate::StoreError;

impl From<StoreError> for Report {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            // Only a person can say which file is the right one; a service is not started again before.
            StoreError::Names { .. } | StoreError::Log { .. } | StoreError::Exchanged { .. } => exit::USAGE,
            _ => exit::FAILED,
        };
        Self::new(exit, error.code(), error.text(), Some(error.hint()))
            .behind(&error)
            .of_kind(ReportKind::Unavailable)
            .unless_too_many_files(&error)
    }
}
