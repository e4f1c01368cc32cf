//! For those who write rules: new projects, building components, testing them on rows, taking over another platform's
//! metadata.

mod build;
mod case;
mod failure;
mod project;
pub mod qeasy;

pub use build::{BuildError, Built, Language, Toolchain, build};
pub use case::{Case, CaseError, Difference, Finding, Trial};
pub use project::{NameError, ProjectName, project};
