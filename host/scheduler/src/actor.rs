//! The task behind the scheduler's handle: takes messages, starts due runs, and follows their events.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::executor::{self, EventSink, RunEvent, RunOrder};
use crate::heartbeat::Heartbeat;
use crate::state::{RequestKind, RunBatch, RunOutcome, ScheduledFlow, SchedulerState, Trigger};
use ruzhi_app::App;
use ruzhi_app::deployment::{no_flow, settings_of};
use ruzhi_app::scheduler::{
    AnswerSender, Inbox, ManualRun, Message, RunAccepted, RunFailure, RunResult, ScheduleState,
};
use ruzhi_app::{PlanLock, PlanLockState};
use ruzhi_config as config;
use ruzhi_message::Report;
use ruzhi_model::{FlowId, TenantId};
use ruzhi_store::{Paused, RunFilter, RunState, StoreError, WakeKind, WakeRow};
use ruzhi_sync::{FailureKind, RunOptions, RunTask};

/// The clock is read at least this often, however far off the next moment is: it may be set, or the machine may sleep.
const LOOK: Duration = Duration::from_secs(1);

/// Longest wait for a check of the store's files before everything else goes on.
const GLANCE: Duration = Duration::from_millis(200);

/// Interval at which the observer receives the state of the flows.
const REPORT: Duration = Duration::from_secs(60);

/// Time from a drift check that left differences to the next one.
const RECHECK_AFTER: TimeDelta = TimeDelta::hours(24);

/// More than there can be: a flow has at most one run under way, and no deployment has this many flows.
const MOST_KILLED: u32 = 10_000;

/// Time given to runs for the answers under way; the process is asked to end within ten seconds.
const LAST_RUNS: Duration = Duration::from_secs(9);

/// Receives what happens to the flows. Neither method may wait.
pub trait SchedulerObserver: Send + Sync {
    /// A run has ended, or a flow could not run.
    fn run_ended(&self, ended: &RunResult);

    /// The state of the flows, every minute.
    fn flows_checked(&self, schedule_states: &[ScheduleState]);
}

/// The surroundings of the actor.
#[derive(Clone)]
pub struct SchedulerContext {
    /// The use cases, with deployment, store and clock.
    pub app: Arc<App>,
    /// Shows whether the actor still works.
    pub heartbeat: Arc<Heartbeat>,
    /// Receives what happens to the flows.
    pub observer: Arc<dyn SchedulerObserver>,
    /// Cancelled when the process is to end.
    pub quit: CancellationToken,
}

/// The state as the last process left it. A store that cannot be read because its files are gone is reported as gone.
pub async fn restore(app: &App) -> Result<SchedulerState, Report> {
    let restored = async {
        keep_cut_off(app).await?;
        let wakes = app.store.wakes_list().await?;
        Ok::<_, StoreError>(SchedulerState::restore(app.store.schedule_states_list().await?, wakes))
    };
    let failed = match restored.await {
        Ok(state) => return Ok(state),
        Err(failed) => failed,
    };
    let store = Arc::clone(&app.store);
    let place = tokio::time::timeout(GLANCE, tokio::task::spawn_blocking(move || store.check_place())).await;
    Err(match place {
        Ok(Ok(Err(gone @ StoreError::Exchanged { .. }))) => gone.into(),
        _ => failed.into(),
    })
}

