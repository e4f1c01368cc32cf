//! `ruzhi trace`: the history of one record, from the form to the directory.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::deployment::{self, ConfigurationUse};
use super::printer::Printer;
use super::rules::{difference_value, hidden, only_flow};
use super::run_output::reject_lines;
use super::terminal;
use ruzhi_app::audit::AuditRequest;
use ruzhi_config::Config;
use ruzhi_message::{Report, exit, mask};
use ruzhi_model::{Decision, FlowId, MemberState, RecordId, TenantId, Text};
use ruzhi_rules::{DecisionKind, Replay};
use ruzhi_store::{Access, AuditAction, Database, OperationRow, RecordTrace};

#[derive(Debug, Args)]
pub(super) struct Trace {
    /// tenant or tenant/flow
    target: String,
    /// The row's _id
    record: String,
    /// Show numbers and addresses in full
    #[arg(long)]
    reveal: bool,
    /// Decide the record again with the rules and time of its original decision, and compare
    #[arg(long)]
    replay: bool,
}

impl Trace {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let (tenant, flow) = deployment::narrowed(&config, Some(&self.target))?;
        let unknown = || {
            Report::new(
                exit::FAILED,
                "record.unknown",
                Text::new(
                    format!("no record {} of {} is known", self.record, self.target),
                    format!("{} 中没有记录 {}", self.target, self.record),
                ),
                Some(Text::new(
                    "give the row's _id as JianDaoYun shows it; a row is known once a run has read it",
                    "请给出简道云中该行的 _id；运行读取过的行才可查询",
                )),
            )
        };
        let record: RecordId = self.record.parse().map_err(|_| unknown())?;
        let store = deployment::store(&config, Access::Read).await?;
        let tenant = tenant.ok_or_else(unknown)?;
        let work = async {
            self.tell(&config, store.as_ref(), (tenant, flow), &record, printer).await?.ok_or_else(unknown)
        };
        let told = match self.reveal {
            true => {
                let asking = AuditRequest {
                    tenant: Some(tenant),
                    flow,
                    ..AuditRequest::plain(AuditAction::RecordReveal).on(&record)
                };
                terminal::recorded(&config, asking, work).await
            }
            false => work.await,
        };
        store.close().await;
        told
    }

    /// Prints all that is known of a record; `None` if nothing is.
    async fn tell(
        &self,
        config: &Config,
        store: &Database,
        (tenant, flow): (&TenantId, Option<&FlowId>),
        record: &RecordId,
        printer: &Printer,
    ) -> Result<Option<ExitCode>, Report> {
        let traces = store.record_trace(tenant, flow, record).await?;
        if traces.is_empty() {
            return Ok(None);
        }
        let registry = if self.replay { Some(deployment::registry(config, printer)?) } else { None };
        let mut values = Vec::new();
        let mut differs = false;
        for trace in &traces {
            let replay = match &registry {
                Some(registry) => {
                    let (tenant, flow) = only_flow(config, &format!("{tenant}/{}", trace.flow))?;
                    let rules = ruzhi_app::deployment::flow_rules(store, registry, tenant, flow, None);
                    Some(rules.replay(trace).await?)
                }
                None => None,
            };
            differs |= replay.as_ref().is_some_and(|replay| replay.same == Some(false));
            if printer.json {
                let mut value = self.value(trace);
                if let (Some(object), Some(replay)) = (value.as_object_mut(), &replay) {
                    object.insert("replay".to_owned(), self.replay_value(replay));
                }
                values.push(value);
            } else {
                let labels = store.labels_find(tenant, &trace.flow).await?;
                self.print(printer, trace, &labels);
                if let Some(replay) = &replay {
                    self.print_replay(printer, replay);
                }
            }
        }
        if printer.json {
            printer.json(&values);
        }
        Ok(Some(if differs { ExitCode::from(exit::FAILED) } else { ExitCode::SUCCESS }))
    }

    fn replay_value(&self, replay: &Replay) -> Value {
        json!({
            "rules": replay.rules,
            "same": replay.same,
            "difference": replay.difference.as_ref().map(|difference| difference_value(difference, self.reveal)),
            "notes": replay.notes,
        })
    }

    fn print_replay(&self, printer: &Printer, replay: &Replay) {
        let rules = replay.rules.short();
        if replay.same == Some(true) {
            let same = printer
                .text("replayed: same row, same moment, same decision", "重放：同一行、同一时刻，判定相同");
            return printer.out(format_args!("  {same}  {} {rules}", printer.text("by rules", "规则")));
        }
        let differs = match replay.same {
            None => printer.text(
                "replayed: there was no decision, for its batch failed; alone it comes to this",
                "重放：当时该批失败、没有判定；单独判定的结果如下",
            ),
            Some(_) => printer.text(
                "replayed: the decision is another one, so the guest is not a function of its arguments",
                "重放：判定不同，说明规则组件的结果不只取决于输入",
            ),
        };
        printer.out(format_args!("  {differs}  {} {rules}", printer.text("by rules", "规则")));
        if let Some(difference) = &replay.difference {
            for field in &difference.fields {
                let shown =
                    |value: &Value| if self.reveal { value.clone() } else { hidden(&field.field, value) };
                printer.out(format_args!(
                    "      {}{}{} → {}",
                    field.field,
                    printer.colon(),
                    shown(&field.before),
                    shown(&field.after)
                ));
            }
        }
        for note in replay.notes.iter().flatten() {
            printer.out(format_args!("      {note}"));
        }
    }

    fn print(
        &self,
        printer: &Printer,
        trace: &RecordTrace,
        labels: &std::collections::BTreeMap<String, String>,
    ) {
        let time = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string();
        printer.out(format_args!("{} {}/{}", printer.text("record", "记录"), trace.flow, trace.record));
        printer.out(format_args!(
            "  {}  {}  {} {}",
            time(trace.fetched_at),
            printer.text("fetched", "已读取"),
            printer.text("by run", "运行"),
            trace.fetched_run
        ));
        if self.reveal {
            printer.out(format_args!("      {}", trace.content));
        }
        printer.out(format_args!(
            "  {}  {}  {}  {} {}",
            time(trace.decided_at),
            printer.text("decided", "已判定"),
            decision_text(printer, trace),
            printer.text("by rules", "规则"),
            trace.rules.short()
        ));
        for note in &trace.notes {
            printer.out(format_args!("      {note}"));
        }
        if let Some(until) = trace.holds_until {
            printer.out(format_args!("      {} {}", printer.text("holds until", "有效至"), time(until)));
        }
        if let Some(reject) = &trace.rejection {
            for line in reject_lines(reject, labels, printer.lang) {
                printer.out(format_args!("      {} {line}", printer.text("rejected", "待修正")));
            }
        }
        for row in &trace.operations {
            let fields = row
                .operation
                .changes()
                .map(|field| labels.get(field).map_or(field, String::as_str))
                .collect::<Vec<_>>()
                .join(", ");
            printer.out(format_args!(
                "  {}  {}  {} {} ({fields})  {} {}",
                time(row.planned_at),
                printer.text("planned", "已计划"),
                printer.word(row.operation.kind.label()),
                row.operation.userid,
                printer.text("plan", "计划"),
                row.plan
            ));
            for attempt in &row.attempts {
                printer.out(format_args!(
                    "  {}  {}  {}  errcode {}  {}  {} ms",
                    time(attempt.at),
                    printer.text("called", "已调用"),
                    attempt.api,
                    attempt.errcode.map_or_else(|| "-".to_owned(), |code| code.to_string()),
                    attempt.errmsg,
                    attempt.took_ms
                ));
            }
            if let Some(settled) = row.settled_at {
                printer.out(format_args!(
                    "  {}  {}  {}{}",
                    time(settled),
                    printer.text("stored", "已保存"),
                    printer.word(row.state.label()),
                    row.errmsg.as_deref().map(|words| format!("  {words}")).unwrap_or_default()
                ));
            }
        }
        for (member, state) in &trace.members {
            let state =
                MemberState::of_word(state).map_or(state.as_str(), |state| printer.word(state.label()));
            printer.out(format_args!(
                "  {} {member}{}{state}",
                printer.text("member", "成员"),
                printer.colon(),
            ));
        }
    }

    fn value(&self, trace: &RecordTrace) -> Value {
        let decision = trace.decision.as_ref().map(|decision| match (decision, self.reveal) {
            (Decision::Upsert(member), false) => {
                let fields = match serde_json::to_value(member) {
                    Ok(Value::Object(fields)) => fields,
                    _ => Map::new(),
                };
                json!({ "upsert": mask::body(&fields) })
            }
            (other, _) => json!(other),
        });
        let operation = |row: &OperationRow| {
            let body = &row.operation.body;
            json!({
                "plan": row.plan,
                "place": row.place,
                "kind": row.operation.kind,
                "userid": row.operation.userid,
                "changes": row.operation.changes().collect::<Vec<_>>(),
                "body": if self.reveal { body.clone() } else { mask::body(body) },
                "state": row.state,
                "planned_at": row.planned_at,
                "sent_at": row.sent_at,
                "settled_at": row.settled_at,
                "errcode": row.errcode,
                "errmsg": row.errmsg,
                "attempts": row.attempts,
            })
        };
        let mut value = json!({
            "flow": trace.flow,
            "record": trace.record,
            "fetched": { "at": trace.fetched_at, "run": trace.fetched_run },
            "decided": {
                "at": trace.decided_at,
                "rules": trace.rules,
                "decision": decision,
                "failure": trace.failure,
                "notes": trace.notes,
                "holds_until": trace.holds_until,
            },
            "rejection": trace.rejection.as_ref().map(|reject| &reject.rejection),
            "operations": trace.operations.iter().map(operation).collect::<Vec<_>>(),
            "members": trace.members,
        });
        if let (true, Some(object)) = (self.reveal, value.as_object_mut()) {
            object.insert("row".to_owned(), serde_json::from_str(&trace.content).unwrap_or(Value::Null));
        }
        value
    }
}

fn decision_text(printer: &Printer, trace: &RecordTrace) -> String {
    let word = |kind: DecisionKind| printer.word(kind.label());
    match &trace.decision {
        Some(Decision::Upsert(member)) => format!("{} {}", word(DecisionKind::Upsert), member.userid),
        Some(Decision::Leave(userid)) => format!("{} {userid}", word(DecisionKind::Leave)),
        Some(Decision::Ignore(reason)) => {
            format!("{}{}{reason}", word(DecisionKind::Ignore), printer.colon())
        }
        Some(Decision::Reject(_)) => word(DecisionKind::Reject).to_owned(),
        None => {
            let why = trace.failure.as_deref().unwrap_or_default();
            format!("{}{}{why}", word(DecisionKind::Failed), printer.colon())
        }
    }
}
