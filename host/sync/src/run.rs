//! A run from beginning to end.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::applier::{ApplySummary, PlanApplier};
use super::collect::{CollectSummary, Collector};
use super::error::{RunError, check_applicable};
use super::flow::FlowRuntime;
use super::gate::WriteGate;
use super::notice::{ClockSource, Notice, with_notices};
use super::planning::{self, PreparedPlan};
use super::progress::Stage;
use super::recovery::settle_crash;
use super::request::RunTask;
use super::write_back::write_back;
use super::{adopt, drift, fields, problem, revert, run_end};
use ruzhi_message::Report;
use ruzhi_model::{CalledApi, PlanId};
use ruzhi_plan::drift::DriftFinding;
use ruzhi_plan::{AdoptBy, Counts, DriftResolution, PASSES, Plan, Policy, Purpose};
use ruzhi_store::{PlanState, RunCause, RunRow, RunState, Watermark};

/// The result of a run.
#[derive(Debug)]
pub struct RunReport {
    /// The run, as stored.
    pub run: RunRow,
    /// The plan it made first; its operations are in the store.
    pub plan: Option<Plan>,
    /// The findings of a drift check.
    pub findings: Vec<DriftFinding>,
    /// Remarks for a person that made nothing fail.
    pub notices: Vec<Notice>,
    /// The reason it ended early.
    pub error: Option<RunError>,
}

impl FlowRuntime {
    /// Begins a run: settles a crash's leftovers, and reads the form. Flows of one corp that run together all begin
    /// before the first finishes, so that each plan knows the others' forms.
    pub async fn begin(&self, request: RunTask, cause: RunCause) -> PendingRun<'_> {
        let started_at = self.clock.now();
        self.directory.begin_anew();
        let id = self.run_ids.next(started_at);
        // At the highest level, so that everything logged within names its run, however little is logged.
        let span = tracing::error_span!(
            "run",
            tenant.id = self.tenant.as_str(),
            flow.id = self.id.as_str(),
            run.id = id.as_str()
        );
        let mut running = RunExecution {
            flow: self,
            span: span.clone(),
            retry: request.options().full,
            called_before: self.calls(),
            row: RunRow {
                tenant: self.tenant.clone(),
                flow: self.id.clone(),
                id,
                kind: request.kind(),
                cause: Some(cause),
                state: RunState::Running,
                started_at,
                ended_at: None,
                plan: None,
                rules: Some(self.guest.rules().clone()),
                counts: Counts::default(),
                calls: BTreeMap::new(),
                problem: None,
                failure: None,
            },
            request,
            collected: None,
            began: Instant::now(),
            plan: None,
            findings: Vec::new(),
            gate: WriteGate::default(),
            begun: false,
        };
        // The beginning of a run leaves nothing in doubt: it may be dropped at any point.
        let purpose = unless(&self.quit, running.begin().instrument(span)).await;
        PendingRun { running, purpose }
    }
}

/// A run that has read what it needs and planned nothing yet.
pub struct PendingRun<'a> {
    running: RunExecution<'a>,
    /// The purpose of its plan; none to plan nothing.
    purpose: Result<Option<Purpose>, RunError>,
}

impl PendingRun<'_> {
    /// Plans, and does the requested work.
    pub async fn finish(self) -> RunReport {
        let Self { mut running, purpose } = self;
        let span = running.span.clone();
        async move {
            let result = match purpose {
                Ok(Some(purpose)) => running.go(purpose).await,
                Ok(None) => {
                    let quit = running.flow.quit.clone();
                    unless(&quit, running.look()).await
                }
                Err(error) => Err(error),
            };
            if let Ok(state) = result {
                running.write_back(state).await;
            }
            running.end(result).await
        }
        .instrument(span)
        .await
    }
}

struct RunExecution<'a> {
    flow: &'a FlowRuntime,
    /// Attributes everything logged in this run to it.
    span: tracing::Span,
    request: RunTask,
    /// Quarantined records are tried again: a person asks, or the plan to apply was made so.
    retry: bool,
    /// The result of the form's collect.
    collected: Option<CollectSummary>,
    /// Its start, by a monotonic clock.
    began: Instant,
    /// Calls made before this run, by clients that other runs have used.
    called_before: BTreeMap<CalledApi, u64>,
    row: RunRow,
    plan: Option<Plan>,
    findings: Vec<DriftFinding>,
    /// The tenant's rights and places, as far as the run's calls have shown them.
    gate: WriteGate,
    /// The run is in the store.
    begun: bool,
}