/// Keeps the flows on time until the process is to end, then waits for the runs under way.
pub async fn run(context: SchedulerContext, mut state: SchedulerState, inbox: Inbox) -> Result<(), Report> {
    let Inbox { mut messages, board } = inbox;
    let SchedulerContext { app, heartbeat, observer, quit } = context.clone();
    let now = app.clock.now();
    let flows = scheduled(&app);
    let moments = flows.iter().map(|flow| (flow.tenant.clone(), flow.flow.clone())).collect();
    state.set_flows(flows, now);
    let mut actor = SchedulerActor {
        context,
        state,
        asked: HashMap::new(),
        tickets: 0,
        events: mpsc::unbounded_channel(),
        active: HashMap::new(),
        next_place: 0,
        done: Vec::new(),
        cut_off: Vec::new(),
        moments,
        store_check: None,
        answers: Vec::new(),
    };
    let mut reported_at: Option<Instant> = None;
    let ended = loop {
        heartbeat.beat(app.clock.now());
        if let Err(error) = actor.check_store().await {
            tracing::error!(error.code = error.code(), "{error}");
            // Runs make no further call, because no answer could be stored.
            quit.cancel();
            break Err(error.into());
        }
        actor.look_for_moments().await;
        actor.begin_due().await;
        actor.store_changed().await;
        let late_after = app.deployment().config.schedule.late_after;
        let schedule_states = Arc::new(actor.state.schedule_states(app.clock.now(), late_after));
        if reported_at.is_none_or(|reported| reported.elapsed() >= REPORT) {
            observer.flows_checked(&schedule_states);
            reported_at = Some(Instant::now());
        }
        board.send_if_modified(|shown| {
            let changed = **shown != *schedule_states;
            if changed {
                *shown = schedule_states;
            }
            changed
        });
        for (answer, outcome) in actor.answers.drain(..) {
            // The caller may be gone.
            drop(answer.send(outcome));
        }
        let rest = actor.rest();
        tokio::select! {
            biased;
            () = quit.cancelled() => break Ok(()),
            Some(event) = actor.events.1.recv() => actor.take_event(event),
            Some(message) = messages.recv() => actor.take(message),
            () = tokio::time::sleep(rest) => {}
        }
    };
    messages.close();
    actor.finish().await;
    ended
}

/// Stores a wake for each run that an earlier process began and did not end: its work is due until a sync has done it.
/// The row of the run is not enough, since the flow's next run of any kind, such as a plan a person asks for, ends it.
async fn keep_cut_off(app: &App) -> Result<(), StoreError> {
    let wanted = RunFilter {
        tenant: None,
        flow: None,
        state: Some(RunState::Running),
        kind: None,
        before: None,
        most: MOST_KILLED,
    };
    let runs = app.store.runs_list(&wanted).await?;
    for run in runs.iter().filter(|run| run.kind.writes()) {
        app.store.wake_put(&run.tenant, &run.flow, WakeKind::CutOff, app.clock.now()).await?;
    }
    Ok(())
}

/// A run under way, by its place among all runs of this process.
struct ActiveRun {
    tenant: TenantId,
    flow: FlowId,
    /// Digest of the settings it began with.
    settings: String,
    asking: Option<AnswerSender<RunAccepted>>,
    /// It writes: if it is cut off, a wake is kept for its work.
    writes: bool,
    /// The flow's wakes that it acts on, as they were when it began: the form, or the directory, is read after that.
    wakes: Vec<WakeRow>,
    /// The lock on the plan it carries out, held until it has ended.
    lock: Option<PlanLock>,
}

/// The event of a run, with the place of its batch's first run.
type BatchEvent = (usize, RunEvent);

struct SchedulerActor {
    context: SchedulerContext,
    state: SchedulerState,
    /// Requests by people, by their ticket in the state.
    asked: HashMap<u64, ManualRun>,
    tickets: u64,
    events: (mpsc::UnboundedSender<BatchEvent>, mpsc::UnboundedReceiver<BatchEvent>),
    active: HashMap<usize, ActiveRun>,
    next_place: usize,
    /// Wakes that runs have acted on since.
    done: Vec<WakeRow>,
    /// Flows with a run that writes and was cut off by the end of the process.
    cut_off: Vec<(TenantId, FlowId)>,
    /// Flows whose next decision to expire is not known yet, nor if differences are left in their tenant's directory.
    moments: BTreeSet<(TenantId, FlowId)>,
    /// A check of the store's files without an answer yet: a file system may never answer.
    store_check: Option<JoinHandle<Result<(), StoreError>>>,
    /// Answers to pauses and resumes, sent once the change is stored and visible.
    answers: Vec<(AnswerSender<()>, Result<(), Report>)>,
}

