//! `ruzhi guest`: write, try and ship components. One file per command.

mod build;
mod check;
mod import;
mod list;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::speech::{Failure, Speech};

#[derive(Debug, Subcommand)]
pub(super) enum GuestCommand {
    /// Make a component from a guest's source · 构建
    Build(build::Build),
    /// Is a component fit to go live, and does it accept a rules file? · 检查
    Check(check::Check),
    /// Make a tenant and its rules from another platform's metadata · 导入
    Import(import::Import),
    /// The components of this deployment · 列出
    List(list::List),
}

impl GuestCommand {
    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        match self {
            Self::Build(command) => command.run(speech),
            Self::Check(command) => command.run(speech),
            Self::Import(command) => command.run(dir, speech),
            Self::List(command) => command.run(dir, speech),
        }
    }
}
