//! Starts runs when they are due, when a push wakes them, and when a person asks.
//!
//! One task owns the state of the schedule, which is pure (crate `scheduler`). All others send it messages and read the
//! board on which it publishes the state of the flows. State that has to outlive the process is stored before it is
//! acted on.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};

use super::plan_lock::{PlanLock, PlanLockState, PlanLocks};
use super::principal::Principal;
use crate::deployment::RulesExchange;
use ruzhi_message::{Report, exit};
use ruzhi_model::{FlowId, Label, PlanId, RunId, TenantId, Text};
use ruzhi_plan::Plan;
use ruzhi_store::{Blocked, Paused, RunRow, WakeKind};
use ruzhi_sync::{FailureKind, Notice, RunError, RunTask};

/// Reasons that wake a flow apart from its schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wake {
    /// The form was changed.
    Push,
    /// The directory was changed outside ruzhi: a drift check.
    Callback,
    /// A run was cut off because its process ended.
    CutOff,
    /// The tenant's files contain other rules.
    Rules,
}

impl From<WakeKind> for Wake {
    fn from(kind: WakeKind) -> Self {
        match kind {
            WakeKind::Push => Self::Push,
            WakeKind::Callback => Self::Callback,
            WakeKind::CutOff => Self::CutOff,
        }
    }
}

/// The state of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleStateKind {
    /// Its next run has a time.
    Waiting,
    /// Without a schedule: it runs when it is woken or asked.
    Idle,
    /// Due, and waiting for room.
    Queued,
    /// A run is under way.
    Running,
    /// Its last run failed, and a retry has a time.
    Retrying,
    /// Paused by a person.
    Paused,
    /// A service rejects its credential, address or permission.
    Blocked,
}

impl ScheduleStateKind {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Waiting => Label::new("on schedule", "按计划"),
            Self::Idle => Label::new("runs when asked", "按需运行"),
            Self::Queued => Label::new("queued", "排队中"),
            Self::Running => Label::new("running", "运行中"),
            Self::Retrying => Label::new("retrying", "重试中"),
            Self::Paused => Label::new("paused", "已暂停"),
            Self::Blocked => Label::new("blocked", "已停止待处理"),
        }
    }
}

/// A flow, by its tenant and its id.
pub type FlowKey = (TenantId, FlowId);

/// A flow and its place in the schedule.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ScheduleState {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// Its state.
    pub state: ScheduleStateKind,
    /// Its next run, as far as that is known.
    pub next: Option<DateTime<Utc>>,
    /// Waiting for room since then.
    pub queued_since: Option<DateTime<Utc>>,
    /// The run under way.
    pub run: Option<RunId>,
    /// Consecutive failed runs.
    pub failures: u32,
    /// True if it should have begun long ago.
    pub late: bool,
    /// The person who paused it, and why.
    pub paused: Option<Paused>,
    /// The reason why it is blocked.
    pub blocked: Option<Blocked>,
}

/// The answer to a person's request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RunAccepted {
    /// The run that does it. None if it has not begun within two seconds, because a run of the same corp is under way
    /// or there is no room: then it begins as soon as it can.
    pub run: Option<RunId>,
}

/// A run that has ended, or a flow that could not run.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The run; none if it could not begin.
    pub run: Option<RunRow>,
    /// Its plan.
    pub plan: Option<Plan>,
    /// Changes of the flow's rules.
    pub exchanged: RulesExchange,
    /// Notices for a person that made nothing fail.
    pub notices: Vec<Notice>,
    /// Why it failed.
    pub failure: Option<RunFailure>,
}

/// The failure of a run.
#[derive(Debug, Clone)]
pub struct RunFailure {
    /// Its kind.
    pub kind: FailureKind,
    /// What a person reads.
    pub report: Report,
}

impl From<RunError> for RunFailure {
    fn from(error: RunError) -> Self {
        Self { kind: error.kind(), report: error.into() }
    }
}

