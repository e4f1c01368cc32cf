//! The errors of this crate as a person reads them.

use ruzhi_message::{Failure, exit};

use crate::LoadError;

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let exit = match error {
            // Nothing in the files is wrong.
            LoadError::Rehearsal { .. } | LoadError::TriedElsewhere => exit::FAILED,
            _ => exit::USAGE,
        };
        Self::new(exit, error.code(), error.text(), Some(error.hint()))
            .behind(&error)
            .unless_too_many_files(&error)
    }
}
