//! `ruzhi removed`: lists members who were removed by hand, and decides about them.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::deployment::{self, ConfigurationUse};
use super::printer::Printer;
use super::terminal;
use ruzhi_app::{ActionReason, RemovalRequest};
use ruzhi_config::Config;
use ruzhi_message::Report;
use ruzhi_model::{RemovalAnswer, TenantId, Text, UserId};
use ruzhi_store::{Access, RemovalFilter, RemovalRow};

/// Members read at a time.
const PAGE: usize = 500;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("answer").args(["recreate", "recreate_invited", "release"]).requires("userid"))]
pub(super) struct RemovedMembers {
    /// The tenant; every tenant if omitted
    tenant: Option<String>,
    /// The account to decide about; without it, the members are listed
    #[arg(requires = "answer")]
    userid: Option<String>,
    /// Create the member again, without an invitation
    #[arg(long)]
    recreate: bool,
    /// Create the member again, and invite them if the rules say so
    #[arg(long)]
    recreate_invited: bool,
    /// Accept the removal: ruzhi releases the member
    #[arg(long)]
    release: bool,
    /// Reason for the audit log
    #[arg(long, requires = "answer")]
    reason: Option<ActionReason>,
}

impl RemovedMembers {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let (tenant, _) = deployment::narrowed(&config, self.tenant.as_deref())?;
        match (tenant, &self.userid, self.answer()) {
            (Some(tenant), Some(userid), Some(answer)) => {
                self.decide(&config, tenant, userid, answer, printer).await
            }
            _ => list(&config, tenant, printer).await,
        }
    }

    fn answer(&self) -> Option<RemovalAnswer> {
        match (self.recreate, self.recreate_invited, self.release) {
            (true, ..) => Some(RemovalAnswer::Recreate),
            (_, true, _) => Some(RemovalAnswer::RecreateInvited),
            (.., true) => Some(RemovalAnswer::Release),
            _ => None,
        }
    }

    async fn decide(
        &self,
        config: &Config,
        tenant: &TenantId,
        userid: &str,
        answer: RemovalAnswer,
        printer: &Printer,
    ) -> Result<ExitCode, Report> {
        let userid: UserId = userid.parse().map_err(|_| {
            Report::usage(
                Text::new(format!("`{userid}` is not a userid"), format!("`{userid}` 不是有效的账号")),
                Text::new("`ruzhi removed` lists the accounts", "`ruzhi removed` 会列出账号"),
            )
        })?;
        let app = terminal::app(config, deployment::no_components()?).await?;
        let request = RemovalRequest { answer, reason: self.reason.clone() };
        let principal = terminal::principal(printer);
        let decided = ruzhi_app::answer_removal(&app, &principal, tenant, &userid, Ok(request)).await;
        app.store.close().await;
        let (flow, _) = decided?;
        if printer.json {
            printer.json(&json!({
                "tenant": tenant, "flow": flow, "userid": userid, "answer": answer, "reason": self.reason,
            }));
        } else {
            printer.out(format_args!("{tenant}/{flow}  {userid}  {}", words(printer, answer)));
            printer.note(format_args!(
                "{} `ruzhi sync {tenant}/{flow}`",
                printer.text(
                    "the next run carries it out; until then it may be decided anew:",
                    "由下一次运行执行，此前可重新决定："
                )
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn words(printer: &Printer, answer: RemovalAnswer) -> &'static str {
    printer.word(answer.label())
}

async fn list(config: &Config, tenant: Option<&TenantId>, printer: &Printer) -> Result<ExitCode, Report> {
    let store = deployment::store(config, Access::Read).await?;
    let mut values: Vec<Value> = Vec::new();
    let tenants = config.tenants.iter().map(|tenant| &tenant.id);
    for tenant in tenants.filter(|known| tenant.is_none_or(|tenant| tenant == *known)) {
        let mut after = None;
        loop {
            let wanted = RemovalFilter {
                tenant: Some(tenant),
                after: after.as_ref(),
                most: PAGE,
                ..RemovalFilter::default()
            };
            let page = store.removals_list(&wanted).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.userid.key());
            for row in page {
                if !printer.json {
                    printer.out(line(&row, printer));
                }
                values.push(value(&row));
            }
        }
    }
    store.close().await;
    if printer.json {
        printer.json(&values);
    } else if values.is_empty() {
        printer.note(printer.text("no member was removed by hand", "没有被手工删除的成员"));
    } else {
        printer.note(printer.text(
            "decide with `ruzhi removed TENANT USERID` and one of --recreate, --recreate-invited, --release",
            "请用 `ruzhi removed 工厂 账号` 加 --recreate、--recreate-invited 或 --release 之一作出决定",
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(row: &RemovalRow, printer: &Printer) -> String {
    let found = row.found_at.map(|at| at.format("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default();
    let stands = match row.answer {
        Some(answer) => words(printer, answer),
        None if row.waits => printer.text("waits for a decision", "等待决定"),
        None if row.unsure => printer.text("is being looked at again", "正在复核"),
        None => printer.text("its record asks for nothing", "其记录不再需要该成员"),
    };
    let RemovalRow { tenant, flow, record, userid, .. } = row;
    format!("{tenant}/{flow}  {record}  {userid}  {found}  {stands}")
}

fn value(row: &RemovalRow) -> Value {
    json!({
        "tenant": row.tenant,
        "flow": row.flow,
        "record": row.record,
        "userid": row.userid,
        "found_at": row.found_at,
        "unsure": row.unsure,
        "answer": row.answer,
        "waits": row.waits,
    })
}