/// A flow that could not run, or operations that were not done.
impl From<Report> for RunFailure {
    fn from(report: Report) -> Self {
        Self { kind: FailureKind::Other, report }
    }
}

pub type AnswerSender<T> = oneshot::Sender<Result<T, Report>>;

pub enum Message {
    Wake {
        tenant: TenantId,
        flow: FlowId,
        why: Wake,
    },
    Ask(Box<ManualRun>),
    Pause {
        tenant: TenantId,
        flow: FlowId,
        who: String,
        why: Option<String>,
        answer: AnswerSender<()>,
    },
    Resume {
        tenant: TenantId,
        flow: FlowId,
        answer: AnswerSender<()>,
    },
    /// The deployment was exchanged.
    Exchanged,
}

pub struct ManualRun {
    pub tenant: TenantId,
    pub flow: FlowId,
    pub request: RunTask,
    pub who: String,
    /// The lock on the plan to be carried out.
    pub lock: Option<PlanLock>,
    pub answer: AnswerSender<RunAccepted>,
}

impl ManualRun {
    /// Answers that the flow does not exist, or no longer does.
    pub fn answer_no_flow(self) {
        let Self { tenant, flow, lock, answer, .. } = self;
        // The caller may ask again as soon as it is answered.
        drop(lock);
        drop(answer.send(Err(crate::deployment::no_flow(&tenant, &flow))));
    }
}

/// The handle of the scheduler.
#[derive(Clone)]
pub struct Scheduler {
    /// None in a process without a scheduler: a command.
    messages: Option<mpsc::UnboundedSender<Message>>,
    board: watch::Receiver<Arc<Vec<ScheduleState>>>,
    locks: PlanLocks,
}

/// The task's end of the handle.
pub struct Inbox {
    pub messages: mpsc::UnboundedReceiver<Message>,
    pub board: watch::Sender<Arc<Vec<ScheduleState>>>,
}

#[cfg(any(test, feature = "testing"))]
impl Default for Scheduler {
    /// A handle without a listener.
    fn default() -> Self {
        Self::new().0
    }
}

#[cfg(any(test, feature = "testing"))]
#[expect(clippy::unwrap_used, reason = "for tests alone")]
impl Inbox {
    /// The wakes not read yet.
    pub fn woken(&mut self) -> Vec<(TenantId, FlowId, Wake)> {
        let messages = std::iter::from_fn(|| self.messages.try_recv().ok());
        let woken = messages.filter_map(|message| match message {
            Message::Wake { tenant, flow, why } => Some((tenant, flow, why)),
            _ => None,
        });
        woken.collect()
    }

