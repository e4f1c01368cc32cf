//! Starts runs when they are due, when a push wakes them, and when a person asks.
//!
//! One task owns the agenda, which is pure. Everybody else sends it messages and reads the board on which it writes how
//! the flows stand. What has to outlive the process is stored before anything is done on the strength of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::agenda::{Agenda, AgendaFlow, Ask, Batch, Outcome, Why};
use super::process::Process;
use super::runner::{self, Course, Due};
use crate::config;
use crate::deployment::{Exchanged, settings_of};
use crate::failure::{Failure, exit};
use crate::model::{FlowId, RunId, TenantId, Text};
use crate::plan::Plan;
use crate::store::{Blocked, Paused, RunRow, RunState};
use crate::sync::{Request, RunOptions};

/// What wakes a flow beside its schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wake {
    /// The form was changed.
    Push,
    /// Somebody else changed the directory: a look for drift.
    Callback,
    /// The tenant's files hold other rules.
    Rules,
}

/// How a flow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StandingState {
    /// Its next run has a time.
    Waiting,
    /// It has no schedule: it runs when it is woken or asked.
    Idle,
    /// It is to run as soon as there is room.
    Queued,
    /// It runs.
    Running,
    /// Its last run failed, and it is tried again at a time.
    Retrying,
    /// A person stopped it.
    Paused,
    /// A service refuses its credential, address or right.
    Blocked,
}

/// A flow and the schedule.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct FlowStanding {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// How it stands.
    pub state: StandingState,
    /// When it runs next, as far as that is known.
    pub next: Option<DateTime<Utc>>,
    /// Since when it waits for room.
    pub queued_since: Option<DateTime<Utc>>,
    /// The run that is under way.
    pub run: Option<RunId>,
    /// Runs that failed one after another.
    pub failures: u32,
    /// It should have begun long ago.
    pub late: bool,
    /// Who paused it.
    pub paused: Option<Paused>,
    /// What blocks it.
    pub blocked: Option<Blocked>,
}

/// What became of what a person asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Asked {
    /// The run that does it; none while it waits for room.
    pub run: Option<RunId>,
}

/// A run that has ended, or a flow that could not run.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The run; none if it could not begin.
    pub run: Option<RunRow>,
    /// Its plan.
    pub plan: Option<Plan>,
    /// What became of the flow's rules.
    pub exchanged: Exchanged,
    /// Differences that a look for drift found.
    pub findings: usize,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// A service refuses the credential, the address or the right: the flow is blocked.
    pub blocked: bool,
}

/// A person who asks waits so long to be shown the run.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);

/// However far off the next moment is, the clock is looked at as often as this: it may be set, or the machine may sleep.
const LOOK: Duration = Duration::from_secs(1);

/// How often the alarms are told how the flows stand.
const TELL: Duration = Duration::from_secs(60);

/// Asked to end within ten seconds, runs get so many for the answers under way.
const LAST_RUNS: Duration = Duration::from_secs(9);

type Answer<T> = oneshot::Sender<Result<T, Failure>>;

enum Message {
    Wake {
        tenant: TenantId,
        flow: Option<FlowId>,
        why: Wake,
    },
    Ask {
        tenant: TenantId,
        flow: FlowId,
        asking: Box<Asking>,
    },
    Pause {
        tenant: TenantId,
        flow: FlowId,
        who: String,
        why: Option<String>,
        answer: Answer<()>,
    },
    Resume {
        tenant: TenantId,
        flow: FlowId,
        answer: Answer<()>,
    },
    /// The deployment is another one.
    Exchanged,
}

struct Asking {
    request: Request,
    who: String,
    answer: Answer<Asked>,
}

/// The handle by which everybody speaks to the scheduler.
#[derive(Clone)]
pub struct Scheduler {
    messages: mpsc::UnboundedSender<Message>,
    board: watch::Receiver<Arc<Vec<FlowStanding>>>,
}

/// The other end of the handle, for the task.
pub(super) struct Inbox {
    messages: mpsc::UnboundedReceiver<Message>,
    board: watch::Sender<Arc<Vec<FlowStanding>>>,
}

#[cfg(test)]
impl Default for Scheduler {
    /// A handle that nobody listens to.
    fn default() -> Self {
        Self::new().0
    }
}

