//! `ruzhi completions` and `ruzhi man`: files that a package installs beside the binary, generated from the command
//! definitions.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command};

use super::printer::Printer;
use ruzhi_message::Report;

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell to complete for
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

impl Completions {
    /// Prints the completions of `command`, the whole command line.
    pub(super) fn run(&self, mut command: Command, printer: &Printer) -> Result<ExitCode, Report> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, "ruzhi", &mut text);
        printer.out(String::from_utf8_lossy(&text).trim_end());
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Write one page for ruzhi and one per command into this folder; without it, print the page of ruzhi
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    /// Writes the manual pages of `command`, the whole command line.
    pub(super) fn run(&self, command: Command, printer: &Printer) -> Result<ExitCode, Report> {
        match &self.folder {
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(command).render(&mut page).map_err(|error| unwritten(&error))?;
                printer.out(String::from_utf8_lossy(&page).trim_end());
            }
            Some(folder) => {
                std::fs::create_dir_all(folder).map_err(|error| unwritten(&error))?;
                clap_mangen::generate_to(command, folder).map_err(|error| unwritten(&error))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn unwritten(error: &io::Error) -> Report {
    Report::io("write the manual pages", "写入手册页", error)
}
