//! Turns observations into alarm conditions. Pure.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::condition::AlarmCondition;
use super::condition::{self, key};
use ruzhi_app::scheduler::{FlowKey, FlowStanding, RunResult, StandingState};
use ruzhi_message::{Report, exit};
use ruzhi_store::{FlowStatus, RunKind, RunRow, RunState};
use ruzhi_sync::Notice;

/// A quarantine grows if it gains at least this many rows, and at least this share.
const GROWTH_LEAST: u64 = 5;
const GROWTH_PERCENT: u64 = 20;
/// A quarantine stops growing after this long without growth.
const GROWTH_OVER: TimeDelta = TimeDelta::hours(24);

/// The state of one alarm condition.
#[derive(Debug)]
pub(super) enum Detection {
    /// It holds.
    Holds(Box<AlarmCondition>),
    /// It does not hold.
    Cleared(String),
}

impl Detection {
    fn holds(cause: AlarmCondition) -> Self {
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
        let RunResult { tenant, flow, run, exchanged, failure, blocked, notices, .. } = ended;
        let of = (tenant, flow);
        if failure.as_ref().is_some_and(|failure| failure.code() == "run.quit") {
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
        // Operations left undone make a run fail that ended without an error. People without a place have an alarm of
        // their own.
        let undone =
            run.as_ref().filter(|run| run.state == RunState::Failed && !only_places(run)).map(|run| {
                let text = run
                    .problem
                    .clone()
                    .unwrap_or_else(|| ruzhi_model::Text::new("operations were not done", "有操作未完成"));
                Report::new(exit::FAILED, "run.undone", text, None)
            });
        let count = self.failures.entry((tenant.clone(), flow.clone())).or_default();
        match failure.as_ref().or(undone.as_ref()) {
            Some(failure) if *blocked => {
                *count += 1;
                let told = condition::flow_blocked(of, failure.code(), failure.text(), failure.page_hint());
                findings.push(Detection::holds(told));
            }
            Some(failure) => {
                *count += 1;
                if *count >= condition::FAILURES || condition::is_final(failure) {
                    findings.push(Detection::holds(condition::flow_failing(of, *count, failure)));
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
        // A run that plans to settle the differences finds none itself.
        let is_check = |run: &RunRow| run.kind == RunKind::Drift && run.plan.is_none();
        if run.as_ref().is_some_and(is_check) && failure.is_none() {
            findings.push(match ended.findings {
                0 => Detection::Cleared(key(condition::DRIFT_FOUND, tenant, flow)),
                some => Detection::holds(condition::drift_found(of, some)),
            });
        }
        findings
    }

    /// Conditions in the state of the flows.
    pub(super) fn looked(&mut self, standings: &[FlowStanding]) -> Vec<Detection> {
        let mut findings = Vec::new();
        for standing in standings {
            let (tenant, flow) = (&standing.tenant, &standing.flow);
            let count = self.failures.entry((tenant.clone(), flow.clone())).or_default();
            *count = (*count).max(standing.failures);
            match &standing.blocked {
                Some(blocked) => findings.push(Detection::holds(condition::flow_blocked(
                    (tenant, flow),
                    &blocked.code,
                    &blocked.text,
                    blocked.hint.as_ref(),
                ))),
                None if standing.state != StandingState::Blocked => {
                    findings.push(Detection::Cleared(key(condition::FLOW_BLOCKED, tenant, flow)));
                }
                None => {}
            }
            findings.push(if standing.late {
                let due = standing.next.or(standing.queued_since);
                let due = due.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
                Detection::holds(condition::run_late((tenant, flow), due.as_deref()))
            } else {
                Detection::Cleared(key(condition::RUN_LATE, tenant, flow))
            });
        }
        findings
    }

    /// The condition of the configuration on disk.
    pub(super) fn files(refused: Option<&Report>) -> Detection {
        match refused {
            Some(failure) => Detection::holds(condition::files_refused(failure)),
            None => Detection::Cleared(condition::FILES_REFUSED.to_owned()),
        }
    }

    /// Conditions in the flows' counts from the store. `stood` returns when the alarm of a quarantine was last seen to
    /// grow, for one that stood before this process began.
    pub(super) fn counted(
        &mut self,
        status: &[FlowStatus],
        stood: impl Fn(&str) -> Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Vec<Detection> {
        let mut findings = Vec::new();
        for FlowStatus { tenant, flow, rejects, .. } in status {
            let rejects = *rejects;
            let name = key(condition::QUARANTINE_GROWING, tenant, flow);
            let first = || QuarantineGrowth {
                before: if self.counted { 0 } else { rejects },
                grown: stood(&name).map(|at| (rejects, at)),
            };
            let known = self.quarantines.entry((tenant.clone(), flow.clone())).or_insert_with(first);
            let from = known.grown.map_or(known.before, |(count, _)| count);
            let more = rejects.saturating_sub(from);
            if more >= GROWTH_LEAST && more.saturating_mul(100) >= from.saturating_mul(GROWTH_PERCENT) {
                known.grown = Some((rejects, now));
                let told = condition::quarantine_growing((tenant, flow), known.before, rejects);
                findings.push(Detection::holds(told));
                continue;
            }
            if let Some((_, at)) = known.grown
                && (now - at >= GROWTH_OVER || rejects < known.before + GROWTH_LEAST)
            {
                *known = QuarantineGrowth { before: rejects, grown: None };
                findings.push(Detection::Cleared(name));
            } else if known.grown.is_none() {
                // A corrected quarantine is measured from its new count; slow growth is measured from where it began.
                known.before = known.before.min(rejects);
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

/// Conditions that follow from the counts of a flow alone.
pub(super) fn conditions_of(status: &FlowStatus) -> Vec<Detection> {
    let FlowStatus { tenant, flow, leavers_refused, last_run, .. } = status;
    let of = (tenant, flow);
    let mut findings = vec![match *leavers_refused {
        0 => Detection::Cleared(key(condition::LEAVERS_REFUSED, tenant, flow)),
        some => Detection::holds(condition::leavers_refused(of, some)),
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