#[cfg(test)]
impl Inbox {
    /// Who was woken so far, and not read here yet.
    pub(super) fn woken(&mut self) -> Vec<(TenantId, Option<FlowId>, Wake)> {
        let messages = std::iter::from_fn(|| self.messages.try_recv().ok());
        let woken = messages.filter_map(|message| match message {
            Message::Wake { tenant, flow, why } => Some((tenant, flow, why)),
            _ => None,
        });
        woken.collect()
    }

    /// Says yes to whatever people ask for, and tells what that was.
    pub(super) fn agree(mut self) -> Arc<std::sync::Mutex<Vec<String>>> {
        let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Some(message) = self.messages.recv().await {
                let said = match message {
                    Message::Ask { tenant, flow, asking } => {
                        let Asking { request, who, answer } = *asking;
                        drop(answer.send(Ok(Asked { run: Some("r-asked".parse().unwrap()) })));
                        format!("{who} asks {tenant}/{flow} for {request:?}")
                    }
                    Message::Pause { tenant, flow, who, why, answer } => {
                        drop(answer.send(Ok(())));
                        format!("{who} pauses {tenant}/{flow}: {}", why.unwrap_or_default())
                    }
                    Message::Resume { tenant, flow, answer } => {
                        drop(answer.send(Ok(())));
                        format!("{tenant}/{flow} is resumed")
                    }
                    Message::Wake { tenant, why, .. } => format!("{tenant} is woken: {why:?}"),
                    Message::Exchanged => "exchanged".to_owned(),
                };
                told.lock().unwrap().push(said);
            }
        });
        asked
    }

    /// Writes how the flows stand.
    pub(super) fn stands(&self, standings: Vec<FlowStanding>) {
        self.board.send_replace(Arc::new(standings));
    }
}

impl Scheduler {
    /// A handle, and what it speaks to.
    pub(super) fn new() -> (Self, Inbox) {
        let (sender, messages) = mpsc::unbounded_channel();
        let (board, shown) = watch::channel(Arc::default());
        (Self { messages: sender, board: shown }, Inbox { messages, board })
    }

    /// Wakes a flow, or every flow of a tenant. Several wakes before it runs are one.
    pub fn wake(&self, tenant: &TenantId, flow: Option<&FlowId>, why: Wake) {
        self.send(Message::Wake { tenant: tenant.clone(), flow: flow.cloned(), why });
    }

    /// A person asks for a run. It is the next of its flow, whatever blocks or pauses the schedule. Waits a moment for the
    /// run to begin, so that they can be shown it.
    pub async fn ask(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        request: Request,
        who: &str,
    ) -> Result<Asked, Failure> {
        let (answer, mut answered) = oneshot::channel();
        let asking = Box::new(Asking { request, who: who.to_owned(), answer });
        self.send(Message::Ask { tenant: tenant.clone(), flow: flow.clone(), asking });
        match tokio::time::timeout(SHOWN_WITHIN, &mut answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(ending())),
            Err(_) => Ok(Asked { run: None }),
        }
    }

    /// Stops a flow until it is resumed. A run that is under way ends as it would.
    pub async fn pause(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        who: &str,
        why: Option<&str>,
    ) -> Result<(), Failure> {
        let (who, why) = (who.to_owned(), why.map(str::to_owned));
        let (answer, answered) = oneshot::channel();
        self.send(Message::Pause { tenant: tenant.clone(), flow: flow.clone(), who, why, answer });
        answered.await.unwrap_or_else(|_| Err(ending()))
    }

    /// Starts a flow again that was paused or blocked, and forgets its failures.
    pub async fn resume(&self, tenant: &TenantId, flow: &FlowId) -> Result<(), Failure> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Resume { tenant: tenant.clone(), flow: flow.clone(), answer });
        answered.await.unwrap_or_else(|_| Err(ending()))
    }

    /// Says that the deployment is another one.
    pub(super) fn exchanged(&self) {
        self.send(Message::Exchanged);
    }

    /// How every flow stands.
    pub fn standings(&self) -> Vec<FlowStanding> {
        self.board.borrow().to_vec()
    }

    /// How every flow stands, and each change of it.
    pub fn follow(&self) -> watch::Receiver<Arc<Vec<FlowStanding>>> {
        self.board.clone()
    }

    /// Nobody listens any longer only when the process is ending.
    fn send(&self, message: Message) {
        drop(self.messages.send(message));
    }
}

