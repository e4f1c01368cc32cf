//! `ruzhi guest try`: the process that tries components. Other commands start it and talk to it through its standard
//! input and output; it is of no use to a person.

use std::io::{BufReader, stdin, stdout};
use std::process::ExitCode;

use clap::Args;

use ruzhi_guest_runtime::answer_rehearsal;
use ruzhi_message::Report;

#[derive(Debug, Args)]
pub(crate) struct Try {}

impl Try {
    #[expect(clippy::unused_self, reason = "as the other commands")]
    pub(super) fn run(&self) -> Result<ExitCode, Report> {
        answer_rehearsal(BufReader::new(stdin().lock()), stdout().lock())
            .map_err(|error| Report::io("try the component", "试用组件", &error))?;
        Ok(ExitCode::SUCCESS)
    }
}
