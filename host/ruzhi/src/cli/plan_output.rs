//! Plans and findings as the commands print them, as text and as data. Personal numbers are masked.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::printer::Printer;
use ruzhi_message::mask;
use ruzhi_model::{Origin, WaitsFor};
use ruzhi_plan::drift::DriftFinding;
use ruzhi_plan::{Plan, PlanRenderer, Purpose};
use ruzhi_store::{Database, OperationRow, StoreError};

/// Operations read at a time.
const PAGE: usize = 500;

/// Passes each operation of a stored plan to `take`, in order.
async fn each(plan: &Plan, store: &Database, mut take: impl FnMut(OperationRow)) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = store.operations_list(&plan.tenant, &plan.id, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.place);
        page.into_iter().for_each(&mut take);
    }
}

/// A plan's operations as data.
pub(super) async fn operation_values(plan: &Plan, store: &Database) -> Result<Vec<Value>, StoreError> {
    let mut values = Vec::new();
    let value = |row: OperationRow| {
        let operation = &row.operation;
        json!({
            "place": row.place,
            "kind": operation.kind,
            "userid": operation.userid,
            "flow": operation.flow,
            "record": operation.record,
            "wave": row.wave,
            "state": row.state,
            "changes": operation.changes().collect::<Vec<_>>(),
            "body": mask::body(&operation.body),
            "moved_from": operation.moved_from(&plan.tenant).map(|(tenant, flow)| format!("{tenant}/{flow}")),
        })
    };
    each(plan, store, |row| values.push(value(row))).await?;
    Ok(values)
}

/// Prints a plan: heading, operations, rejected records, totals.
pub(super) async fn print_plan(
    printer: &Printer,
    plan: &Plan,
    labels: &BTreeMap<String, String>,
    store: &Database,
) {
    let label = |field: &str| labels.get(field).cloned().unwrap_or_else(|| field.to_owned());
    let rendering = PlanRenderer { lang: printer.lang, label: &label };
    printer.out(rendering.head(plan));
    let print = |row: OperationRow| printer.out(rendering.operation(&plan.tenant, &row.operation));
    if let Err(error) = each(plan, store, print).await {
        printer.note(error.text().in_lang(printer.lang));
    }
    for reject in store.quarantine_list(Some(&plan.tenant), Some(&plan.flow)).await.unwrap_or_default() {
        let concerns = match plan.purpose {
            Purpose::Sync => true,
            _ => reject.rejection.waits_for == WaitsFor::Identity,
        };
        if concerns {
            let origin = Origin { tenant: reject.tenant, flow: reject.flow, record: reject.record };
            printer.out(rendering.rejection(&origin, &reject.rejection));
        }
    }
    printer.out(rendering.sum(&plan.counts));
}

/// Prints the differences between directory and ledger.
pub(super) fn print_findings(
    printer: &Printer,
    findings: &[DriftFinding],
    labels: &BTreeMap<String, String>,
) {
    for finding in findings {
        let sign = match finding {
            DriftFinding::Missing { .. } => "-",
            DriftFinding::Unexpected { .. } => "+",
            DriftFinding::Moved { .. } | DriftFinding::Changed { .. } => "~",
        };
        let text = finding.text(|field| labels.get(field).map_or(field, String::as_str).to_owned());
        let record = match finding.owner() {
            Some(owner) => format!("  {} {owner}", printer.text("record", "记录")),
            None => String::new(),
        };
        printer.out(format_args!("  {sign} {}  {}{record}", finding.userid(), text.in_lang(printer.lang)));
    }
    let FindingCounts { missing, unexpected, moved, changed } = FindingCounts::of(findings);
    printer.out(format_args!(
        "  {} {}{comma}{} {}{comma}{} {}{comma}{} {}",
        printer.text("missing", "缺少"),
        missing,
        printer.text("unexpected", "多出"),
        unexpected,
        printer.text("moved", "部门改动"),
        moved,
        printer.text("changed", "字段改动"),
        changed,
        comma = printer.comma()
    ));
    if !findings.is_empty() {
        printer.note(format_args!(
            "  {}",
            printer.text(
                "settle it by a plan with `--keep`, `--overwrite`, `--adopt`",
                "可加 `--keep`（保留）、`--overwrite`（恢复）或 `--adopt`（接管）生成计划处理"
            )
        ));
    }
}

/// Findings by kind.
#[derive(Debug, Default, Serialize)]
pub(super) struct FindingCounts {
    missing: usize,
    unexpected: usize,
    moved: usize,
    changed: usize,
}

impl FindingCounts {
    pub(super) fn of(findings: &[DriftFinding]) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            *match finding {
                DriftFinding::Missing { .. } => &mut counts.missing,
                DriftFinding::Unexpected { .. } => &mut counts.unexpected,
                DriftFinding::Moved { .. } => &mut counts.moved,
                DriftFinding::Changed { .. } => &mut counts.changed,
            } += 1;
        }
        counts
    }
}