fn gone() -> Failure {
    Failure::new(
        exit::USAGE,
        "target",
        Text::new("the flow is no longer in the configuration", "配置中已没有该同步流"),
        None,
    )
}

fn ending() -> Failure {
    Failure::new(
        exit::FAILED,
        "serve.ending",
        Text::new("ruzhi is ending", "ruzhi 正在退出"),
        Some(Text::new("ask again once it runs again", "请在其重新启动后再试")),
    )
}

/// Keeps the flows on time until the process is to end, and then waits for the runs under way.
pub(super) async fn keep(process: Arc<Process>, inbox: Inbox) -> Result<(), Failure> {
    let Inbox { mut messages, board } = inbox;
    let now = process.clock.now();
    let mut agenda = Agenda::restore(process.store.standings().await?);
    agenda.set_flows(flows(&process), now);
    let mut keeping = Keeping {
        process: Arc::clone(&process),
        agenda,
        asked: HashMap::new(),
        tickets: 0,
        course: mpsc::unbounded_channel(),
        under_way: HashMap::new(),
        next_place: 0,
    };
    let mut told_at: Option<Instant> = None;
    let quit = process.quit.clone();
    loop {
        process.pulse.beat(process.clock.now());
        keeping.begin_due();
        keeping.store_changed().await;
        let late_after = process.deployment().config.schedule.late_after;
        let standings = Arc::new(keeping.agenda.standings(process.clock.now(), late_after));
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
        let rest = keeping.rest();
        tokio::select! {
            biased;
            () = quit.cancelled() => break,
            Some(course) = keeping.course.1.recv() => keeping.take_course(course),
            Some(message) = messages.recv() => keeping.take(message),
            () = tokio::time::sleep(rest) => {}
        }
    }
    messages.close();
    keeping.finish().await;
    Ok(())
}

/// A run that is under way, by its place among all of this process.
struct UnderWay {
    tenant: TenantId,
    flow: FlowId,
    /// Digest of the settings it began with.
    settings: String,
    asking: Option<Answer<Asked>>,
}

/// The course of a run, with the place of its batch's first run.
type Told = (usize, Course);

struct Keeping {
    process: Arc<Process>,
    agenda: Agenda,
    /// What people asked for, by the ticket that the agenda knows.
    asked: HashMap<u64, Asking>,
    tickets: u64,
    course: (mpsc::UnboundedSender<Told>, mpsc::UnboundedReceiver<Told>),
    under_way: HashMap<usize, UnderWay>,
    next_place: usize,
}

impl Keeping {
    /// How long nothing is due.
    fn rest(&self) -> Duration {
        let Some(next) = self.agenda.next_moment() else { return LOOK };
        (next - self.process.clock.now())
            .to_std()
            .unwrap_or(Duration::ZERO)
            .clamp(Duration::from_millis(1), LOOK)
    }

    fn take(&mut self, message: Message) {
        let now = self.process.clock.now();
        match message {
            Message::Wake { tenant, flow: Some(flow), why } => {
                self.agenda.wake(&tenant, &flow, why, now);
            }
            Message::Wake { tenant, flow: None, why } => self.wake_tenant(&tenant, why, now),
            Message::Ask { tenant, flow, asking } => {
                self.tickets += 1;
                let ask = match asking.request {
                    Request::Sync(_) => Ask::Sync,
                    _ => Ask::Other,
                };
                if self.agenda.ask(&tenant, &flow, self.tickets, ask, now) {
                    self.asked.insert(self.tickets, *asking);
                } else {
                    drop(asking.answer.send(Err(runner::no_such_flow(&tenant, &flow))));
                }
            }
            Message::Pause { tenant, flow, who, why, answer } => {
                let paused = Paused { who, at: now, why };
                let known = self.agenda.pause(&tenant, &flow, paused);
                drop(answer.send(known.then_some(()).ok_or_else(|| runner::no_such_flow(&tenant, &flow))));
            }
            Message::Resume { tenant, flow, answer } => {
                let known = self.agenda.resume(&tenant, &flow, now);
                drop(answer.send(known.then_some(()).ok_or_else(|| runner::no_such_flow(&tenant, &flow))));
            }
            Message::Exchanged => {
                for ticket in self.agenda.set_flows(flows(&self.process), now) {
                    if let Some(asking) = self.asked.remove(&ticket) {
                        drop(asking.answer.send(Err(gone())));
                    }
                }
            }
        }
    }

