//! `ruzhi guest check`: checks that a component is fit to go live.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use comfy_table::{Table, presets};
use serde_json::json;

use crate::cli::deployment::rehearsal;
use crate::cli::printer::Printer;
use ruzhi_guest_runtime::{
    self as guest, Cache, ComponentRegistry, Engine, Guest, GuestLimits, Inspection, RehearsalRules,
};
use ruzhi_message::Report;
use ruzhi_model::{Clock as _, SystemClock};
use ruzhi_sync::context;

#[derive(Debug, Args)]
pub(crate) struct GuestCheck {
    /// The component
    component: PathBuf,
    /// Its rules file
    #[arg(long)]
    rules: Option<PathBuf>,
}

impl GuestCheck {
    pub(super) fn run(&self, printer: &Printer) -> Result<ExitCode, Report> {
        let registry = ComponentRegistry::new(
            Engine::new(GuestLimits::default())?.rehearsing(rehearsal()?),
            Cache::of_user(),
        );
        let bytes = ComponentRegistry::read(&self.component, None)?;
        let text = Guest::read_rules(self.rules.as_deref())?;
        registry.rehearse(
            &bytes,
            RehearsalRules { text, context: context(SystemClock.now(), "UTC"), records: Vec::new() },
        )?;
        let component = registry.load_bytes(&bytes)?;
        let guest = Guest::with_rules_file(component.clone(), self.rules.as_deref());
        // Many guests do not describe themselves without a rules file; the component is sound all the same.
        let described = match guest {
            Ok(guest) => Some(guest.description().clone()),
            Err(guest::GuestLoadError::Configuration { .. }) if self.rules.is_none() => None,
            Err(error) => return Err(error.into()),
        };
        let inspection = component.inspection();
        if printer.json {
            printer.json(&json!({ "component": inspection, "description": described }));
            return Ok(ExitCode::SUCCESS);
        }
        printer.out(format_args!("{}  {}", self.component.display(), printer.text("ok", "正常")));
        printer.out(format_args!("  sha256 {}", inspection.digest));
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if let Some(described) = &described {
            table.add_row([
                printer.text("guest", "规则组件"),
                &format!("{} {}", described.name, described.version),
            ]);
        }
        table
            .add_row([printer.text("contract", "契约"), inspection.built_for.as_deref().unwrap_or_default()]);
        table.add_row([printer.text("exports", "导出"), &inspection.exports.join(", ")]);
        table.add_row([printer.text("imports", "导入"), &imports(inspection, printer)]);
        table.add_row([printer.text("size", "大小"), &format!("{} KB", inspection.bytes.div_ceil(1000))]);
        table.add_row([printer.text("compile time", "编译用时"), &format!("{} ms", inspection.compile_ms)]);
        table.add_row([
            printer.text("memory at start", "启动内存"),
            &format!("{} KiB", inspection.start_memory.div_ceil(1024)),
        ]);
        match &described {
            Some(described) => {
                for (number, field) in described.source_fields.iter().enumerate() {
                    let label = described.labels.iter().find(|(name, _)| name == field);
                    let label = label.map(|(_, label)| format!("  {label}")).unwrap_or_default();
                    let head = if number == 0 { printer.text("reads", "读取字段") } else { "" };
                    table.add_row([head, &format!("{field}{label}")]);
                }
                printer.out(table);
            }
            None => {
                printer.out(table);
                printer.out(format_args!(
                    "  {}",
                    printer.text(
                        "wants a rules file: add `--rules FILE`",
                        "需要规则文件：请加上 `--rules 文件`"
                    )
                ));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Lists the imports, which are types only: a component that imports anything else is invalid.
fn imports(inspection: &Inspection, printer: &Printer) -> String {
    match inspection.imports.as_slice() {
        [] => printer.text("nothing", "无").to_owned(),
        imports => {
            format!("{}{}", imports.join(printer.comma()), printer.text(" (types only)", "（仅类型）"))
        }
    }
}
