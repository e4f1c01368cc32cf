//! The result of a run: as text for people, and as one JSON object for scripts.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::plan_output::{FindingCounts, operation_values, print_findings, print_plan};
use super::printer::Printer;
use ruzhi_app::audit;
use ruzhi_app::deployment::RulesExchange;
use ruzhi_config as config;
use ruzhi_message::Report;
use ruzhi_message::exit;
use ruzhi_model::Lang;
use ruzhi_plan::drift::DriftFinding;
use ruzhi_plan::{Counts, Plan};
use ruzhi_store::{Database, PlanState, QuarantineRow, RemovalFilter, RunRow, RunState};
use ruzhi_sync::RunReport;

/// Newly rejected records listed after a run; `ruzhi quarantine` lists all.
const MOST_LISTED: usize = 40;

/// The unit a command runs once for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunUnit {
    /// Every flow.
    Flow,
    /// Every tenant, by its first flow.
    Tenant,
}

/// The result of a command's runs.
pub(super) struct CommandOutcome {
    /// As a word of the audit log.
    pub(super) outcome: String,
    /// The exit code.
    pub(super) code: ExitCode,
}

/// The outcome of one run.
pub(super) struct RunSummary {
    pub(super) run: RunRow,
    pub(super) plan: Option<Plan>,
    pub(super) findings: Vec<DriftFinding>,
    pub(super) exchanged: RulesExchange,
    pub(super) failure: Option<Report>,
}

impl RunSummary {
    pub(super) fn of(report: RunReport, exchanged: RulesExchange) -> Self {
        let RunReport { run, plan, findings, error, .. } = report;
        Self { run, plan, findings, exchanged, failure: error.map(Report::from) }
    }
}

/// The runs of one command, in the order they end.
pub(super) struct RunOutput<'a> {
    printer: &'a Printer,
    show: OutputMode,
    rows: Vec<RunRow>,
    failures: Vec<Report>,
    values: Vec<Value>,
}

impl<'a> RunOutput<'a> {
    pub(super) fn new(printer: &'a Printer, show: OutputMode) -> Self {
        Self { printer, show, rows: Vec::new(), failures: Vec::new(), values: Vec::new() }
    }

    /// Adds a run and, unless JSON was requested, prints it.
    pub(super) async fn add(&mut self, tenant: &config::TenantConfig, outcome: RunSummary, store: &Database) {
        let RunSummary { run, plan, findings, exchanged: RulesExchange { kept, activated }, failure } =
            outcome;
        let labels = store.labels_find(&run.tenant, &run.flow).await.unwrap_or_default();
        if self.printer.json {
            let mut value = json!({
                "tenant": run.tenant,
                "flow": run.flow,
                "run": run.id,
                "plan": run.plan,
                "state": run.state,
                "counts": run.counts,
                "calls": run.calls,
                "started_at": run.started_at,
                "ended_at": run.ended_at,
                "rules": run.rules,
                "guard": plan.as_ref().map(|plan| plan.guard.reasons.clone()).unwrap_or_default(),
                "problem": run.problem,
            });
            if let Some(object) = value.as_object_mut() {
                if let Some(activated) = &activated {
                    object.insert("rules_exchanged".to_owned(), json!(activated));
                }
                if let Some(kept) = &kept {
                    object.insert("rules_kept".to_owned(), self.printer.report_value(kept));
                }
                if let Some(report) = &failure {
                    object.insert("error".to_owned(), self.printer.report_value(report));
                }
                match (self.show, &plan) {
                    (OutputMode::Plan, Some(plan)) => {
                        let operations = operation_values(plan, store).await.unwrap_or_default();
                        object.insert("hash".to_owned(), json!(plan.hash));
                        object.insert("purpose".to_owned(), json!(plan.purpose.as_str()));
                        object.insert("operations".to_owned(), Value::Array(operations));
                    }
                    (OutputMode::Findings, _) => {
                        object.insert("counts".to_owned(), json!(FindingCounts::of(&findings)));
                        object.insert("findings".to_owned(), json!(findings));
                    }
                    _ => {}
                }
            }
            self.values.push(value);
        } else {
            let failed = failure.is_some();
            self.print(tenant, &run, plan.as_ref(), &findings, &labels, store, failed).await;
        }
        if let Some(row) = activated.filter(|_| !self.printer.json) {
            self.printer.note(format_args!(
                "  {} {}{comma}{}/{} {}{comma}#{}",
                self.printer.text("other rules went live:", "新规则已上线："),
                row.rules.short(),
                row.changed,
                row.compared,
                self.printer.text("people change", "人的判定有变"),
                row.number,
                comma = self.printer.comma()
            ));
        }
        if let Some(kept) = &kept {
            let left = self.printer.text(
                "this run used the rules that were live before; those in the tenant's files are not live",
                "本次运行沿用原有规则；工厂配置文件中的规则未上线",
            );
            self.printer.warn(kept, left);
        }
        if let Some(report) = failure {
            self.printer.explain(&report);
            self.failures.push(report);
        }
        self.rows.push(run);
    }

