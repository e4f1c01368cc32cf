//! `ruzhi show` and `ruzhi reject`: display or reject a stored plan.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::deployment::{self, ConfigurationUse};
use super::plan_output::{operation_values, print_plan};
use super::printer::Printer;
use super::run_flows::reject_plan;
use super::terminal;
use ruzhi_app::ActionReason;
use ruzhi_app::audit::AuditRequest;
use ruzhi_message::Report;
use ruzhi_message::exit;
use ruzhi_model::{FlowId, PlanId, TenantId, Text};
use ruzhi_store::{Access, AuditAction, Database, PlanRow, PlanState};

#[derive(Debug, Args)]
pub(super) struct ShowPlan {
    /// The plan's id or its whole hash, as `ruzhi plan` or `ruzhi status` shows it
    plan: String,
}

#[derive(Debug, Args)]
pub(super) struct Reject {
    /// The plan's id or its whole hash
    plan: String,
    /// Reason, stored with the plan
    #[arg(long)]
    reason: Option<ActionReason>,
}

/// The plan with this id or hash, with its tenant and flow.
pub(super) async fn find(store: &Database, name: &str) -> Result<(TenantId, FlowId, PlanId), Report> {
    store.plans_list_named(name).await?.into_iter().next().ok_or_else(|| {
        Report::usage(
            Text::new(format!("there is no plan {name}"), format!("没有计划 {name}")),
            Text::new("`ruzhi status` lists the plans that wait", "`ruzhi status` 会列出待审批的计划"),
        )
    })
}

async fn stored(store: &Database, name: &str) -> Result<PlanRow, Report> {
    let (tenant, _, id) = find(store, name).await?;
    store.plan_find(&tenant, &id).await?.ok_or_else(gone)
}

fn gone() -> Report {
    Report::new(exit::FAILED, "plan.unknown", Text::new("the plan is gone", "计划已不存在"), None)
}

impl ShowPlan {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let store = deployment::store(&config, Access::Read).await?;
        let stored = stored(store.as_ref(), &self.plan).await?;
        let plan = &stored.plan;
        if printer.json {
            printer.json(&json!({
                "tenant": plan.tenant,
                "flow": plan.flow,
                "plan": plan.id,
                "hash": plan.hash,
                "purpose": plan.purpose.as_str(),
                "run": stored.run,
                "state": stored.state,
                "reason": stored.reason,
                "made_at": stored.made_at,
                "guard": plan.guard.reasons,
                "counts": plan.counts,
                "owned": plan.owned,
                "operations": Value::Array(operation_values(plan, store.as_ref()).await?),
            }));
        } else {
            let labels = store.labels_find(&plan.tenant, &plan.flow).await?;
            print_plan(printer, plan, &labels, store.as_ref()).await;
            let colon = printer.colon();
            printer.out(format_args!("{}{colon}{}", printer.text("hash", "哈希"), plan.hash));
            let reason = stored.reason.as_deref().map(|reason| format!("{colon}{reason}"));
            let reason = reason.unwrap_or_default();
            printer.out(format_args!(
                "{}{colon}{}{reason}",
                printer.text("state", "状态"),
                printer.word(stored.state.label())
            ));
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

impl Reject {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let store = deployment::store(&config, Access::Beside).await?;
        let found = find(store.as_ref(), &self.plan).await;
        store.close().await;
        let plan = match found {
            Ok((tenant, _, plan)) => {
                reject_plan(&config, printer, (&tenant, &plan), self.reason.as_ref()).await?;
                plan
            }
            Err(failure) => {
                let detail = self.reason.as_ref().map(ToString::to_string);
                let asking = AuditRequest::plain(AuditAction::PlanReject).on(&self.plan).with_detail(detail);
                return terminal::recorded(&config, asking, async { Err(failure) }).await;
            }
        };
        if printer.json {
            printer.json(&json!({ "plan": plan, "state": PlanState::Rejected, "reason": self.reason }));
        } else {
            printer.out(format_args!("{plan}  {}", printer.word(PlanState::Rejected.label())));
            printer.note(printer.text(
                "as long as nothing changes, no run applies it; correct the form or the rules",
                "在表单或同步规则变化之前，任何运行都不会执行它；请更正表单或规则",
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
