//! The task behind the scheduler's handle: takes messages, starts due runs, and hears how runs go.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::agenda::{Agenda, AgendaFlow, Ask, Batch, Outcome, Why};
use super::process::Process;
use super::runner::{self, Course, Due};
use ruzhi_app::deployment::{no_flow, settings_of};
use ruzhi_app::scheduler::{Answer, Asked, Asking, Ended, Inbox, Message};
use ruzhi_app::{Claim, Claimed};
use ruzhi_config as config;
use ruzhi_message::Failure;
use ruzhi_model::{FlowId, TenantId};
use ruzhi_store::{Delivery, Paused, RunFilter, RunRow, RunState, StoreError, WakeKind, WakeRow};
use ruzhi_sync::{RunOptions, RunTask};

/// The clock is read at least this often, however far off the next moment is: it may be set, or the machine may sleep.
const LOOK: Duration = Duration::from_secs(1);

/// Longest wait for a check of the store's files before everything else goes on.
const GLANCE: Duration = Duration::from_millis(200);

/// Interval at which the alarms are told the state of the flows.
const TELL: Duration = Duration::from_secs(60);

/// More than there can be: a flow has at most one run under way, and no deployment has this many flows.
const MOST_KILLED: u32 = 10_000;

/// Time given to runs for the answers under way; the process is asked to end within ten seconds.
const LAST_RUNS: Duration = Duration::from_secs(9);

/// The agenda as the last process left it. A store that cannot be read because its files are gone is reported as gone.
pub(super) async fn restore(process: &Process) -> Result<Agenda, Failure> {
    let restored = async {
        let mut wakes = process.app.store.wakes_list().await?;
        wakes.extend(killed(process, process.app.clock.now()).await?);
        Ok::<_, StoreError>(Agenda::restore(process.app.store.standings_list().await?, wakes))
    };
    let failed = match restored.await {
        Ok(agenda) => return Ok(agenda),
        Err(failed) => failed,
    };
    let store = Arc::clone(&process.app.store);
    let place = tokio::time::timeout(GLANCE, tokio::task::spawn_blocking(move || store.check_place())).await;
    Err(match place {
        Ok(Ok(Err(gone @ StoreError::Exchanged { .. }))) => gone.into(),
        _ => failed.into(),
    })
}

/// Keeps the flows on time until the process is to end, then waits for the runs under way.
pub(super) async fn keep(process: Arc<Process>, mut agenda: Agenda, inbox: Inbox) -> Result<(), Failure> {
    let Inbox { mut messages, board } = inbox;
    let now = process.app.clock.now();
    let planned = flows(&process);
    let moments = planned.iter().map(|flow| (flow.tenant.clone(), flow.flow.clone())).collect();
    agenda.set_flows(planned, now);
    let mut keeping = Keeping {
        process: Arc::clone(&process),
        agenda,
        asked: HashMap::new(),
        tickets: 0,
        course: mpsc::unbounded_channel(),
        under_way: HashMap::new(),
        next_place: 0,
        done: Vec::new(),
        cut_off: Vec::new(),
        moments,
        looking: None,
        answers: Vec::new(),
    };
    let mut told_at: Option<Instant> = None;
    let quit = process.quit.clone();
    let ended = loop {
        process.pulse.beat(process.app.clock.now());
        if let Err(error) = keeping.look_at_the_store().await {
            tracing::error!(error.code = error.code(), "{error}");
            // Runs make no further call, because no answer could be stored.
            quit.cancel();
            break Err(error.into());
        }
        keeping.look_for_moments().await;
        keeping.begin_due().await;
        keeping.store_changed().await;
        let late_after = process.app.deployment().config.schedule.late_after;
        let standings = Arc::new(keeping.agenda.standings(process.app.clock.now(), late_after));
        if told_at.is_none_or(|told| told.elapsed() >= TELL) {
            process.alarms.looked(&standings);
            told_at = Some(Instant::now());
        }
        board.send_if_modified(|shown| {
            let changed = **shown != *standings;
            if changed {
                *shown = standings;
            }
            changed
        });
        for (answer, outcome) in keeping.answers.drain(..) {
            // The caller may be gone.
            drop(answer.send(outcome));
        }
        let rest = keeping.rest();
        tokio::select! {
            biased;
            () = quit.cancelled() => break Ok(()),
            Some(course) = keeping.course.1.recv() => keeping.take_course(course),
            Some(message) = messages.recv() => keeping.take(message),
            () = tokio::time::sleep(rest) => {}
        }
    };
    messages.close();
    keeping.finish().await;
    ended
}

