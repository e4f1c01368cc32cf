//! `ruzhi guest`: create, build, test and check components. One file per command.

mod build;
mod check;
mod import;
mod new;
mod rehearse;
mod test;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::printer::Printer;
use ruzhi_message::Report;

#[derive(Debug, Subcommand)]
pub(super) enum GuestCommand {
    /// Create a project: rules, cases, the SDK · 新建
    New(new::New),
    /// Build a component from a guest's source · 构建
    Build(build::Build),
    /// Run a project's cases: rows in, expected decisions out · 运行用例
    Test(test::GuestTest),
    /// Check that a component is fit to go live, and that it accepts a rules file · 检查
    Check(check::GuestCheck),
    /// Create a tenant and its rules from another platform's metadata · 导入
    Import(import::Import),
    /// Try a component in this process, for another command that asks through standard input · 试用（由其他命令启动）
    #[command(hide = true)]
    Try(rehearse::Try),
}

impl GuestCommand {
    /// Its `--lang` names the language of the rules instead of that of messages.
    pub(super) fn takes_language(&self) -> bool {
        matches!(self, Self::New(_))
    }

    pub(super) fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        match self {
            Self::New(command) => command.run(printer),
            Self::Build(command) => command.run(printer),
            Self::Test(command) => command.run(printer),
            Self::Check(command) => command.run(printer),
            Self::Import(command) => command.run(dir, printer),
            Self::Try(command) => command.run(),
        }
    }
}
