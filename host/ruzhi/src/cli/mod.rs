//! The commands, one file each. Only this module prints: data to standard output, everything else to standard error.

mod adopt;
mod apply;
mod check;
mod completions;
mod deployment;
mod doctor;
mod drift;
mod guest;
mod log;
mod memory;
mod plan;
mod plan_output;
mod printer;
mod progress;
mod quarantine;
mod removed;
mod revert;
mod rules;
mod run_flows;
mod run_output;
mod running_server;
mod runs;
mod serve;
mod service_checks;
mod show;
mod status;
mod sync;
mod terminal;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use self::printer::Printer;
use ruzhi_message::{Report, exit};

/// ruzhi (入职) keeps a company's 企业微信 (WeCom) directory in step with its 简道云 (JianDaoYun) onboarding form.
#[derive(Debug, Parser)]
#[command(name = "ruzhi", version, arg_required_else_help = true)]
struct CommandLine {
    /// The folder with ruzhi.toml and tenants/ · 配置目录
    #[arg(long, value_name = "DIR", default_value = ".", global = true)]
    config: PathBuf,
    /// Print data as JSON · 以 JSON 输出
    #[arg(long, global = true)]
    json: bool,
    /// Language of messages: en or zh; by default from LANG · 消息语言
    #[arg(long, value_name = "LANG", global = true)]
    lang: Option<String>,
    /// Format of the logs on standard error: text, or json with one object a line · 日志格式
    #[arg(
        long,
        value_name = "FORMAT",
        env = "RUZHI_LOG_FORMAT",
        global = true,
        value_enum,
        hide_env_values = true
    )]
    log_format: Option<log::Format>,
    #[command(subcommand)]
    command: RuzhiCommand,
}

#[derive(Debug, Subcommand)]
enum RuzhiCommand {
    /// Check the configuration; --online also asks both services · 检查配置
    Check(check::Check),
    /// Check everything a run needs: services, address, clock, store, disk, components · 检查运行条件
    Doctor(doctor::Doctor),
    /// Show what a sync would do, and store it · 生成计划，不写入
    Plan(plan::PlanCommand),
    /// Apply a stored plan exactly as it was read · 执行已保存的计划
    Apply(apply::Apply),
    /// Plan, and apply if the guard lets it pass · 同步
    Sync(sync::Sync),
    /// Run every flow on schedule, with pages, API and alerts · 常驻运行
    Serve(serve::ServeCommand),
    /// Show a stored plan · 查看已保存的计划
    Show(show::ShowPlan),
    /// Reject a stored plan, so that no run applies it · 驳回计划
    Reject(show::Reject),
    /// Plan to take over members who were in WeCom before ruzhi · 接管已有成员
    Adopt(adopt::Adopt),
    /// Plan to undo a run · 撤销一次运行
    Revert(revert::Revert),
    /// Compare WeCom with what ruzhi wrote · 与通讯录比对
    Drift(drift::Drift),
    /// Show the state of each flow · 各同步流的状态
    Status(status::Status),
    /// List past runs · 运行历史
    Runs(runs::Runs),
    /// List rejected records with field, rule and reason · 待修正的记录
    Quarantine(quarantine::Quarantine),
    /// List members who were removed by hand, or decide about one · 被手工删除的成员
    Removed(removed::RemovedMembers),
    /// Show the history of one record · 一条记录的全程
    Trace(trace::Trace),
    /// Write, build, test and check rule components · 规则组件
    #[command(subcommand)]
    Guest(guest::GuestCommand),
    /// Compare, activate and roll back the rules of a flow · 同步规则
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Print completions for a shell · 命令补全
    Completions(completions::Completions),
    /// Print the manual pages · 手册页
    Man(completions::Man),
}

/// Runs the command line and returns the exit code.
pub(crate) fn main() -> ExitCode {
    memory::share_arenas();
    let arguments = match CommandLine::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are data; anything else is a usage error, which is exit code 2 for clap too.
            drop(error.print());
            return ExitCode::from(u8::from(error.use_stderr()) * exit::USAGE);
        }
    };
    let lang = match &arguments.command {
        RuzhiCommand::Guest(command) if command.takes_language() => None,
        _ => arguments.lang.as_deref(),
    };
    let printer = match Printer::new(lang, arguments.json) {
        Ok(printer) => printer,
        Err(report) => return Printer::default().fail(&report),
    };
    let (format, usual) = match arguments.command {
        RuzhiCommand::Serve(_) => (log::Format::of_a_server(), "ruzhi=info"),
        _ => (log::Format::Text, "ruzhi=warn"),
    };
    log::begin(arguments.log_format.unwrap_or(format), usual);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return printer.fail(&Report::io("start the runtime", "启动运行时", &error)),
    };
    let result = runtime.block_on(dispatch(&arguments, &printer));
    // Work still waiting for an answer is abandoned: the store records that it was requested.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(report) => printer.fail(&report),
    }
}

async fn dispatch(arguments: &CommandLine, printer: &Printer) -> Result<ExitCode, Report> {
    let dir = arguments.config.as_path();
    match &arguments.command {
        RuzhiCommand::Check(command) => command.run(dir, printer).await,
        RuzhiCommand::Doctor(command) => command.run(dir, printer).await,
        RuzhiCommand::Completions(command) => command.run(CommandLine::command(), printer),
        RuzhiCommand::Man(command) => command.run(CommandLine::command(), printer),
        RuzhiCommand::Plan(command) => command.run(dir, printer).await,
        RuzhiCommand::Apply(command) => command.run(dir, printer).await,
        RuzhiCommand::Sync(command) => command.run(dir, printer).await,
        RuzhiCommand::Serve(command) => command.run(dir, printer).await,
        RuzhiCommand::Show(command) => command.run(dir, printer).await,
        RuzhiCommand::Reject(command) => command.run(dir, printer).await,
        RuzhiCommand::Adopt(command) => command.run(dir, printer).await,
        RuzhiCommand::Revert(command) => command.run(dir, printer).await,
        RuzhiCommand::Drift(command) => command.run(dir, printer).await,
        RuzhiCommand::Status(command) => command.run(dir, printer).await,
        RuzhiCommand::Runs(command) => command.run(dir, printer).await,
        RuzhiCommand::Quarantine(command) => command.run(dir, printer).await,
        RuzhiCommand::Removed(command) => command.run(dir, printer).await,
        RuzhiCommand::Trace(command) => command.run(dir, printer).await,
        RuzhiCommand::Guest(command) => command.run(dir, printer),
        RuzhiCommand::Rules(command) => command.run(dir, printer).await,
    }
}