    /// Wakes what runs for a whole tenant. A look for drift compares the whole directory with the whole ledger: one flow
    /// does it for all.
    fn wake_tenant(&mut self, tenant: &TenantId, why: Wake, now: DateTime<Utc>) {
        let deployment = self.process.deployment();
        let flows = deployment.config.tenants.iter().filter(|known| known.id == *tenant);
        let first_only = why == Wake::Callback;
        for flow in flows.flat_map(|tenant| &tenant.flows).take(if first_only { 1 } else { usize::MAX }) {
            self.agenda.wake(tenant, &flow.id, why, now);
        }
    }

    /// Starts what is due, as far as there is room.
    fn begin_due(&mut self) {
        let at_once = self.process.deployment().config.schedule.at_once as usize;
        for batch in self.agenda.take_due(self.process.clock.now(), at_once) {
            self.begin(batch);
        }
    }

    fn begin(&mut self, batch: Batch) {
        let first = self.next_place;
        let deployment = self.process.deployment();
        let mut due = Vec::with_capacity(batch.runs.len());
        for item in batch.runs {
            let (request, who, asking) = match item.why {
                Why::Person(ticket) => match self.asked.remove(&ticket) {
                    Some(Asking { request, who, answer }) => (request, Some(who), Some(answer)),
                    None => (Request::Drift(None), None, None),
                },
                Why::Callback => (Request::Drift(None), None, None),
                Why::Tick | Why::Retry | Why::Push => (Request::Sync(RunOptions::default()), None, None),
            };
            tracing::info!(
                tenant.id = item.tenant.as_str(),
                flow.id = item.flow.as_str(),
                why = ?item.why,
                "a run is due"
            );
            let settings = runner::find(&deployment.config, &item.tenant, &item.flow)
                .map(|(tenant, flow)| settings_of(&deployment.config, tenant, flow))
                .unwrap_or_default();
            let under_way =
                UnderWay { tenant: item.tenant.clone(), flow: item.flow.clone(), settings, asking };
            self.under_way.insert(self.next_place, under_way);
            self.next_place += 1;
            due.push(Due { tenant: item.tenant, flow: item.flow, request, who });
        }
        let (told, process) = (self.course.0.clone(), Arc::clone(&self.process));
        let tell: runner::Tell = Arc::new(move |course| drop(told.send((first, course))));
        // A thread of its own: new rules are compiled and tried at the beginning of a run, which may take a processor
        // for seconds, and neither others' runs nor pages wait for that.
        let here = tokio::runtime::Handle::current();
        drop(tokio::task::spawn_blocking(move || here.block_on(runner::run_together(&process, due, &tell))));
    }

    fn take_course(&mut self, (first, course): Told) {
        match course {
            Course::Began { at, run } => {
                let Some(under_way) = self.under_way.get_mut(&(first + at)) else { return };
                self.agenda.began(&under_way.tenant, &under_way.flow, run.clone());
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
        let now = self.process.clock.now();
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
        if let (Some(answer), Some(failure)) = (under_way.asking, &ended.failure) {
            drop(answer.send(Err(failure.clone())));
        }
        self.agenda.ended(&ended.tenant, &ended.flow, outcome, now);
        log(ended);
        if !quit {
            self.process.alarms.run_ended(ended);
        }
    }

    /// Keeps what has to outlive the process. A store that cannot be written is told by the runs themselves.
    async fn store_changed(&mut self) {
        for row in self.agenda.changed_rows() {
            if let Err(error) = self.process.store.put_standing(&row).await {
                tracing::warn!(tenant.id = row.tenant.as_str(), error.code = error.code(), "{error}");
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
    let deployment = process.deployment();
    let config = &deployment.config;
    let of = |tenant: &config::Tenant, flow: &config::Flow| {
        AgendaFlow::of(tenant, flow, settings_of(config, tenant, flow))
    };
    config.tenants.iter().flat_map(|tenant| tenant.flows.iter().map(move |flow| of(tenant, flow))).collect()
}

/// A run says itself how it ended; why it failed, or could not begin, is said here.
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
