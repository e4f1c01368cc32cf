//! `ruzhi guest`: write, try and ship components. One file per command.

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
use super::speech::Speech;
use ruzhi_message::Failure;

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
    /// Make a tenant and its rules from another platform's metadata · 导入
    Import(import::Import),
    /// What other rules would change, per person and field · 比较新旧规则
    Diff(diff::Diff),
    /// Make other rules live: checked, compiled, tried on the stored records first · 启用规则
    Activate(activate::Activate),
    /// Make rules live again that were live before · 回退规则
    Rollback(activate::Rollback),
    /// Let rules be tried again under which a process ended by itself · 允许再次试用被搁置的规则
    Confirm(confirm::Confirm),
    /// Try a component in this process, as another command asks through standard input · 试用（由其他命令启动）
    #[command(hide = true)]
    Try(rehearse::Try),
    /// What is live, and everything that was: when, by whom, why · 现行规则与历史
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
            Self::Import(command) => command.run(dir, speech),
            Self::Diff(command) => command.run(dir, speech).await,
            Self::Activate(command) => command.run(dir, speech).await,
            Self::Rollback(command) => command.run(dir, speech).await,
            Self::Confirm(command) => command.run(dir, speech).await,
            Self::Try(command) => command.run(),
            Self::List(command) => command.run(dir, speech).await,
        }
    }
}
