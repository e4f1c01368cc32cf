//! Whole runs of the `ruzhi` binary against the simulator. The binary is started as a person would start it, in a
//! separate folder; the tests look at its output, its exit code and the state of the two services afterwards.

mod deployment;
mod factory;
mod load;
mod serving;
mod soak;
mod workforce;

pub use deployment::{Deployment, Outcome, Tenant, binary, finish};
pub use factory::{check_directory, simulator};
pub use load::{Load, Loaded, share};
pub use serving::{Answer, Serving, with_files};
pub use soak::{Life, Soak, Soaked};
pub use workforce::{Standing, Worker, Workforce};

/// The rules file of the simulated factory: the founding document's metadata with the form's three further fields.
pub const RULES: &str = include_str!("../rules/onboarding.json");
