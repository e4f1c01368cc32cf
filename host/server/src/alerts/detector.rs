//! Turns observations into alert conditions. Pure.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::condition::AlertCondition;
use super::condition::{self, key};
use ruzhi_app::scheduler::{FlowKey, RunFailure, RunResult, ScheduleState, ScheduleStateKind};
use ruzhi_message::{Report, exit};
use ruzhi_store::{DriftCheckRow, FlowStatus, RunKind, RunRow, RunState};
use ruzhi_sync::{FailureKind, Notice};

/// A quarantine grows if it gains at least this many rows, and at least this share.
const GROWTH_LEAST: u64 = 5;
const GROWTH_PERCENT: u64 = 20;
/// A quarantine stops growing after this long without growth.
const GROWTH_OVER: TimeDelta = TimeDelta::hours(24);

/// The state of one alert condition.
#[derive(Debug)]
pub(super) enum Detection {
    /// It holds.
    Holds(Box<AlertCondition>),
    /// It does not hold.
    Cleared(String),
}

impl Detection {
    fn holds(cause: AlertCondition) -> Self {
        Self::Holds(Box::new(cause))
    }
}

/// The quarantine of a flow.
#[derive(Debug, Clone, Copy)]
struct QuarantineGrowth {
    /// The count from which growth is measured.
    before: u64,
    /// The count at its last growth, and when that was; none while it does not grow.
    grown: Option<(u64, DateTime<Utc>)>,
}

/// Past observations needed to detect conditions.
#[derive(Debug, Default)]
pub(super) struct Detector {
    failures: HashMap<FlowKey, u32>,
    quarantines: HashMap<FlowKey, QuarantineGrowth>,
    /// The counts have been read before, so a flow new to them starts from zero.
    counted: bool,
}

