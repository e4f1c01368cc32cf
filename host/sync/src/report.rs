//! The errors of this crate as a person reads them.

use ruzhi_message::{Report, ReportKind, exit};

use super::error::RunError;
use super::write_back::WriteBackFault;

impl From<&RunError> for Report {
    fn from(error: &RunError) -> Self {
        let exit = match error {
            RunError::NotApproved { .. } | RunError::Rejected { .. } => exit::HELD,
            RunError::NoSuchPlan { .. } => exit::USAGE,
            _ => exit::FAILED,
        };
        let kind = match error {
            RunError::NoSuchPlan { .. } => ReportKind::Unknown,
            RunError::Rejected { .. }
            | RunError::NotApproved { .. }
            | RunError::AlreadyApplied { .. }
            | RunError::Superseded { .. } => ReportKind::Conflict,
            RunError::Store(_) => ReportKind::Unavailable,
            _ => ReportKind::Plain,
        };
        Self::new(exit, error.code(), error.text(), Some(error.hint()))
            .of_kind(kind)
            .on_page(error.page_hint())
            .behind(error)
            .unless_too_many_files(error)
    }
}

impl From<RunError> for Report {
    fn from(error: RunError) -> Self {
        Self::from(&error)
    }
}

impl From<WriteBackFault> for Report {
    fn from(fault: WriteBackFault) -> Self {
        let exit = match fault {
            WriteBackFault::ReadsItself { .. } | WriteBackFault::Same { .. } => exit::USAGE,
            WriteBackFault::Missing { .. } | WriteBackFault::Unwritable { .. } => exit::FAILED,
        };
        Self::new(exit, fault.code(), fault.text(), Some(fault.hint()))
    }
}
