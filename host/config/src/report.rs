//! The errors of this crate as a person reads them.

use ruzhi_message::{Report, exit};

use super::exposure::UnguardedServer;
use super::target::TargetError;

impl From<UnguardedServer> for Report {
    fn from(unguarded: UnguardedServer) -> Self {
        Self::new(exit::USAGE, "server.open", unguarded.text(), Some(unguarded.hint()))
    }
}

impl From<TargetError> for Report {
    fn from(error: TargetError) -> Self {
        Self::new(exit::USAGE, "target", error.text(), Some(error.hint()))
    }
}