impl Detector {
    /// A run has ended. The store says if its plan is held.
    pub(super) fn ended(&mut self, ended: &RunResult) -> Vec<Detection> {
        let RunResult { tenant, flow, run, exchanged, failure, notices, .. } = ended;
        let of = (tenant, flow);
        if failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::CutOff) {
            return Vec::new();
        }
        let mut findings = Vec::new();
        match &exchanged.kept {
            Some(kept) => findings.push(Detection::holds(condition::rules_kept(of, kept))),
            None if run.is_some() => {
                findings.push(Detection::Cleared(key(condition::RULES_KEPT, tenant, flow)))
            }
            None => {}
        }
        // Operations left undone make a run fail that ended without an error. People without a place have an alert of
        // their own.
        let undone =
            run.as_ref().filter(|run| run.state == RunState::Failed && !only_places(run)).map(|run| {
                let text = run
                    .problem
                    .clone()
                    .unwrap_or_else(|| ruzhi_model::Text::new("operations were not done", "有操作未完成"));
                RunFailure::from(Report::new(exit::FAILED, "run.undone", text, None))
            });
        let count = self.failures.entry((tenant.clone(), flow.clone())).or_default();
        match failure.as_ref().or(undone.as_ref()) {
            Some(RunFailure { kind: FailureKind::Blocked(service), report }) => {
                *count += 1;
                let (code, text, hint) = (report.code(), report.text(), report.page_hint());
                findings.push(Detection::holds(condition::flow_blocked(
                    of,
                    Some(*service),
                    code,
                    text,
                    hint,
                )));
            }
            Some(report) => {
                *count += 1;
                if *count >= condition::FAILURES || condition::is_final(report) {
                    findings.push(Detection::holds(condition::flow_failing(of, *count, &report.report)));
                }
            }
            None if run.as_ref().is_some_and(|run| run.kind.writes()) => {
                *count = 0;
                findings.push(Detection::Cleared(key(condition::FLOW_FAILING, tenant, flow)));
                findings.push(Detection::Cleared(key(condition::FLOW_BLOCKED, tenant, flow)));
            }
            None => {}
        }
        if let Some(run) = run {
            findings.extend(
                notices.iter().map(|notice| Detection::holds(condition::noticed(of, &run.id, notice))),
            );
            // A run that failed may not have read the form, and not every kind reads it.
            let read = matches!(run.kind, RunKind::Sync | RunKind::Plan | RunKind::Apply);
            if read && failure.is_none() {
                let so = |seen: fn(&Notice) -> bool| notices.iter().any(seen);
                if !so(|notice| matches!(notice, Notice::ClockOff { .. })) {
                    findings.push(Detection::Cleared(condition::tenants_key(condition::CLOCK_OFF, tenant)));
                }
                if !so(|notice| matches!(notice, Notice::NoRow { .. })) {
                    findings.push(Detection::Cleared(key(condition::FORM_EMPTY, tenant, flow)));
                }
            }
        }
        findings
    }

    /// Conditions in the state of the flows.
    pub(super) fn looked(&mut self, schedule_states: &[ScheduleState]) -> Vec<Detection> {
        let mut findings = Vec::new();
        for schedule_state in schedule_states {
            let (tenant, flow) = (&schedule_state.tenant, &schedule_state.flow);
            let count = self.failures.entry((tenant.clone(), flow.clone())).or_default();
            *count = (*count).max(schedule_state.failures);
            match &schedule_state.blocked {
                Some(blocked) => findings.push(Detection::holds(condition::flow_blocked(
                    (tenant, flow),
                    blocked.service,
                    &blocked.code,
                    &blocked.text,
                    blocked.hint.as_ref(),
                ))),
                None if schedule_state.state != ScheduleStateKind::Blocked => {
                    findings.push(Detection::Cleared(key(condition::FLOW_BLOCKED, tenant, flow)));
                }
                None => {}
            }
            findings.push(if schedule_state.late {
                let due = schedule_state.next.or(schedule_state.queued_since);
                let due = due.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
                Detection::holds(condition::run_late((tenant, flow), due.as_deref()))
            } else {
                Detection::Cleared(key(condition::RUN_LATE, tenant, flow))
            });
        }
        findings
    }

    /// The condition of the configuration on disk.
    pub(super) fn files(invalid: Option<&Report>) -> Detection {
        match invalid {
            Some(report) => Detection::holds(condition::config_invalid(report)),
            None => Detection::Cleared(condition::CONFIG_INVALID.to_owned()),
        }
    }

    /// Conditions in the flows' counts from the store. `stood` returns when the alert of a quarantine was last seen to
    /// grow, for one that stood before this process began.
    pub(super) fn counted(
        &mut self,
        status: &[FlowStatus],
        stood: impl Fn(&str) -> Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Vec<Detection> {
        let mut findings = Vec::new();
        for FlowStatus { tenant, flow, rejected, .. } in status {
            let rejected = *rejected;
            let name = key(condition::QUARANTINE_GROWING, tenant, flow);
            let first = || QuarantineGrowth {
                before: if self.counted { 0 } else { rejected },
                grown: stood(&name).map(|at| (rejected, at)),
            };
            let known = self.quarantines.entry((tenant.clone(), flow.clone())).or_insert_with(first);
            let from = known.grown.map_or(known.before, |(count, _)| count);
            let more = rejected.saturating_sub(from);
            if more >= GROWTH_LEAST && more.saturating_mul(100) >= from.saturating_mul(GROWTH_PERCENT) {
                known.grown = Some((rejected, now));
                let told = condition::quarantine_growing((tenant, flow), known.before, rejected);
                findings.push(Detection::holds(told));
                continue;
            }
            if let Some((_, at)) = known.grown
                && (now - at >= GROWTH_OVER || rejected < known.before + GROWTH_LEAST)
            {
                *known = QuarantineGrowth { before: rejected, grown: None };
                findings.push(Detection::Cleared(name));
            } else if known.grown.is_none() {
                // A corrected quarantine is measured from its new count; slow growth is measured from where it began.
                known.before = known.before.min(rejected);
            }
        }
        self.counted = true;
        findings
    }
}

/// True if everything a run left undone waits for places.
fn only_places(run: &RunRow) -> bool {
    run.counts.unplaced > 0 && run.counts.failed + run.counts.untried == 0
}

/// The condition of the differences between a tenant's directory and what ruzhi wrote.
pub(super) fn drift(check: &DriftCheckRow) -> Detection {
    match check.findings {
        0 => Detection::Cleared(condition::tenants_key(condition::DRIFT_FOUND, &check.tenant)),
        some => Detection::holds(condition::drift_found(&check.tenant, some)),
    }
}

/// Conditions that follow from the counts of a flow alone.
pub(super) fn conditions_of(status: &FlowStatus) -> Vec<Detection> {
    let FlowStatus { tenant, flow, leavers_rejected, last_run, .. } = status;
    let of = (tenant, flow);
    let mut findings = vec![match *leavers_rejected {
        0 => Detection::Cleared(key(condition::LEAVERS_REJECTED, tenant, flow)),
        some => Detection::holds(condition::leavers_rejected(of, some)),
    }];
    // Only a run that writes finds out, and one that ended early may not have come to it.
    if let Some(run) = last_run.as_ref().filter(|run| run.kind.writes()) {
        match (run.counts.unplaced, run.state) {
            (0, RunState::Done) => {
                findings.push(Detection::Cleared(key(condition::PLACES_FULL, tenant, flow)))
            }
            (0, _) => {}
            (some, _) => findings.push(Detection::holds(condition::places_full(of, some, &run.id))),
        }
    }
    findings
}
