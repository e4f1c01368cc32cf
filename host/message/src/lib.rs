//! A failure, its subject and the next step: one type for display at a terminal, on a page or to a program.
//!
//! Every module has its own errors, one variant per operation; for display they are converted to this type. Texts from
//! outside come in through [`sanitize`]; personal values go out through [`mask`].

mod labels;
mod problem;
mod report;
pub mod sanitize;

/// The masks are those of the SDK, since guests use them too.
pub use ruzhi_guest::mask;

pub use labels::member_field;
pub use problem::{Problem, Problems, Severity};
pub use report::{Report, ReportKind};

/// Exit codes, by the side at fault.
pub mod exit {
    /// Something was not done.
    pub const FAILED: u8 = 1;
    /// The command line, the configuration or the store's files are wrong: a person has to fix them first.
    pub const USAGE: u8 = 2;
    /// The guard requires a person's decision.
    pub const HELD: u8 = 3;
}
