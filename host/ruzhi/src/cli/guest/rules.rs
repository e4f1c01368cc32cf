//! Shared by the commands that exchange rules: selecting the flow, and reading the given rules.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use crate::cli::speech::Speech;
use ruzhi_config::{self as config, Config};
use ruzhi_guest_runtime::{Guest, Library, LoadError};
use ruzhi_message::Failure;
use ruzhi_model::{Digest, Text};
use ruzhi_plan::masked;
use ruzhi_rules::{ActivationError, DecisionKind, Difference, FlowRules, Trial};
use ruzhi_store::{ActivationKind, ActivationRow, Artifacts};

/// The one flow a target names.
pub(crate) fn only_flow<'c>(
    config: &'c Config,
    target: &str,
) -> Result<(&'c config::Tenant, &'c config::Flow), Failure> {
    match config.select(Some(target))?.as_slice() {
        [only] => Ok(*only),
        several => {
            let names: Vec<String> = several.iter().map(|(t, f)| format!("{}/{}", t.id, f.id)).collect();
            Err(Failure::usage(
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
pub(super) struct Brought {
    /// A component (.wasm), a rules file, or both; a part not given stays as it is live. By default the tenant's
    /// current files
    new: Vec<PathBuf>,
    /// The component takes no rules file: do not pass it the live one
    #[arg(long)]
    no_rules: bool,
}

impl Brought {
    /// Reads them.
    pub(super) async fn artifacts(
        &self,
        rules: &FlowRules<'_>,
        flow: &config::Flow,
    ) -> Result<Artifacts, Failure> {
        if self.new.is_empty() && !self.no_rules {
            return Ok(ruzhi_app::deployment::offered(flow)?);
        }
        let (mut component, mut config) = (None, self.no_rules.then(String::new));
        for file in &self.new {
            let twice = if is_component(file) {
                component.replace(Library::read(file, None)?).is_some()
            } else {
                config.replace(Guest::read_rules(Some(file))?).is_some()
            };
            if twice {
                return Err(Failure::usage(
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

    /// A failure, with advice if a component was given alone and does not accept the live rules file.
    pub(super) fn explained(&self, error: ActivationError) -> Failure {
        let alone = !self.no_rules && matches!(self.new.as_slice(), [only] if is_component(only));
        let refused = matches!(error, ActivationError::Load(LoadError::Configuration { .. }));
        let failure = Failure::from(error);
        if !(alone && refused) {
            return failure;
        }
        failure.hinting(Text::new(
            "the component was given the rules file that is live: name its own rules file beside it, or add `--no-rules` if it takes none",
            "该组件收到的是现行的规则文件：请同时给出它自己的规则文件；若它不需要规则文件，请加 `--no-rules`",
        ))
    }
}

fn is_component(file: &Path) -> bool {
    let begins = |bytes: &[u8]| ruzhi_files::file::head(file, 4).is_ok_and(|head| head == bytes);
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wasm")) || begins(b"\0asm")
}

/// The digest of the rules in the tenant's files; `or` if they cannot be read.
pub(super) fn offered_now(flow: &config::Flow, or: &Digest) -> Digest {
    ruzhi_app::deployment::offered(flow).map_or_else(|_| or.clone(), |offered| offered.rules())
}

/// The result of a trial, in a line.
pub(super) fn trial_line(speech: &Speech, trial: &Trial) -> String {
    let mut words = vec![
        format!("{} {}", speech.say("tried on", "试运行记录"), trial.compared),
        format!("{} {}", speech.say("people who change", "结果有变"), trial.changed),
    ];
    if trial.reworded > 0 {
        words.push(format!("{} {}", speech.say("only the reason changes", "仅原因有变"), trial.reworded));
    }
    if trial.failed > 0 {
        words.push(format!("{} {}", speech.say("cannot be decided", "无法判定"), trial.failed));
    }
    words.join(", ")
}

/// Notes the fields that the stored rows lack.
pub(super) fn note_unread(speech: &Speech, trial: &Trial) {
    if !trial.unread.is_empty() {
        speech.note(format_args!(
            "{}: {}",
            speech.say(
                "the new rules read fields that the stored rows do not hold, so this is not what they make of the form",
                "新规则读取了已存记录中没有的字段，以下结果不代表其对表单的真实判定"
            ),
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
    if value.is_null() || field == "failure" {
        return value.clone();
    }
    let body = Map::from_iter([(field.to_owned(), value.clone())]);
    masked(&body).remove(field).unwrap_or_default()
}

/// A verdict in a word.
pub(super) fn verdict_word(speech: &Speech, verdict: DecisionKind) -> &'static str {
    match verdict {
        DecisionKind::Upsert => speech.say("upsert", "入职"),
        DecisionKind::Leave => speech.say("leave", "离职"),
        DecisionKind::Ignore => speech.say("ignore", "忽略"),
        DecisionKind::Reject => speech.say("reject", "拒绝"),
        DecisionKind::Failed => speech.say("failed", "失败"),
    }
}

/// How rules came to be live, in a word.
pub(super) fn kind_word(speech: &Speech, kind: ActivationKind) -> &'static str {
    match kind {
        ActivationKind::First => speech.say("first", "首次"),
        ActivationKind::File => speech.say("file exchanged", "文件替换"),
        ActivationKind::Activate => speech.say("activated", "启用"),
        ActivationKind::Rollback => speech.say("rolled back", "回退"),
    }
}

/// An activation as a line of a list.
pub(super) fn activation_line(speech: &Speech, row: &ActivationRow) -> String {
    let mut line = format!(
        "#{}  {}  {}  {} {}  {} {}  {} {}  {}",
        row.number,
        row.at.format("%Y-%m-%d %H:%M:%SZ"),
        kind_word(speech, row.kind),
        row.name,
        row.version,
        speech.say("rules", "规则"),
        row.rules.short(),
        speech.say("component", "组件"),
        row.component.short(),
        row.who
    );
    if row.compared > 0 {
        line.push_str(&format!(
            "  {}/{} {}",
            row.changed,
            row.compared,
            speech.say("people changed", "人结果有变")
        ));
    }
    if row.approved {
        line.push_str(speech.say("  approved", "  已批准"));
    }
    if let Some(why) = &row.why {
        line.push_str(&format!("  “{why}”"));
    }
    line
}
