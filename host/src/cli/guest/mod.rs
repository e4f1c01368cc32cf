//! `ruzhi guest`: write, try and ship components. One file per command.

mod build;
mod check;
mod list;
mod new;
mod test;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::speech::{Failure, Speech};

#[derive(Debug, Subcommand)]
pub(super) enum GuestCommand {
    /// Make a project of your own: rules, cases, the SDK · 新建
    New(new::New),
    /// Make a component from a guest's source · 构建
    Build(build::Build),
    /// Run a project's cases: rows in, decisions expected · 运行用例
    Test(test::Test),
    /// Is a component fit to go live, and does it accept a rules file? · 检查
    Check(check::Check),
    /// The components of this deployment · 列出
    List(list::List),
}

impl GuestCommand {
    /// Whether its `--lang` names the language of rules and not of messages.
    pub(super) fn takes_language(&self) -> bool {
        matches!(self, Self::New(_))
    }

    pub(super) async fn run(&self, dir: &Path, speech: &Speech) -> Result<ExitCode, Failure> {
        match self {
            Self::New(command) => command.run(speech),
            Self::Build(command) => command.run(speech),
            Self::Test(command) => command.run(speech),
            Self::Check(command) => command.run(speech),
            Self::List(command) => command.run(dir, speech),
        }
    }
}
