//! Arguments → exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ruzhi::cli::main()
}