    /// Grants every request and records it. A run that carries out a plan never ends.
    pub fn agree(mut self) -> Arc<std::sync::Mutex<Vec<String>>> {
        let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut carried_out = Vec::new();
            while let Some(message) = self.messages.recv().await {
                let said = match message {
                    Message::Ask(asking) => {
                        let ManualRun { tenant, flow, request, who, lock, answer } = *asking;
                        let run: RunId = "r-asked".parse().unwrap();
                        if let Some(lock) = lock {
                            lock.set_state(PlanLockState::Running(run.clone()));
                            carried_out.push(lock);
                        }
                        drop(answer.send(Ok(RunAccepted { run: Some(run) })));
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

    /// Publishes the state of the flows.
    pub fn stands(&self, schedule_states: Vec<ScheduleState>) {
        self.board.send_replace(Arc::new(schedule_states));
    }
}

impl Scheduler {
    /// A handle and its inbox.
    pub fn new() -> (Self, Inbox) {
        let (sender, messages) = mpsc::unbounded_channel();
        let (board, shown) = watch::channel(Arc::default());
        let locks = PlanLocks::default();
        (Self { messages: Some(sender), board: shown, locks }, Inbox { messages, board })
    }

    /// The handle of a process without a scheduler. A requested run is left to the process that has one.
    pub(crate) fn absent() -> Self {
        let (_, board) = watch::channel(Arc::default());
        Self { messages: None, board, locks: PlanLocks::default() }
    }

    /// True in a process without a scheduler.
    pub(crate) fn is_absent(&self) -> bool {
        self.messages.is_none()
    }

    /// Wakes a flow. Several wakes before it runs count as one.
    pub fn wake(&self, tenant: &TenantId, flow: &FlowId, why: Wake) {
        self.send(Message::Wake { tenant: tenant.clone(), flow: flow.clone(), why });
    }

    /// Requests a run for a person. It is the next of its flow, after earlier requests by people, even if the flow is
    /// blocked or paused. Waits a moment for the run to begin, so that the person can be shown it.
    pub async fn ask(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        request: RunTask,
        principal: &Principal,
    ) -> Result<RunAccepted, Report> {
        self.request_run(tenant, flow, request, principal, None).await
    }

    /// Requests that a locked plan be carried out: no other decision on it is accepted until that run has ended.
    pub async fn carry_out(
        &self,
        lock: PlanLock,
        flow: &FlowId,
        approved: bool,
        principal: &Principal,
    ) -> Result<RunAccepted, Report> {
        lock.set_state(PlanLockState::Queued);
        let request = RunTask::Apply { plan: lock.plan().clone(), approved };
        self.request_run(&lock.tenant().clone(), flow, request, principal, Some(lock)).await
    }

    /// Locks a plan, to decide on it; or returns the state of the existing lock.
    pub fn lock_plan(&self, tenant: &TenantId, plan: &PlanId) -> Result<PlanLock, PlanLockState> {
        self.locks.lock_plan(tenant, plan)
    }

    /// True if the plan is locked.
    pub fn is_plan_locked(&self, tenant: &TenantId, plan: &PlanId) -> bool {
        self.locks.has(tenant, plan)
    }

    async fn request_run(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        request: RunTask,
        principal: &Principal,
        lock: Option<PlanLock>,
    ) -> Result<RunAccepted, Report> {
        if self.is_absent() {
            return Ok(RunAccepted { run: None });
        }
        let (answer, mut answered) = oneshot::channel();
        let (tenant, flow, who) = (tenant.clone(), flow.clone(), principal.name.clone());
        self.send(Message::Ask(Box::new(ManualRun { tenant, flow, request, who, lock, answer })));
        match tokio::time::timeout(principal.patience, &mut answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(ending())),
            Err(_) => Ok(RunAccepted { run: None }),
        }
    }

    /// Pauses a flow until it is resumed. A run under way ends normally.
    pub async fn pause(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        who: &str,
        why: Option<&str>,
    ) -> Result<(), Report> {
        let (who, why) = (who.to_owned(), why.map(str::to_owned));
        let (answer, answered) = oneshot::channel();
        self.send(Message::Pause { tenant: tenant.clone(), flow: flow.clone(), who, why, answer });
        answered.await.unwrap_or_else(|_| Err(ending()))
    }

    /// Resumes a flow that was paused or blocked, and forgets its failures.
    pub async fn resume(&self, tenant: &TenantId, flow: &FlowId) -> Result<(), Report> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Resume { tenant: tenant.clone(), flow: flow.clone(), answer });
        answered.await.unwrap_or_else(|_| Err(ending()))
    }

    /// Announces that the deployment was exchanged.
    pub fn exchanged(&self) {
        self.send(Message::Exchanged);
    }

    /// The state of every flow.
    pub fn schedule_states(&self) -> Vec<ScheduleState> {
        self.board.borrow().to_vec()
    }

    /// The state of every flow, and each change of it.
    pub fn follow(&self) -> watch::Receiver<Arc<Vec<ScheduleState>>> {
        self.board.clone()
    }

    /// Sending fails only while the process is ending.
    fn send(&self, message: Message) {
        if let Some(messages) = &self.messages {
            drop(messages.send(message));
        }
    }
}

fn ending() -> Report {
    Report::new(
        exit::FAILED,
        "serve.ending",
        Text::new("ruzhi is ending", "ruzhi 正在退出"),
        Some(Text::new("ask again once it runs again", "请在其重新启动后再试")),
    )
}
