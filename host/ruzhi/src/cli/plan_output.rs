//! Plans and findings as the commands print them, as text and as data. Personal numbers are masked.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::printer::Printer;
use ruzhi_model::Origin;
use ruzhi_plan::drift::DriftFinding;
use ruzhi_plan::{Plan, PlanRenderer, Purpose, masked};
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
            "body": masked(&operation.body),
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
            _ => reject.rejection.violations.iter().any(|v| v.rule == "adopt.ambiguous"),
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
    let departments = |ids: &std::collections::BTreeSet<ruzhi_model::DepartmentId>| {
        ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    for finding in findings {
        printer.out(match finding {
            DriftFinding::Missing { userid, owner } => {
                format!(
                    "  - {userid}  {} {owner}",
                    printer.text("is missing; record", "已不在通讯录中；记录")
                )
            }
            DriftFinding::Unexpected { userid } => {
                format!("  + {userid}  {}", printer.text("is not ruzhi's", "不是 ruzhi 的成员"))
            }
            DriftFinding::Moved { userid, owner, ledger, directory } => format!(
                "  ~ {userid}  {} {} → {}  {} {owner}",
                printer.text("was moved:", "部门被改动："),
                departments(ledger),
                departments(directory),
                printer.text("record", "记录")
            ),
            DriftFinding::Changed { userid, owner, field, .. } => format!(
                "  ~ {userid}  {}{}{}  {} {owner}",
                printer.text("was changed", "被改动"),
                printer.colon(),
                labels.get(field).unwrap_or(field),
                printer.text("record", "记录")
            ),
        });
    }
    let counts = finding_counts(findings);
    let count = |kind: &str| counts.get(kind).and_then(Value::as_u64).unwrap_or_default();
    printer.out(format_args!(
        "  {} {}{comma}{} {}{comma}{} {}{comma}{} {}",
        printer.text("missing", "缺少"),
        count("missing"),
        printer.text("unexpected", "多出"),
        count("unexpected"),
        printer.text("moved", "部门改动"),
        count("moved"),
        printer.text("changed", "字段改动"),
        count("changed"),
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

/// Counts findings by kind.
pub(super) fn finding_counts(findings: &[DriftFinding]) -> Value {
    let count = |wanted: fn(&DriftFinding) -> bool| findings.iter().filter(|finding| wanted(finding)).count();
    json!({
        "missing": count(|f| matches!(f, DriftFinding::Missing { .. })),
        "unexpected": count(|f| matches!(f, DriftFinding::Unexpected { .. })),
        "moved": count(|f| matches!(f, DriftFinding::Moved { .. })),
        "changed": count(|f| matches!(f, DriftFinding::Changed { .. })),
    })
}