impl RunExecution<'_> {
    async fn begin(&mut self) -> Result<Option<Purpose>, RunError> {
        let flow = self.flow;
        let purpose = match self.request.clone() {
            RunTask::Plan(_) | RunTask::Sync(_) => Some(Purpose::Sync),
            // A plan that may not be applied does not start a run.
            RunTask::Apply { plan, approved } => Some(self.asked_for(&plan, approved).await?),
            RunTask::Adopt(by) => Some(Purpose::Adopt { by }),
            RunTask::Revert(run) => Some(Purpose::Revert { run }),
            RunTask::Drift(settle) => settle.map(|settle| Purpose::Drift { settle }),
        };
        flow.store.run_put(&self.row).await?;
        self.begun = true;
        tracing::info!(run.kind = ?self.row.kind, "run began");
        flow.progress.began(&self.row);
        self.enter(Stage::Settle);
        let labels = flow.guest.description().labels.iter().cloned().collect();
        flow.store.labels_put(&flow.tenant, &flow.id, &labels).await?;
        settle_crash(flow).await?;
        flow.store.runs_abandon(&flow.tenant, &flow.id, &self.row.id, self.row.started_at).await?;
        if purpose.as_ref().is_some_and(Purpose::reads_the_form) {
            fields::check(flow).await?;
            // An approval covers the form as it is now, deleted rows included.
            let approving = matches!(self.request, RunTask::Apply { .. });
            self.collected = Some(self.collect(approving).await?);
        }
        Ok(purpose)
    }

    async fn go(&mut self, purpose: Purpose) -> Result<RunState, RunError> {
        let mut made = unless(&self.flow.quit, self.make(&purpose)).await?;
        let complete = self.collected.as_ref().is_some_and(|collected| collected.complete);
        if made.from_before && !complete && purpose == Purpose::Sync {
            // An operation concerns a row that this run has not read: the row may be gone since.
            self.collected = Some(unless(&self.flow.quit, self.collect(true)).await?);
            made = unless(&self.flow.quit, self.make(&purpose)).await?;
        }
        let mut applying = false;
        if let RunTask::Apply { plan: asked, approved } = &self.request {
            applying = true;
            let approved = *approved;
            if *asked != made.plan.id {
                let (asked, new, held) = (asked.clone(), made.plan.id.clone(), made.plan.guard.holds());
                self.keep(made, false).await?;
                return Err(RunError::Superseded { plan: asked, new, held });
            }
            // The limits may have been lowered since it was made.
            if made.plan.guard.holds() && !approved {
                let plan = made.plan.id.clone();
                self.keep(made, false).await?;
                return Err(RunError::NotApproved { plan });
            }
        }
        let mut removed = Vec::new();
        for pass in 0..PASSES {
            self.row.counts = merged(self.row.counts, made.plan.counts);
            self.row.problem = problem::undecided(&made.plan).or_else(|| made.note.clone());
            let planned = made.plan.counts;
            let (plan, state) = self.keep(made, applying && pass == 0).await?;
            if self.request.only_plans() {
                self.row.counts = planned;
            }
            if state == PlanState::Rejected {
                let error = RunError::Rejected { plan: plan.id.clone() };
                self.row.problem = Some(problem::rejected(&error));
            }
            let waits = matches!(state, PlanState::Rejected | PlanState::Held);
            if waits || self.request.only_plans() {
                self.plan.get_or_insert(plan);
                return Ok(if waits { RunState::Held } else { RunState::Done });
            }
            let applied = self.apply(&plan).await?;
            self.plan.get_or_insert(plan);
            self.row.counts = self.row.counts + applied.counts;
            removed.extend(applied.removed);
            if let Some(error) = applied.stopped {
                return Err(RunError::Stopped(error));
            }
            let Counts { failed, untried, unplaced, .. } = applied.counts;
            if self.flow.quit.is_cancelled() && failed + untried > 0 {
                return Err(RunError::Quit { done: self.row.counts.operations(), failed, untried });
            }
            if applied.parked {
                self.row.problem = Some(problem::parked());
            }
            if let (Some((userid, words)), None) = (applied.first_failure, &self.row.problem) {
                self.row.problem = Some(problem::not_done(failed, &userid, &words));
            }
            if let Some((userid, code)) = applied.no_place {
                let told = problem::no_place(unplaced, &userid, code);
                self.row.problem = Some(problem::both(self.row.problem.take(), told));
            }
            // A plan knows nothing of operations in doubt: it would repeat them, and take the first attempt for a
            // stranger's doing.
            let plans_again = applied.plan_again && applied.in_doubt == 0;
            if purpose != Purpose::Sync || !plans_again || pass + 1 == PASSES {
                break;
            }
            // Operations not done are planned anew, and counted by their outcome then.
            self.row.counts = Counts { failed: 0, untried: 0, unplaced: 0, ..self.row.counts };
            self.row.problem = None;
            made = unless(&self.flow.quit, self.make(&purpose)).await?;
        }
        if let Some((count, userid, errcode)) =
            self.flow.store.leavers_find_rejected(&self.flow.tenant, &self.flow.id).await?
        {
            let told = problem::leavers_rejected(count, &userid, errcode);
            self.row.problem = Some(problem::both(self.row.problem.take(), told));
        }
        let Counts { failed, untried, unplaced, .. } = self.row.counts;
        let is_undone = failed + untried + unplaced > 0;
        if is_undone {
            self.row.problem.get_or_insert_with(|| problem::in_doubt(failed));
        }
        if !removed.is_empty() {
            self.row.problem = Some(problem::both(self.row.problem.take(), problem::removed(&removed)));
        }
        if is_undone {
            return Ok(RunState::Failed);
        }
        if purpose == Purpose::Sync {
            self.move_watermark().await?;
        }
        Ok(RunState::Done)
    }

    /// The purpose of a plan that a person asked for, if it may be applied.
    async fn asked_for(&mut self, id: &PlanId, approved: bool) -> Result<Purpose, RunError> {
        let stored = self.flow.store.plan_find(&self.flow.tenant, id).await?;
        let Some(stored) = stored.filter(|stored| stored.plan.flow == self.flow.id) else {
            return Err(RunError::NoSuchPlan { plan: id.clone() });
        };
        check_applicable(&stored, approved)?;
        self.retry = stored.plan.retry;
        Ok(stored.plan.purpose)
    }

    /// Reads the form, the whole of it if need be.
    async fn collect(&self, complete: bool) -> Result<CollectSummary, RunError> {
        self.enter(Stage::Collect);
        Collector {
            flow: self.flow,
            run: &self.row.id,
            started_at: self.row.started_at,
            full: self.request.options().full,
            complete,
            accept_missing: self.request.options().accept_missing,
            decided: AtomicBool::new(false),
        }
        .collect()
        .await
    }

    /// Makes a plan from the store and the directory.
    async fn make(&self, purpose: &Purpose) -> Result<PreparedPlan, RunError> {
        let (flow, run, now) = (self.flow, &self.row.id, self.row.started_at);
        self.enter(Stage::Plan);
        let policy = Policy { retry: self.retry, ..flow.policy.clone() };
        let began = Instant::now();
        let made = match purpose {
            Purpose::Sync => planning::sync(flow, run, &policy, now).await,
            Purpose::Adopt { by } => adopt::plan(flow, run, purpose.clone(), *by, &policy, now).await,
            Purpose::Drift { settle: DriftResolution::Adopt } => {
                adopt::plan(flow, run, purpose.clone(), AdoptBy::Userid, &policy, now).await
            }
            Purpose::Drift { settle } => drift::plan(flow, run, *settle, &policy, now).await,
            Purpose::Revert { run: undone } => {
                let made = revert::plan(flow, run, undone, &policy, now).await?;
                if made.plan.operations == 0 && made.plan.counts.rejected == 0 {
                    return Err(RunError::NothingToUndo { run: undone.clone() });
                }
                Ok(made)
            }
        }?;
        tracing::info!(
            plan.id = made.plan.id.as_str(),
            operations = made.plan.operations,
            unchanged = made.plan.counts.unchanged,
            duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            "planned"
        );
        Ok(made)
    }

    fn enter(&self, stage: Stage) {
        tracing::info!(run.stage = stage.as_str(), "run entered its stage {}", stage.as_str());
        self.flow.progress.entered(stage);
    }

    /// Compares the directory with the ledger.
    async fn look(&mut self) -> Result<RunState, RunError> {
        self.enter(Stage::Plan);
        let findings = &mut self.findings;
        drift::look(self.flow, async |_, mut found| {
            findings.append(&mut found);
            Ok(())
        })
        .await?;
        drift::keep(self.flow, &self.row.id, &self.findings).await?;
        Ok(RunState::Done)
    }

    async fn keep(&mut self, made: PreparedPlan, released: bool) -> Result<(Plan, PlanState), RunError> {
        let PreparedPlan { plan, order, at, .. } = made;
        let state = match (released, plan.guard.holds()) {
            (true, _) => PlanState::Applying,
            (false, true) => PlanState::Held,
            (false, false) => PlanState::Planned,
        };
        let state = self.flow.store.plan_put(&self.row.id, &plan, &order, state, at).await?;
        self.row.plan.get_or_insert_with(|| plan.id.clone());
        Ok((plan, state))
    }

    async fn apply(&self, plan: &Plan) -> Result<ApplySummary, RunError> {
        let flow = self.flow;
        let set = async |state| flow.store.plan_set_state(&flow.tenant, &plan.id, state).await;
        if plan.operations == 0 {
            set(PlanState::Done).await?;
            return Ok(ApplySummary::default());
        }
        self.enter(Stage::Apply);
        flow.progress.planned(plan.operations);
        set(PlanState::Applying).await?;
        let applied = PlanApplier::new(flow, plan, &self.gate).apply().await?;
        let Counts { failed, untried, unplaced, .. } = applied.counts;
        let all = failed + untried + unplaced == 0;
        set(if all { PlanState::Done } else { PlanState::Failed }).await?;
        Ok(applied)
    }

    /// Writes the outcome of its rows to the form. A failure here is not a failure of the run's own work.
    async fn write_back(&mut self, state: RunState) {
        if self.request.only_plans() {
            return;
        }
        let waits = state == RunState::Held;
        let held = match &self.row.plan {
            Some(plan) if waits => match self.flow.store.plan_find(&self.flow.tenant, plan).await {
                Ok(stored) => stored.filter(|stored| stored.state == PlanState::Held).map(|_| plan.clone()),
                Err(_) => None,
            },
            _ => None,
        };
        let problem = match write_back(self.flow, held.as_ref()).await {
            Ok(wrote) => wrote.problem,
            Err(error) => Some(error.text()),
        };
        // A run that waits has a more important message than this.
        if let Some(problem) = problem.filter(|_| !waits) {
            self.row.problem.get_or_insert(problem);
        }
    }

    /// Only after every page was read, every row decided and every outcome stored.
    async fn move_watermark(&self) -> Result<(), RunError> {
        let flow = self.flow;
        let Some(collected) = &self.collected else { return Ok(()) };
        let watermark = Watermark {
            reached: collected.reached(),
            query: flow.query_digest(),
            form: flow.form_name(),
            unfinished_query: None,
        };
        flow.store.watermark_put(&flow.tenant, &flow.id, &watermark).await?;
        Ok(())
    }

    async fn end(mut self, result: Result<RunState, RunError>) -> RunReport {
        let now: DateTime<Utc> = self.flow.clock.now();
        let error = match result {
            Ok(state) => {
                self.row.state = state;
                None
            }
            Err(error) => {
                self.row.state = RunState::Failed;
                self.row.problem = Some(error.text());
                self.row.failure = Some(Report::from(&error));
                Some(error)
            }
        };
        self.row.ended_at = Some(now);
        let notices = self.notices();
        if error.is_none() {
            self.row.problem = with_notices(self.row.problem.take(), &notices);
        }
        let mut calls = self.flow.calls();
        for (api, before) in &self.called_before {
            if let Some(count) = calls.get_mut(api) {
                *count = count.saturating_sub(*before);
            }
        }
        calls.retain(|_, count| *count > 0);
        self.row.calls = calls;
        // The run's own error takes precedence; if the store failed, its end cannot be stored either.
        let stored = if self.begun { self.flow.store.run_put(&self.row).await } else { Ok(()) };
        let error = match (error, stored) {
            (Some(error), _) => Some(error),
            (None, Ok(())) => None,
            (None, Err(error)) => {
                self.row.state = RunState::Failed;
                let error = RunError::Store(error);
                self.row.failure = Some(Report::from(&error));
                Some(error)
            }
        };
        if self.begun {
            run_end::count(&self.row);
        }
        run_end::log(&self.row, error.as_ref());
        RunReport { run: self.row, plan: self.plan, findings: self.findings, notices, error }
    }

    /// Remarks for a person beside the run's result.
    fn notices(&self) -> Vec<Notice> {
        let (source, directory) = (&self.flow.source, &self.flow.directory);
        let clocks = Notice::of_clock(ClockSource::JianDaoYun, source.service_clock(self.began))
            .or_else(|| Notice::of_clock(ClockSource::WeCom, directory.service_clock(self.began)));
        let no_row = self.collected.as_ref().and_then(|collected| collected.nothing_yet.clone());
        clocks.into_iter().chain(no_row).collect()
    }
}

/// Goes on until the process is to end. Only for work that may be dropped half-way.
async fn unless<T>(
    quit: &CancellationToken,
    work: impl Future<Output = Result<T, RunError>>,
) -> Result<T, RunError> {
    tokio::select! {
        biased;
        () = quit.cancelled() => Err(RunError::Quit { done: 0, failed: 0, untried: 0 }),
        result = work => result,
    }
}

/// The standing of the records is the newest plan's; earlier writes stay counted.
fn merged(before: Counts, plan: Counts) -> Counts {
    let disposition = plan.without_operations();
    Counts {
        unchanged: disposition.unchanged,
        ignored: disposition.ignored,
        rejected: disposition.rejected,
        failed: disposition.failed,
        ..before
    }
}