    /// Adds a flow that cannot run.
    pub(super) fn add_report(
        &mut self,
        tenant: &config::TenantConfig,
        flow: &config::FlowConfig,
        report: Report,
    ) {
        if self.printer.json {
            self.values.push(json!({
                "tenant": tenant.id,
                "flow": flow.id,
                "run": null,
                "plan": null,
                "state": RunState::Failed,
                "counts": Counts::default(),
                "error": self.printer.report_value(&report),
            }));
        } else {
            self.printer.out(format_args!(
                "{} ({}/{})  {}",
                tenant.name,
                tenant.id,
                flow.id,
                failed(self.printer)
            ));
        }
        self.printer.explain(&report);
        self.failures.push(report);
    }

    #[expect(clippy::too_many_arguments, reason = "everything a report may show")]
    async fn print(
        &self,
        tenant: &config::TenantConfig,
        run: &RunRow,
        plan: Option<&Plan>,
        findings: &[DriftFinding],
        labels: &BTreeMap<String, String>,
        store: &Database,
        failed: bool,
    ) {
        let printer = self.printer;
        let took = run.ended_at.map_or(0, |ended| (ended - run.started_at).num_milliseconds());
        printer.out(format_args!(
            "{} ({}/{})  {}  {}.{} s",
            tenant.name,
            run.tenant,
            run.flow,
            printer.word(run.state_label()),
            took / 1000,
            took % 1000 / 100
        ));
        match (self.show, plan) {
            // The plan contains the changes to come and the rejected records.
            (OutputMode::Plan, Some(plan)) => print_plan(printer, plan, labels, store).await,
            (OutputMode::Findings, _) => print_findings(printer, findings, labels),
            _ => self.print_outcome(run, labels, store).await,
        }
        if !run.calls.is_empty() {
            let calls: Vec<String> = run.calls.iter().map(|(api, n)| format!("{api} {n}")).collect();
            let (word, calls) = (printer.text("calls", "调用"), calls.join(printer.comma()));
            printer.out(format_args!("  {word}{}{calls}", printer.colon()));
        }
        if let (RunState::Held, OutputMode::Outcome, Some(plan)) = (run.state, self.show, plan) {
            for reason in &plan.guard.reasons {
                printer.out(format_args!(
                    "  {}{}{} ({})",
                    printer.text("held by the guard", "待审批"),
                    printer.colon(),
                    reason.text.in_lang(printer.lang),
                    reason.limit
                ));
            }
        }
        // A failure is printed with its hint.
        if let Some(problem) = run.problem.as_ref().filter(|_| !failed) {
            printer.note(format_args!("  {}", problem.in_lang(printer.lang)));
            self.print_further(run, store).await;
        }
        match (run.state, plan) {
            (RunState::Held, Some(plan)) if is_rejected(plan, store).await => printer.note(format_args!(
                "  {} `ruzhi apply {} --approve`",
                printer.text("to approve it after all:", "若改变主意，仍可批准："),
                plan.id
            )),
            (RunState::Held, Some(plan)) => printer.note(format_args!(
                "  {} `ruzhi show {id}` · `ruzhi apply {id} --approve` · `ruzhi reject {id}`",
                printer.text(
                    "waits for a person; read it, then approve or reject it:",
                    "等待审批；查看、批准或驳回："
                ),
                id = plan.id
            )),
            (RunState::Done, Some(plan)) if self.show == OutputMode::Plan && plan.operations > 0 => {
                printer.note(format_args!(
                    "  {} `ruzhi apply {}`",
                    printer.text(
                        "nothing is written yet; apply exactly this plan with",
                        "尚未写入；执行该计划："
                    ),
                    plan.id
                ));
            }
            _ => {}
        }
    }

    /// Prints the commands that show more of a problem. Pages have links instead, so the problem itself names none.
    async fn print_further(&self, run: &RunRow, store: &Database) {
        let printer = self.printer;
        let (tenant, flow) = (&run.tenant, &run.flow);
        if run.counts.failed + run.counts.untried > 0 {
            let told = printer.text("the history of a record:", "查看一条记录的全程：");
            printer.note(format_args!("  {told} `ruzhi trace {tenant}/{flow} RECORD`"));
        }
        if matches!(store.leavers_find_rejected(tenant, flow).await, Ok(Some(_))) {
            let told = printer.text("the reason for each leaver:", "查看每名离职人员的原因：");
            printer.note(format_args!("  {told} `ruzhi quarantine {tenant}/{flow}`"));
        }
        let removed =
            RemovalFilter { tenant: Some(tenant), flow: Some(flow), most: 1, ..RemovalFilter::default() };
        if store.removals_list(&removed).await.is_ok_and(|removed| !removed.is_empty()) {
            let told = printer.text("the members who were removed by hand:", "查看被手工删除的成员：");
            printer.note(format_args!("  {told} `ruzhi removed {tenant}`"));
        }
    }