/// The flows with a run that an earlier process began and did not end: its work is due again. The flow's next run
/// reports that it never ended.
async fn killed(process: &Process, now: DateTime<Utc>) -> Result<Vec<WakeRow>, StoreError> {
    let wanted = RunFilter {
        tenant: None,
        flow: None,
        state: Some(RunState::Running),
        kind: None,
        before: None,
        most: MOST_KILLED,
    };
    let runs = process.app.store.runs_list(&wanted).await?;
    let of =
        |run: RunRow| WakeRow { tenant: run.tenant, flow: run.flow, kind: WakeKind::Push, at: now, times: 0 };
    Ok(runs.into_iter().filter(|run| run.kind.writes()).map(of).collect())
}

/// A run under way, by its place among all runs of this process.
struct UnderWay {
    tenant: TenantId,
    flow: FlowId,
    /// Digest of the settings it began with.
    settings: String,
    asking: Option<Answer<Asked>>,
    /// A person asked for it, and it writes: if cut off, it is repeated only because a wake is kept for it.
    is_theirs: bool,
    /// The flow's wakes when the run began: the form, or the directory, is read after that.
    wake: Option<WakeRow>,
    /// The lock on the plan it carries out, held until it has ended.
    claim: Option<Claim>,
}

/// The course of a run, with the place of its batch's first run.
type Told = (usize, Course);

struct Keeping {
    process: Arc<Process>,
    agenda: Agenda,
    /// Requests by people, by their ticket in the agenda.
    asked: HashMap<u64, Asking>,
    tickets: u64,
    course: (mpsc::UnboundedSender<Told>, mpsc::UnboundedReceiver<Told>),
    under_way: HashMap<usize, UnderWay>,
    next_place: usize,
    /// Wakes that runs have acted on since.
    done: Vec<WakeRow>,
    /// Flows with a run a person asked for that was cut off by the end of the process.
    cut_off: Vec<(TenantId, FlowId)>,
    /// Flows whose next decision to expire is not known yet.
    moments: BTreeSet<(TenantId, FlowId)>,
    /// A check of the store's files without an answer yet: a file system may never answer.
    looking: Option<JoinHandle<Result<(), StoreError>>>,
    /// Answers to pauses and resumes, sent once the change is stored and visible.
    answers: Vec<(Answer<()>, Result<(), Failure>)>,
}

impl Keeping {
    /// Checks that the store's files are still those that were opened; an error if another process may have them. A
    /// check without an answer is repeated.
    async fn look_at_the_store(&mut self) -> Result<(), StoreError> {
        let store = &self.process.app.store;
        let looking = self.looking.get_or_insert_with(|| {
            let store = Arc::clone(store);
            tokio::task::spawn_blocking(move || store.check_place())
        });
        let Ok(seen) = tokio::time::timeout(GLANCE, looking).await else { return Ok(()) };
        self.looking = None;
        match seen {
            Ok(Err(error @ StoreError::Exchanged { .. })) => Err(error),
            _ => Ok(()),
        }
    }

    /// The time until something may be due.
    fn rest(&self) -> Duration {
        let Some(next) = self.agenda.next_moment() else { return LOOK };
        (next - self.process.app.clock.now())
            .to_std()
            .unwrap_or(Duration::ZERO)
            .clamp(Duration::from_millis(1), LOOK)
    }

