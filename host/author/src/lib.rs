//! For those who write rules: new projects, building components, testing them on rows, taking over another platform's
//! metadata.

mod build;
mod case;
mod project;
pub mod qeasy;
mod report;

pub use build::{BuildError, BuildOutput, Language, Toolchain, build};
pub use case::{CaseDifference, CaseError, CaseFinding, CaseTrial, GuestCase};
pub use project::{NameError, ProjectName, project};
