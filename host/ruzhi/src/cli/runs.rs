//! `ruzhi runs`: lists past runs, newest first.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use comfy_table::{Table, presets};

use super::deployment::{self, ConfigurationUse};
use super::printer::Printer;
use super::run_output::counted;
use ruzhi_message::Report;
use ruzhi_store::{Access, RunFilter};

#[derive(Debug, Args)]
pub(super) struct Runs {
    /// tenant or tenant/flow; every flow if omitted
    target: Option<String>,
    /// Number of runs to show
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

impl Runs {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let (tenant, flow) = deployment::narrowed(&config, self.target.as_deref())?;
        let store = deployment::store(&config, Access::Read).await?;
        let runs =
            store.runs_list(&RunFilter { tenant, flow, most: self.limit, ..RunFilter::default() }).await?;
        store.close().await;
        if printer.json {
            printer.json(&runs);
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header([
            printer.text("run", "运行"),
            printer.text("flow", "同步流"),
            printer.text("began", "开始"),
            printer.text("took", "用时"),
            printer.text("cause", "起因"),
            printer.text("state", "状态"),
            printer.text("plan", "计划"),
            printer.text("outcome", "结果"),
        ]);
        for run in &runs {
            let took = run.ended_at.map(|ended| (ended - run.started_at).num_milliseconds());
            let problem = run.problem.as_ref().map(|problem| {
                let semicolon = printer.text("; ", "；");
                format!("{semicolon}{}", problem.in_lang(printer.lang))
            });
            table.add_row([
                run.id.to_string(),
                format!("{}/{}", run.tenant, run.flow),
                run.started_at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
                took.map(|ms| format!("{}.{} s", ms / 1000, ms % 1000 / 100)).unwrap_or_default(),
                run.cause.map(|cause| printer.word(cause.label()).to_owned()).unwrap_or_default(),
                printer.word(run.state_label()).to_owned(),
                run.plan.as_ref().map(ToString::to_string).unwrap_or_default(),
                format!("{}{}", counted(printer, &run.counts), problem.unwrap_or_default()),
            ]);
        }
        printer.out(table);
        Ok(ExitCode::SUCCESS)
    }
}
