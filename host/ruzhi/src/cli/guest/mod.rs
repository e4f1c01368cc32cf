//! `ruzhi guest`: create, test and activate components. One file per command.

mod activate;
mod build;
mod check;
mod confirm;
mod diff;
mod import;
mod list;
mod new;
mod rehearse;
mod rules;
mod test;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

pub(super) use self::rules::{difference_value, hidden, only_flow};
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
    /// Show the changes other rules would make, per person and field · 比较新旧规则
    Diff(diff::Diff),
    /// Make other rules live, once checked, compiled and tried on the stored records · 规则上线
    Activate(activate::Activate),
    /// Make previously live rules live again · 回退规则
    Rollback(activate::Rollback),
    /// Allow rules again that were set aside because a process ended on their first use · 允许再次试用被搁置的规则
    Confirm(confirm::Confirm),
    /// Try a component in this process, for another command that asks through standard input · 试用（由其他命令启动）
    #[command(hide = true)]
    Try(rehearse::Try),
    /// Show the live rules and their history: when, by whom, why · 现行规则与历史
    List(list::List),
}

impl GuestCommand {
    /// Its `--lang` names the language of the rules instead of that of messages.
    pub(super) fn takes_language(&self) -> bool {
        matches!(self, Self::New(_))
    }

    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        match self {
            Self::New(command) => command.run(printer),
            Self::Build(command) => command.run(printer),
            Self::Test(command) => command.run(printer),
            Self::Check(command) => command.run(printer),
            Self::Import(command) => command.run(dir, printer),
            Self::Diff(command) => command.run(dir, printer).await,
            Self::Activate(command) => command.run(dir, printer).await,
            Self::Rollback(command) => command.run(dir, printer).await,
            Self::Confirm(command) => command.run(dir, printer).await,
            Self::Try(command) => command.run(),
            Self::List(command) => command.run(dir, printer).await,
        }
    }
}
