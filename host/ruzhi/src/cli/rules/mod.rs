//! `ruzhi rules`: compare, activate and roll back the rules that a flow runs. One file per command.

mod activate;
mod arguments;
mod confirm;
mod diff;
mod list;

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

pub(super) use self::arguments::{difference_value, hidden, only_flow};
use super::printer::Printer;
use ruzhi_message::Report;

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Show the changes other rules would make, per person and field · 比较新旧规则
    Diff(diff::Diff),
    /// Make other rules live, once checked, compiled and tried on the stored records · 启用规则
    Activate(activate::Activate),
    /// Make previously live rules live again · 回退规则
    Rollback(activate::Rollback),
    /// Allow rules again that were set aside because a process ended on their first use · 允许再次试用被搁置的规则
    Confirm(confirm::Confirm),
    /// Show the live rules and their history: when, by whom, why · 现行规则与历史
    List(list::List),
}

impl RulesCommand {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        match self {
            Self::Diff(command) => command.run(dir, printer).await,
            Self::Activate(command) => command.run(dir, printer).await,
            Self::Rollback(command) => command.run(dir, printer).await,
            Self::Confirm(command) => command.run(dir, printer).await,
            Self::List(command) => command.run(dir, printer).await,
        }
    }
}