impl SchedulerActor {
    /// Checks that the store's files are still those that were opened; an error if another process may have them. A
    /// check without an answer is repeated.
    async fn check_store(&mut self) -> Result<(), StoreError> {
        let store = &self.context.app.store;
        let store_check = self.store_check.get_or_insert_with(|| {
            let store = Arc::clone(store);
            tokio::task::spawn_blocking(move || store.check_place())
        });
        let Ok(seen) = tokio::time::timeout(GLANCE, store_check).await else { return Ok(()) };
        self.store_check = None;
        match seen {
            Ok(Err(error @ StoreError::Exchanged { .. })) => Err(error),
            _ => Ok(()),
        }
    }

    /// The time until something may be due.
    fn rest(&self) -> Duration {
        let Some(next) = self.state.next_moment() else { return LOOK };
        (next - self.context.app.clock.now())
            .to_std()
            .unwrap_or(Duration::ZERO)
            .clamp(Duration::from_millis(1), LOOK)
    }

    fn take(&mut self, message: Message) {
        let now = self.context.app.clock.now();
        match message {
            Message::Wake { tenant, flow, why } => {
                self.state.wake(&tenant, &flow, why, now);
            }
            Message::Ask(asking) => {
                self.tickets += 1;
                let ask = match asking.request {
                    RunTask::Sync(_) => RequestKind::Sync,
                    _ => RequestKind::Other,
                };
                if self.state.ask(&asking.tenant, &asking.flow, self.tickets, ask, now) {
                    self.asked.insert(self.tickets, *asking);
                } else {
                    asking.answer_no_flow();
                }
            }
            Message::Pause { tenant, flow, who, why, answer } => {
                let paused = Paused { who, at: now, why };
                let known = self.state.pause(&tenant, &flow, paused);
                self.answers.push((answer, known.then_some(()).ok_or_else(|| no_flow(&tenant, &flow))));
            }
            Message::Resume { tenant, flow, answer } => {
                let known = self.state.resume(&tenant, &flow, now);
                self.answers.push((answer, known.then_some(()).ok_or_else(|| no_flow(&tenant, &flow))));
            }
            Message::Exchanged => {
                let planned = scheduled(&self.context.app);
                self.moments.extend(planned.iter().map(|flow| (flow.tenant.clone(), flow.flow.clone())));
                for ticket in self.state.set_flows(planned, now) {
                    if let Some(asking) = self.asked.remove(&ticket) {
                        asking.answer_no_flow();
                    }
                }
            }
        }
    }

    /// Asks the store when decisions expire, for flows that have run since the last call. If it cannot be read, the
    /// next run asks again: runs themselves report an unreadable store.
    async fn look_for_moments(&mut self) {
        let moments = std::mem::take(&mut self.moments);
        let tenants: BTreeSet<&TenantId> = moments.iter().map(|(tenant, _)| tenant).collect();
        for tenant in tenants {
            self.look_for_differences(tenant).await;
        }
        for (tenant, flow) in moments {
            match self.context.app.store.records_next_due(&tenant, &flow).await {
                Ok(moment) => self.state.set_moment(&tenant, &flow, moment, self.context.app.clock.now()),
                Err(error) => {
                    tracing::warn!(tenant.id = tenant.as_str(), error.code = error.code(), "{error}");
                }
            }
        }
    }

    /// Asks the store if a tenant's last drift check left differences. The flow that made the check repeats it a day
    /// later, or another if that one is gone.
    async fn look_for_differences(&mut self, tenant: &TenantId) {
        let app = Arc::clone(&self.context.app);
        let (now, deployment) = (app.clock.now(), app.deployment());
        let Some(configured) = deployment.config.tenant(tenant) else { return };
        let check = match app.store.drift_check_find(tenant).await {
            Ok(check) => check.filter(|check| check.findings > 0),
            Err(error) => {
                tracing::warn!(tenant.id = tenant.as_str(), error.code = error.code(), "{error}");
                return;
            }
        };
        let flows = configured.flows.iter().map(|flow| &flow.id);
        let by = check.as_ref().and_then(|check| {
            flows.clone().find(|flow| **flow == check.flow).or_else(|| flows.clone().next())
        });
        for flow in flows.clone() {
            let moment = check.as_ref().filter(|_| by == Some(flow)).map(|check| check.at + RECHECK_AFTER);
            self.state.set_recheck(tenant, flow, moment, now);
        }
    }

