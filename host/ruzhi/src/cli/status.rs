//! `ruzhi status`: shows the state of each flow.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use comfy_table::{Table, presets};

use super::deployment::{self, ConfigurationUse};
use super::printer::Printer;
use super::run_output::counted;
use ruzhi_message::Report;
use ruzhi_store::Access;

#[derive(Debug, Args)]
pub(super) struct Status {
    /// tenant or tenant/flow; every flow if omitted
    target: Option<String>,
}

impl Status {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let chosen = config.select(self.target.as_deref())?;
        let store = deployment::store(&config, Access::Read).await?;
        let mut all = store.flow_statuses_list().await?;
        store.close().await;
        all.retain(|one| chosen.iter().any(|(tenant, flow)| tenant.id == one.tenant && flow.id == one.flow));
        if printer.json {
            printer.json(&all);
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header([
            printer.text("flow", "同步流"),
            printer.text("last run", "上次运行"),
            printer.text("state", "状态"),
            printer.text("outcome", "结果"),
            printer.text("records", "记录"),
            printer.text("members", "成员"),
            printer.text("rejected", "待修正"),
            printer.text("removed by hand", "被手工删除"),
            printer.text("held plans", "待审批的计划"),
        ]);
        for one in &all {
            let run = one.last_run.as_ref();
            table.add_row([
                format!("{}/{}", one.tenant, one.flow),
                run.map(|run| run.started_at.format("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default(),
                run.map(|run| printer.word(run.state_label()).to_owned()).unwrap_or_default(),
                run.map(|run| counted(printer, &run.counts)).unwrap_or_default(),
                one.records.to_string(),
                one.members.to_string(),
                one.rejected.to_string(),
                one.removed.to_string(),
                one.held.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            ]);
        }
        printer.out(table);
        Ok(ExitCode::SUCCESS)
    }
}
