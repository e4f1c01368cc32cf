//! Lookup of what a visitor names, and the failures for what does not exist. The deployment looks up flows and tenants.

use crate::app::App;
use ruzhi_message::{Report, ReportKind, exit};
use ruzhi_model::{FlowId, PlanId, RecordId, RunId, TenantId, Text};
use ruzhi_store::PlanRow;

/// Returns a stored plan of a tenant.
pub(super) async fn stored_plan(app: &App, tenant: &TenantId, plan: &PlanId) -> Result<PlanRow, Report> {
    app.store.plan_find(tenant, plan).await?.ok_or_else(|| {
        unknown(
            "plan.unknown",
            Text::new(format!("there is no plan {plan} of {tenant}"), format!("{tenant} 没有计划 {plan}")),
            (
                Text::new("`ruzhi status` lists the plans that wait", "`ruzhi status` 会列出待审批的计划"),
                Some(Text::new("the overview lists the plans that wait", "概览页列出了待审批的计划")),
            ),
        )
    })
}

pub fn no_run(run: &RunId) -> Report {
    unknown(
        "run.unknown",
        Text::new(format!("there is no run {run}"), format!("没有运行 {run}")),
        (
            Text::new("`ruzhi runs` lists the runs", "`ruzhi runs` 会列出各次运行"),
            Some(Text::new("the list of runs has all of them", "运行列表包含全部运行")),
        ),
    )
}

pub(super) fn no_record(tenant: &TenantId, flow: &FlowId, record: &RecordId) -> Report {
    unknown(
        "record.unknown",
        Text::new(
            format!("no record {record} of {tenant}/{flow} is known"),
            format!("{tenant}/{flow} 中没有记录 {record}"),
        ),
        (
            Text::new(
                "give the row's _id as JianDaoYun shows it; a row is known once a run has read it",
                "请给出简道云中该行的 _id；运行读取过的行才可查询",
            ),
            None,
        ),
    )
}

fn unknown(code: &str, text: Text, (terminal, page): (Text, Option<Text>)) -> Report {
    Report::new(exit::USAGE, code, text, Some(terminal)).of_kind(ReportKind::Unknown).on_page(page)
}
