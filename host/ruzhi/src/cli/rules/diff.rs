//! `ruzhi rules diff`: shows the changes other rules would make, per person and field.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use comfy_table::{Table, presets};
use serde_json::{Value, json};

use super::arguments::{RulesArguments, difference_value, hidden, note_unread, only_flow, trial_line};
use crate::cli::deployment::{self, ConfigurationUse};
use crate::cli::printer::Printer;
use crate::cli::terminal;
use ruzhi_app::audit::AuditRequest;
use ruzhi_message::Report;
use ruzhi_rules::Difference;
use ruzhi_store::{Access, AuditAction};

/// Characters per cell; `--json` does not truncate.
const WIDEST: usize = 48;

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// tenant/flow, or the tenant if it has only one flow
    target: String,
    #[command(flatten)]
    new: RulesArguments,
    /// Try only this many stored records, evenly spread
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,
    /// Show numbers and addresses in full
    #[arg(long)]
    reveal: bool,
}

impl Diff {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let (tenant, flow) = only_flow(&config, &self.target)?;
        let store = deployment::store(&config, Access::Read).await?;
        let registry = deployment::registry(&config, printer)?;
        let rules = ruzhi_app::deployment::flow_rules(store.as_ref(), &registry, tenant, flow, None);
        let new = self.new.artifacts(&rules, flow).await?;
        let mut differences: Vec<Difference> = Vec::new();
        let work = async {
            let trial = rules.try_out(&new, self.sample, |difference| differences.push(difference)).await;
            trial.map_err(|error| ruzhi_app::not_activated(error, self.new.unaccepted()))
        };
        let trial = match self.reveal {
            true => {
                let asking = AuditRequest::of(AuditAction::RulesReveal, &tenant.id, &flow.id).on(new.rules());
                terminal::recorded(&config, asking, work).await
            }
            false => work.await,
        }?;
        let live = rules.latest().await?;
        let labels = store.labels_find(&tenant.id, &flow.id).await?;
        store.close().await;
        let allowed = flow.guest.change.allows(trial.changed, trial.compared) && trial.failed == 0;
        if printer.json {
            let differences: Vec<Value> =
                differences.iter().map(|difference| difference_value(difference, self.reveal)).collect();
            printer.json(&json!({
                "tenant": tenant.id,
                "flow": flow.id,
                "live": live.map(|live| live.rules),
                "new": new.rules(),
                "trial": trial,
                "needs_approval": !allowed,
                "differences": differences,
            }));
            return Ok(ExitCode::SUCCESS);
        }
        if !differences.is_empty() {
            printer.out(self.table(printer, &differences, &labels));
        }
        printer.out(trial_line(printer, &trial));
        if let Some(failure) = &trial.failure {
            let (word, colon) = (printer.text("cannot be decided", "无法判定"), printer.colon());
            printer.note(format_args!("{word}{colon}{failure}"));
        }
        note_unread(printer, &trial);
        if !allowed {
            let limit = flow.guest.change;
            printer.note(format_args!(
                "{} ({} %, {})",
                printer.text(
                    "more than the flow lets go live without `--approve`",
                    "超出同步流的限制，上线时需加 `--approve`"
                ),
                limit.percent,
                limit.least
            ));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// A value in a cell: short, with an empty value distinct from none.
    fn cell(&self, field: &str, value: &Value) -> String {
        let text = match if self.reveal { value.clone() } else { hidden(field, value) } {
            Value::Null => return "—".to_owned(),
            Value::String(_) if value.as_str() == Some("") => return "“”".to_owned(),
            Value::String(text) => text,
            other => other.to_string(),
        };
        match text.char_indices().nth(WIDEST) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        }
    }

    fn table(
        &self,
        printer: &Printer,
        differences: &[Difference],
        labels: &std::collections::BTreeMap<String, String>,
    ) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header([
            printer.text("record", "记录"),
            printer.text("person", "人员"),
            printer.text("field", "字段"),
            printer.text("live", "现行"),
            printer.text("new", "新规则"),
        ]);
        for difference in differences {
            let person = [difference.userid.as_deref(), difference.name.as_deref()];
            let person = person.into_iter().flatten().collect::<Vec<_>>().join(" ");
            let mut rows: Vec<[String; 3]> = Vec::new();
            if difference.before != difference.after {
                rows.push([
                    printer.text("decision", "判定").to_owned(),
                    printer.word(difference.before.label()).to_owned(),
                    printer.word(difference.after.label()).to_owned(),
                ]);
            }
            for field in &difference.fields {
                let label = labels.get(&field.field).unwrap_or(&field.field);
                let before = self.cell(&field.field, &field.before);
                let mut after = self.cell(&field.field, &field.after);
                if before == after {
                    after.push_str(printer.text(" (changed)", "（有变）"));
                }
                rows.push([label.clone(), before, after]);
            }
            for (place, [field, before, after]) in rows.into_iter().enumerate() {
                let (record, person) =
                    if place == 0 { (difference.record.as_str(), person.as_str()) } else { ("", "") };
                table.add_row([record, person, &field, &before, &after]);
            }
        }
        table
    }
}