    async fn print_outcome(&self, run: &RunRow, labels: &BTreeMap<String, String>, store: &Database) {
        let printer = self.printer;
        printer.out(format_args!("  {}", counted(printer, &run.counts)));
        // A member may be updated with one of its fields rejected.
        if run.counts.rejected + run.counts.updated + run.counts.enabled == 0 {
            return;
        }
        let Ok(rejects) = store.quarantine_list(Some(&run.tenant), Some(&run.flow)).await else { return };
        // Earlier rejections have been reported before.
        let new: Vec<&QuarantineRow> =
            rejects.iter().filter(|reject| reject.first_seen >= run.started_at).take(MOST_LISTED).collect();
        for line in new.iter().flat_map(|reject| reject_lines(reject, labels, printer.lang)) {
            printer.out(format_args!("    {line}"));
        }
        let untold = rejects.len() - new.len();
        if untold > 0 {
            printer.out(format_args!(
                "    {untold} {}",
                printer.text(
                    "not shown here; `ruzhi quarantine` lists all",
                    "条未在此列出；`ruzhi quarantine` 列出全部"
                )
            ));
        }
    }

    /// The overall outcome, as a word of the audit log.
    pub(super) fn outcome(&self) -> String {
        match (self.worst(), self.failures.first()) {
            (RunState::Failed, Some(report)) => report.code(),
            (RunState::Failed, None) => "run.undone",
            (RunState::Held, _) => audit::HELD,
            _ => audit::DONE,
        }
        .to_owned()
    }

    fn worst(&self) -> RunState {
        if !self.failures.is_empty() || self.rows.iter().any(|run| run.state == RunState::Failed) {
            RunState::Failed
        } else if self.rows.iter().any(|run| run.state == RunState::Held) {
            RunState::Held
        } else {
            RunState::Done
        }
    }

    /// Prints the rest and returns the exit code.
    pub(super) fn finish(self) -> ExitCode {
        let worst = self.worst();
        if self.printer.json {
            match <[Value; 1]>::try_from(self.values) {
                Ok([only]) => self.printer.json(&only),
                Err(values) => {
                    let mut counts = Counts::default();
                    for run in &self.rows {
                        counts = counts + run.counts;
                    }
                    self.printer.json(&json!({ "state": worst, "counts": counts, "runs": values }));
                }
            }
        }
        match (worst, self.failures.first()) {
            (RunState::Failed, Some(report)) => ExitCode::from(report.exit()),
            (RunState::Failed, None) => ExitCode::from(exit::FAILED),
            (RunState::Held, _) => ExitCode::from(exit::HELD),
            _ => ExitCode::SUCCESS,
        }
    }
}

/// True if a person has rejected a plan.
async fn is_rejected(plan: &Plan, store: &Database) -> bool {
    let stored = store.plan_find(&plan.tenant, &plan.id).await;
    matches!(stored, Ok(Some(stored)) if stored.state == PlanState::Rejected)
}

/// The subject of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputMode {
    /// The changes made.
    Outcome,
    /// The changes planned.
    Plan,
    /// The differences found.
    Findings,
}

fn failed(printer: &Printer) -> &'static str {
    printer.text("failed", "失败")
}

/// Counts on one line; zero counts are left out, except the created.
pub(super) fn counted(printer: &Printer, counts: &Counts) -> String {
    let all = [
        (printer.text("created", "新增"), counts.created),
        (printer.text("updated", "更新"), counts.updated),
        (printer.text("disabled", "停用"), counts.disabled),
        (printer.text("enabled", "启用"), counts.enabled),
        (printer.text("deleted", "删除"), counts.deleted),
        (printer.text("taken over", "接管"), counts.adopted),
        (printer.text("let stand", "保留"), counts.kept),
        (printer.text("unchanged", "不变"), counts.unchanged),
        (printer.text("ignored", "忽略"), counts.ignored),
        (printer.text("rejected", "待修正"), counts.rejected),
        (printer.text("failed", "失败"), counts.failed),
        (printer.text("not tried", "未执行"), counts.untried),
        (printer.text("without a place", "无名额"), counts.unplaced),
    ];
    all.iter()
        .enumerate()
        .filter(|(at, (_, count))| *at == 0 || *count > 0)
        .map(|(_, (word, count))| format!("{word} {count}"))
        .collect::<Vec<_>>()
        .join(printer.comma())
}

/// One line for each reason a record is in quarantine: form label, rule, message.
pub(super) fn reject_lines(
    reject: &QuarantineRow,
    labels: &BTreeMap<String, String>,
    lang: Lang,
) -> Vec<String> {
    reject
        .rejection
        .violations
        .iter()
        .map(|violation| {
            let label = labels.get(&violation.field).unwrap_or(&violation.field);
            let message = lang.of(&violation.message);
            format!("{}  {label} [{}]  {message}", reject.record, violation.rule)
        })
        .collect()
}