    /// Starts due runs while there is room.
    async fn begin_due(&mut self) {
        let at_once = self.context.app.deployment().config.schedule.at_once as usize;
        let batches = self.state.take_due(self.context.app.clock.now(), at_once);
        if batches.is_empty() {
            return;
        }
        // Without them the runs take place all the same, and once more after a restart.
        let wakes = self.context.app.store.wakes_list().await.unwrap_or_else(|error| {
            tracing::warn!(error.code = error.code(), "{error}");
            Vec::new()
        });
        for batch in batches {
            self.begin(batch, &wakes);
        }
    }

    fn begin(&mut self, batch: RunBatch, wakes: &[WakeRow]) {
        let first = self.next_place;
        let deployment = self.context.app.deployment();
        let mut due = Vec::with_capacity(batch.runs.len());
        for item in batch.runs {
            let asked = match item.trigger {
                Trigger::Person(ticket) => self.asked.remove(&ticket),
                _ => None,
            };
            let (request, who, asking, lock) = match (asked, item.trigger) {
                (Some(ManualRun { request, who, lock, answer, .. }), _) => {
                    (request, Some(who), Some(answer), lock)
                }
                (None, Trigger::Person(_) | Trigger::Callback | Trigger::Recheck) => {
                    (RunTask::Drift(None), None, None, None)
                }
                (
                    None,
                    Trigger::Tick | Trigger::Moment | Trigger::Retry | Trigger::Push | Trigger::CutOff,
                ) => (RunTask::Sync(RunOptions::default()), None, None, None),
            };
            tracing::info!(
                tenant.id = item.tenant.as_str(),
                flow.id = item.flow.as_str(),
                why = ?item.trigger,
                "a run is due"
            );
            let settings = deployment
                .find(&item.tenant, &item.flow)
                .map(|(tenant, flow)| settings_of(&deployment.config, tenant, flow))
                .unwrap_or_default();
            let kinds: &[WakeKind] = match (item.trigger, &request) {
                (Trigger::Callback, _) => &[WakeKind::Callback],
                (_, RunTask::Sync(_)) => &[WakeKind::Push, WakeKind::CutOff],
                _ => &[],
            };
            let (tenant, flow) = (item.tenant.clone(), item.flow.clone());
            let acts_on =
                |wake: &&WakeRow| wake.tenant == tenant && wake.flow == flow && kinds.contains(&wake.kind);
            let wakes: Vec<WakeRow> = wakes.iter().filter(acts_on).cloned().collect();
            let writes = request.kind().writes();
            let active = ActiveRun { tenant, flow, settings, asking, writes, wakes, lock };
            self.active.insert(self.next_place, active);
            self.next_place += 1;
            let cause = item.trigger.into();
            due.push(RunOrder { tenant: item.tenant, flow: item.flow, request, cause, who });
        }
        let (events, app) = (self.events.0.clone(), Arc::clone(&self.context.app));
        let sink: EventSink = Arc::new(move |event| drop(events.send((first, event))));
        // A thread of its own: a run begins by compiling and testing new rules, which may take a processor for seconds,
        // and neither other runs nor pages wait for that.
        let here = tokio::runtime::Handle::current();
        drop(tokio::task::spawn_blocking(move || here.block_on(executor::run_together(&app, due, &sink))));
    }

    fn take_event(&mut self, (first, event): BatchEvent) {
        match event {
            RunEvent::Began { at, run } => {
                let Some(active) = self.active.get_mut(&(first + at)) else { return };
                self.state.began(&active.tenant, &active.flow, run.clone());
                if let Some(lock) = &active.lock {
                    lock.set_state(PlanLockState::Running(run.clone()));
                }
                if let Some(answer) = active.asking.take() {
                    drop(answer.send(Ok(RunAccepted { run: Some(run) })));
                }
            }
            RunEvent::Ended { at, ended } => {
                let Some(active) = self.active.remove(&(first + at)) else { return };
                self.ended(active, &ended);
            }
        }
    }

