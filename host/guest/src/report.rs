//! The errors of this crate as a person reads them.

use ruzhi_message::{Report, exit};

use crate::error::GuestLoadError;

impl From<GuestLoadError> for Report {
    fn from(error: GuestLoadError) -> Self {
        let exit = match error {
            // Nothing in the files is wrong.
            GuestLoadError::Rehearsal { .. } | GuestLoadError::TriedElsewhere => exit::FAILED,
            _ => exit::USAGE,
        };
        Self::new(exit, error.code(), error.text(), Some(error.hint()))
            .on_page(error.page_hint())
            .behind(&error)
            .unless_too_many_files(&error)
    }
}
