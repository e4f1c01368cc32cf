//! Shared by the commands that exchange rules: selecting the flow, and reading the given rules.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::cli::printer::Printer;
use ruzhi_config::{self as config, Config};
use ruzhi_guest_runtime::{ComponentRegistry, Guest};
use ruzhi_message::{Report, mask};
use ruzhi_model::Text;
use ruzhi_rules::{Difference, FlowRules, Trial};
use ruzhi_store::{ActivationRow, Artifacts};

/// The one flow a target names.
pub(crate) fn only_flow<'c>(
    config: &'c Config,
    target: &str,
) -> Result<(&'c config::TenantConfig, &'c config::FlowConfig), Report> {
    match config.select(Some(target))?.as_slice() {
        [only] => Ok(*only),
        several => {
            let names: Vec<String> = several.iter().map(|(t, f)| format!("{}/{}", t.id, f.id)).collect();
            Err(Report::usage(
                Text::new(
                    format!("`{target}` has {} flows, and this is about one", several.len()),
                    format!("`{target}` 有 {} 个同步流，此命令只针对一个", several.len()),
                ),
                Text::new(
                    format!("name one of {}", names.join(", ")),
                    format!("请指定其一：{}", names.join("、")),
                ),
            ))
        }
    }
}

/// The rules given on the command line.
#[derive(Debug, Args)]
pub(super) struct RulesArguments {
    /// A component (.wasm), a rules file, or both; a part not given stays as it is live. By default the tenant's
    /// current files
    new: Vec<PathBuf>,
    /// The component takes no rules file: do not pass it the live one
    #[arg(long)]
    no_rules: bool,
}

impl RulesArguments {
    /// Reads them.
    pub(super) async fn artifacts(
        &self,
        rules: &FlowRules<'_>,
        flow: &config::FlowConfig,
    ) -> Result<Artifacts, Report> {
        if self.new.is_empty() && !self.no_rules {
            return Ok(ruzhi_app::deployment::offered(flow)?);
        }
        let (mut component, mut config) = (None, self.no_rules.then(String::new));
        for file in &self.new {
            let twice = if is_component(file) {
                component.replace(ComponentRegistry::read(file, None)?).is_some()
            } else {
                config.replace(Guest::read_rules(Some(file))?).is_some()
            };
            if twice {
                return Err(Report::usage(
                    Text::new(
                        format!("{} is the second file of its kind", file.display()),
                        format!("{} 与前一个文件类型相同", file.display()),
                    ),
                    Text::new(
                        "give one component (.wasm), one rules file, or one of each; `--no-rules` stands for an empty one",
                        "请给出一个组件（.wasm）、一个规则文件，或各一个；`--no-rules` 表示没有规则文件",
                    ),
                ));
            }
        }
        if let (Some(component), Some(config)) = (&component, &config) {
            return Ok(Artifacts { component: component.clone(), config: config.clone() });
        }
        let base = match rules.live_artifacts().await? {
            Some(live) => live,
            None => ruzhi_app::deployment::offered(flow)?,
        };
        Ok(Artifacts {
            component: component.unwrap_or(base.component),
            config: config.unwrap_or(base.config),
        })
    }

    /// Advice if a component was given alone and does not accept the live rules file.
    pub(super) fn unaccepted(&self) -> Option<Text> {
        let alone = !self.no_rules && matches!(self.new.as_slice(), [only] if is_component(only));
        alone.then(|| {
            Text::new(
                "the component was given the rules file that is live: name its own rules file beside it, or add `--no-rules` if it takes none",
                "该组件收到的是现行的规则文件：请同时给出它自己的规则文件；若它不需要规则文件，请加 `--no-rules`",
            )
        })
    }
}

fn is_component(file: &Path) -> bool {
    let begins = |bytes: &[u8]| ruzhi_files::file::head(file, 4).is_ok_and(|head| head == bytes);
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wasm")) || begins(b"\0asm")
}

/// The result of a trial, in a line.
pub(super) fn trial_line(printer: &Printer, trial: &Trial) -> String {
    let mut words = vec![
        format!("{} {}", printer.text("tried on", "试运行记录数"), trial.compared),
        format!("{} {}", printer.text("people who change", "判定有变的人数"), trial.changed),
    ];
    if trial.reworded > 0 {
        words.push(format!("{} {}", printer.text("only the reason changes", "仅原因有变"), trial.reworded));
    }
    if trial.failed > 0 {
        words.push(format!("{} {}", printer.text("cannot be decided", "无法判定"), trial.failed));
    }
    words.join(printer.comma())
}

/// Notes the fields that the stored rows lack.
pub(super) fn note_unread(printer: &Printer, trial: &Trial) {
    if !trial.unread.is_empty() {
        printer.note(format_args!(
            "{}{}{}",
            printer.text(
                "the new rules read fields that the stored rows do not hold, so this is not what they make of the form",
                "新规则读取了已存记录中没有的字段，以下结果不代表其对表单的真实判定"
            ),
            printer.colon(),
            trial.unread.join(", ")
        ));
    }
}

/// A difference as data; numbers and addresses are masked unless `reveal`.
pub(crate) fn difference_value(difference: &Difference, reveal: bool) -> Value {
    let mut difference = difference.clone();
    if !reveal {
        for field in &mut difference.fields {
            for value in [&mut field.before, &mut field.after] {
                *value = hidden(&field.field, value);
            }
        }
    }
    json!(difference)
}

/// A value with a person's numbers and addresses masked.
pub(crate) fn hidden(field: &str, value: &Value) -> Value {
    // A failure's text is written by the host, which has masked the guest's words, and record ids are not personal
    // data.
    if field == "failure" { value.clone() } else { mask::field(field, value) }
}

/// An activation as a line of a list.
pub(super) fn activation_line(printer: &Printer, row: &ActivationRow) -> String {
    let mut line = format!(
        "#{}  {}  {}  {} {}  {} {}  {} {}  {}",
        row.number,
        row.at.format("%Y-%m-%d %H:%M:%SZ"),
        printer.word(row.kind.label()),
        row.name,
        row.version,
        printer.text("rules", "规则"),
        row.rules.short(),
        printer.text("component", "组件"),
        row.component.short(),
        row.who
    );
    if row.compared > 0 {
        line.push_str(&format!(
            "  {}/{} {}",
            row.changed,
            row.compared,
            printer.text("people changed", "人的判定有变")
        ));
    }
    if row.approved {
        line.push_str(printer.text("  approved", "  已批准"));
    }
    if let Some(why) = &row.why {
        line.push_str(&format!("  “{why}”"));
    }
    line
}