    fn ended(&mut self, active: ActiveRun, ended: &RunResult) {
        let now = self.context.app.clock.now();
        let outcome = match (&ended.failure, &ended.run) {
            (Some(RunFailure { kind: FailureKind::CutOff, .. }), _) => RunOutcome::CutOff,
            (Some(RunFailure { kind: FailureKind::Blocked(service), report }), _) => RunOutcome::Blocked {
                service: *service,
                code: report.code().to_owned(),
                text: report.text().clone(),
                // It is shown on pages and in alerts.
                hint: report.page_hint().cloned(),
                settings: active.settings,
            },
            (Some(RunFailure { kind: FailureKind::Form | FailureKind::Other, .. }), _) => RunOutcome::Failed,
            (None, Some(run)) if run.state == RunState::Failed => RunOutcome::Failed,
            (None, Some(run)) if run.state == RunState::Held => RunOutcome::Held,
            _ => RunOutcome::Done,
        };
        let done = match outcome {
            RunOutcome::Done | RunOutcome::Held => true,
            // A failed drift check is not repeated.
            RunOutcome::Failed | RunOutcome::Blocked { .. } => {
                active.wakes.iter().all(|wake| wake.kind == WakeKind::Callback)
            }
            RunOutcome::CutOff => false,
        };
        let is_cut_off = outcome == RunOutcome::CutOff;
        if active.writes && is_cut_off {
            self.cut_off.push((active.tenant, active.flow));
        }
        self.done.extend(active.wakes.into_iter().filter(|_| done));
        drop(active.lock);
        if let (Some(answer), Some(report)) = (active.asking, &ended.failure) {
            drop(answer.send(Err(report.report.clone())));
        }
        self.state.ended(&ended.tenant, &ended.flow, outcome, now);
        self.moments.insert((ended.tenant.clone(), ended.flow.clone()));
        log(ended);
        if !is_cut_off {
            self.context.observer.run_ended(ended);
        }
    }

    /// Stores the state that has to outlive the process. Runs themselves report a store that cannot be written.
    async fn store_changed(&mut self) {
        for row in self.state.changed_rows() {
            if let Err(error) = self.context.app.store.schedule_state_put(&row).await {
                tracing::warn!(tenant.id = row.tenant.as_str(), error.code = error.code(), "{error}");
            }
        }
        for (tenant, flow) in std::mem::take(&mut self.cut_off) {
            let now = self.context.app.clock.now();
            if let Err(error) = self.context.app.store.wake_put(&tenant, &flow, WakeKind::CutOff, now).await {
                tracing::warn!(tenant.id = tenant.as_str(), error.code = error.code(), "{error}");
            }
        }
        for wake in std::mem::take(&mut self.done) {
            if let Err(error) = self.context.app.store.wake_delete(&wake).await {
                tracing::warn!(tenant.id = wake.tenant.as_str(), error.code = error.code(), "{error}");
            }
        }
    }

    /// Waits for the runs under way: they make no further call, and store every answer.
    async fn finish(mut self) {
        let over = tokio::time::sleep(LAST_RUNS);
        tokio::pin!(over);
        while !self.active.is_empty() {
            tokio::select! {
                Some(event) = self.events.1.recv() => self.take_event(event),
                () = &mut over => {
                    tracing::warn!(runs = self.active.len(), "runs did not end in time; the next start settles them");
                    break;
                }
            }
        }
        self.store_changed().await;
    }
}

/// The flows of the deployment, as they are scheduled.
fn scheduled(app: &App) -> Vec<ScheduledFlow> {
    let deployment = app.deployment();
    let config = &deployment.config;
    let of = |tenant: &config::TenantConfig, flow: &config::FlowConfig| {
        ScheduledFlow::of(tenant, flow, settings_of(config, tenant, flow))
    };
    config.tenants.iter().flat_map(|tenant| tenant.flows.iter().map(move |flow| of(tenant, flow))).collect()
}

/// Logs why a run failed or could not begin; the run itself logs how it ended.
fn log(ended: &RunResult) {
    let Some(RunFailure { report, .. }) = &ended.failure else { return };
    tracing::warn!(
        tenant.id = ended.tenant.as_str(),
        flow.id = ended.flow.as_str(),
        run.id = ended.run.as_ref().map(|run| run.id.as_str()),
        error.code = report.code(),
        "a run failed: {}",
        report.text().en
    );
}