    fn take(&mut self, message: Message) {
        let now = self.process.app.clock.now();
        match message {
            Message::Wake { tenant, flow, why } => {
                self.agenda.wake(&tenant, &flow, why, now);
            }
            Message::Ask(asking) => {
                self.tickets += 1;
                let ask = match asking.request {
                    RunTask::Sync(_) => Ask::Sync,
                    _ => Ask::Other,
                };
                if self.agenda.ask(&asking.tenant, &asking.flow, self.tickets, ask, now) {
                    self.asked.insert(self.tickets, *asking);
                } else {
                    asking.answer_no_flow();
                }
            }
            Message::Pause { tenant, flow, who, why, answer } => {
                let paused = Paused { who, at: now, why };
                let known = self.agenda.pause(&tenant, &flow, paused);
                self.answers.push((answer, known.then_some(()).ok_or_else(|| no_flow(&tenant, &flow))));
            }
            Message::Resume { tenant, flow, answer } => {
                let known = self.agenda.resume(&tenant, &flow, now);
                self.answers.push((answer, known.then_some(()).ok_or_else(|| no_flow(&tenant, &flow))));
            }
            Message::Exchanged => {
                let planned = flows(&self.process);
                self.moments.extend(planned.iter().map(|flow| (flow.tenant.clone(), flow.flow.clone())));
                for ticket in self.agenda.set_flows(planned, now) {
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
        for (tenant, flow) in std::mem::take(&mut self.moments) {
            match self.process.app.store.records_next_due(&tenant, &flow).await {
                Ok(moment) => self.agenda.set_moment(&tenant, &flow, moment, self.process.app.clock.now()),
                Err(error) => {
                    tracing::warn!(tenant.id = tenant.as_str(), error.code = error.code(), "{error}");
                }
            }
        }
    }

    /// Starts due runs while there is room.
    async fn begin_due(&mut self) {
        let at_once = self.process.app.deployment().config.schedule.at_once as usize;
        let batches = self.agenda.take_due(self.process.app.clock.now(), at_once);
        if batches.is_empty() {
            return;
        }
        // Without them the runs take place all the same, and once more after a restart.
        let wakes = self.process.app.store.wakes_list().await.unwrap_or_else(|error| {
            tracing::warn!(error.code = error.code(), "{error}");
            Vec::new()
        });
        for batch in batches {
            self.begin(batch, &wakes);
        }
    }

    fn begin(&mut self, batch: Batch, wakes: &[WakeRow]) {
        let first = self.next_place;
        let deployment = self.process.app.deployment();
        let mut due = Vec::with_capacity(batch.runs.len());
        for item in batch.runs {
            let asked = match item.why {
                Why::Person(ticket) => self.asked.remove(&ticket),
                _ => None,
            };
            let (request, who, asking, claim) = match (asked, item.why) {
                (Some(Asking { request, who, claim, answer, .. }), _) => {
                    (request, Some(who), Some(answer), claim)
                }
                (None, Why::Person(_) | Why::Callback) => (RunTask::Drift(None), None, None, None),
                (None, Why::Tick | Why::Moment | Why::Retry | Why::Push) => {
                    (RunTask::Sync(RunOptions::default()), None, None, None)
                }
            };
            tracing::info!(
                tenant.id = item.tenant.as_str(),
                flow.id = item.flow.as_str(),
                why = ?item.why,
                "a run is due"
            );
            let settings = deployment
                .find(&item.tenant, &item.flow)
                .map(|(tenant, flow)| settings_of(&deployment.config, tenant, flow))
                .unwrap_or_default();
            let kind = match (item.why, &request) {
                (Why::Callback, _) => Some(WakeKind::Callback),
                (_, RunTask::Sync(_)) => Some(WakeKind::Push),
                _ => None,
            };
            let wake = wakes
                .iter()
                .find(|wake| (&wake.tenant, &wake.flow, Some(wake.kind)) == (&item.tenant, &item.flow, kind));
            let (tenant, flow) = (item.tenant.clone(), item.flow.clone());
            let is_theirs = who.is_some() && matches!(request, RunTask::Sync(_) | RunTask::Apply { .. });
            let wake = wake.cloned();
            let under_way = UnderWay { tenant, flow, settings, asking, is_theirs, wake, claim };
            self.under_way.insert(self.next_place, under_way);
            self.next_place += 1;
            due.push(Due { tenant: item.tenant, flow: item.flow, request, who });
        }
        let (told, process) = (self.course.0.clone(), Arc::clone(&self.process));
        let tell: runner::Tell = Arc::new(move |course| drop(told.send((first, course))));
        // A thread of its own: a run begins by compiling and testing new rules, which may take a processor for seconds,
        // and neither other runs nor pages wait for that.
        let here = tokio::runtime::Handle::current();
        drop(tokio::task::spawn_blocking(move || here.block_on(runner::run_together(&process, due, &tell))));
    }

    fn take_course(&mut self, (first, course): Told) {
        match course {
            Course::Began { at, run } => {
                let Some(under_way) = self.under_way.get_mut(&(first + at)) else { return };
                self.agenda.began(&under_way.tenant, &under_way.flow, run.clone());
                if let Some(claim) = &under_way.claim {
                    claim.becomes(Claimed::Runs(run.clone()));
                }
                if let Some(answer) = under_way.asking.take() {
                    drop(answer.send(Ok(Asked { run: Some(run) })));
                }
            }
            Course::Ended { at, ended } => {
                let Some(under_way) = self.under_way.remove(&(first + at)) else { return };
                self.ended(under_way, &ended);
            }
        }
    }

    fn ended(&mut self, under_way: UnderWay, ended: &Ended) {
        let now = self.process.app.clock.now();
        let quit = ended.failure.as_ref().is_some_and(|failure| failure.code() == "run.quit");
        let outcome = match (&ended.failure, &ended.run) {
            _ if quit => Outcome::CutOff,
            (Some(failure), _) if ended.blocked => Outcome::Blocked {
                code: failure.code().to_owned(),
                text: failure.text().clone(),
                hint: failure.hint().cloned(),
                settings: under_way.settings,
            },
            (Some(_), _) => Outcome::Failed,
            (None, Some(run)) if run.state == RunState::Failed => Outcome::Failed,
            (None, Some(run)) if run.state == RunState::Held => Outcome::Held,
            _ => Outcome::Done,
        };
        let done = match outcome {
            Outcome::Done | Outcome::Held => true,
            // A failed drift check is not repeated.
            Outcome::Failed | Outcome::Blocked { .. } => {
                under_way.wake.as_ref().is_some_and(|wake| wake.kind == WakeKind::Callback)
            }
            Outcome::CutOff => false,
        };
        if under_way.is_theirs && matches!(outcome, Outcome::CutOff) {
            self.cut_off.push((under_way.tenant, under_way.flow));
        }
        self.done.extend(under_way.wake.filter(|_| done));
        drop(under_way.claim);
        if let (Some(answer), Some(failure)) = (under_way.asking, &ended.failure) {
            drop(answer.send(Err(failure.clone())));
        }
        self.agenda.ended(&ended.tenant, &ended.flow, outcome, now);
        self.moments.insert((ended.tenant.clone(), ended.flow.clone()));
        log(ended);
        if !quit {
            self.process.alarms.run_ended(ended);
        }
    }

    /// Stores the state that has to outlive the process. Runs themselves report a store that cannot be written.
    async fn store_changed(&mut self) {
        for row in self.agenda.changed_rows() {
            if let Err(error) = self.process.app.store.standing_put(&row).await {
                tracing::warn!(tenant.id = row.tenant.as_str(), error.code = error.code(), "{error}");
            }
        }
        for (tenant, flow) in std::mem::take(&mut self.cut_off) {
            let now = self.process.app.clock.now();
            // No service delivered it, so no delivery is recorded.
            let again = Delivery {
                source: "ruzhi",
                names: &[],
                at: now,
                forget_before: DateTime::UNIX_EPOCH,
                wakes: Some((&tenant, &flow, WakeKind::Push)),
            };
            if let Err(error) = self.process.app.store.delivery_take(&again).await {
                tracing::warn!(tenant.id = tenant.as_str(), error.code = error.code(), "{error}");
            }
        }
        for wake in std::mem::take(&mut self.done) {
            if let Err(error) = self.process.app.store.wake_delete(&wake).await {
                tracing::warn!(tenant.id = wake.tenant.as_str(), error.code = error.code(), "{error}");
            }
        }
    }

    /// Waits for the runs under way: they make no further call, and store every answer.
    async fn finish(mut self) {
        let over = tokio::time::sleep(LAST_RUNS);
        tokio::pin!(over);
        while !self.under_way.is_empty() {
            tokio::select! {
                Some(course) = self.course.1.recv() => self.take_course(course),
                () = &mut over => {
                    tracing::warn!(runs = self.under_way.len(), "runs did not end in time; the next start settles them");
                    break;
                }
            }
        }
        self.store_changed().await;
    }
}

/// The flows of the deployment, as the agenda knows them.
fn flows(process: &Process) -> Vec<AgendaFlow> {
    let deployment = process.app.deployment();
    let config = &deployment.config;
    let of = |tenant: &config::Tenant, flow: &config::Flow| {
        AgendaFlow::of(tenant, flow, settings_of(config, tenant, flow))
    };
    config.tenants.iter().flat_map(|tenant| tenant.flows.iter().map(move |flow| of(tenant, flow))).collect()
}

/// Logs why a run failed or could not begin; the run itself logs how it ended.
fn log(ended: &Ended) {
    let Some(failure) = &ended.failure else { return };
    tracing::warn!(
        tenant.id = ended.tenant.as_str(),
        flow.id = ended.flow.as_str(),
        run.id = ended.run.as_ref().map(|run| run.id.as_str()),
        error.code = failure.code(),
        "a run failed: {}",
        failure.text().en
    );
}
