//! `ruzhi quarantine`: lists the quarantine, with the form's own labels.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::deployment::{self, ConfigurationUse};
use super::printer::Printer;
use super::run_output::reject_lines;
use super::terminal;
use ruzhi_app::audit::AuditRequest;
use ruzhi_message::Report;
use ruzhi_model::{FlowId, Rejection, TenantId};
use ruzhi_store::{Access, AuditAction, Database};

#[derive(Debug, Args)]
pub(super) struct Quarantine {
    /// tenant or tenant/flow; every flow if omitted
    target: Option<String>,
    /// Also show the rows, with numbers and addresses in full
    #[arg(long)]
    reveal: bool,
}

impl Quarantine {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let config = deployment::configuration(dir, ConfigurationUse::Read, printer)?;
        let (tenant, flow) = deployment::narrowed(&config, self.target.as_deref())?;
        let store = deployment::store(&config, Access::Read).await?;
        let work = self.print(store.as_ref(), (tenant, flow), printer);
        let printed = match self.reveal {
            true => {
                let asking =
                    AuditRequest { tenant, flow, ..AuditRequest::plain(AuditAction::QuarantineReveal) };
                terminal::recorded(&config, asking, work).await
            }
            false => work.await,
        };
        store.close().await;
        printed
    }

    async fn print(
        &self,
        store: &Database,
        (tenant, flow): (Option<&TenantId>, Option<&FlowId>),
        printer: &Printer,
    ) -> Result<ExitCode, Report> {
        let rejects = store.quarantine_list(tenant, flow).await?;
        let mut values: Vec<Value> = Vec::new();
        for reject in &rejects {
            let labels = store.labels_find(&reject.tenant, &reject.flow).await?;
            if !printer.json {
                for line in reject_lines(reject, &labels, printer.lang) {
                    printer.out(format_args!("{}/{}  {line}", reject.tenant, reject.flow));
                }
                printer.out(format_args!("    {}", waits(&reject.rejection, printer)));
                if self.reveal {
                    printer.out(format_args!("    {}", reject.content.as_deref().unwrap_or_default()));
                }
                continue;
            }
            let violations: Vec<Value> = reject
                .rejection
                .violations
                .iter()
                .map(|violation| {
                    json!({
                        "field": violation.field,
                        "label": labels.get(&violation.field).unwrap_or(&violation.field),
                        "rule": violation.rule,
                        "message": violation.message,
                    })
                })
                .collect();
            let mut value = json!({
                "tenant": reject.tenant,
                "flow": reject.flow,
                "record": reject.record,
                "by": reject.rejection.by,
                "errcode": reject.rejection.errcode,
                "violations": violations,
                "waits_for": reject.rejection.waits_for,
                "tries": reject.rejection.tries,
                "retry_at": reject.rejection.retry_at,
                "first_seen": reject.first_seen,
                "last_seen": reject.last_seen,
            });
            if let (true, Some(object)) = (self.reveal, value.as_object_mut()) {
                let row = reject.content.as_deref().and_then(|text| serde_json::from_str(text).ok());
                object.insert("row".to_owned(), row.unwrap_or(Value::Null));
            }
            values.push(value);
        }
        if printer.json {
            printer.json(&values);
        } else if rejects.is_empty() {
            printer.note(printer.text("nothing is in quarantine", "没有待修正的记录"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The condition an entry waits for, and the time it is retried regardless.
fn waits(rejection: &Rejection, printer: &Printer) -> String {
    let words = rejection.waits_for.words();
    let next = rejection.retry_at.map(|at| {
        let at = at.format("%Y-%m-%d %H:%M:%SZ");
        format!(" · {} {at}", printer.text("next try", "下次重试时间"))
    });
    format!("{}{}", words.in_lang(printer.lang), next.unwrap_or_default())
}
