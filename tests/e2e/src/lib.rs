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

/// The exit code of a program that a person started; reports its error on standard error.
#[expect(clippy::print_stderr, reason = "failures are reported to a person")]
pub fn exit_code(ended: anyhow::Result<()>) -> std::process::ExitCode {
    match ended {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// The rules file of the simulated factory: the founding document's metadata with the form's three further fields.
pub const RULES: &str = include_str!("../rules/onboarding.json");
