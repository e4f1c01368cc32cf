//! The errors of this crate as a person reads them.

use ruzhi_message::{Failure, exit};

use crate::{TargetError, Unguarded};

impl From<Unguarded> for Failure {
    fn from(unguarded: Unguarded) -> Self {
        Self::new(exit::USAGE, "server.open", unguarded.text(), Some(unguarded.hint()))
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        Self::new(exit::USAGE, "target", error.text(), Some(error.hint()))
    }
}
