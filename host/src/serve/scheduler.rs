//! Starts runs when they are due, when a push wakes them, and when a person asks.
//!
//! One task owns the agenda, which is pure. Everybody else sends it messages and reads the board on which it writes how
//! the flows stand. What has to outlive the process is stored before anything is done on the strength of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};

use crate::deployment::Exchanged;
use crate::failure::{Failure, exit};
use crate::model::{FlowId, RunId, TenantId, Text};
use crate::plan::Plan;
use crate::store::{Blocked, Paused, RunRow, WakeKind};
use crate::sync::Request;

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

impl From<WakeKind> for Wake {
    fn from(kind: WakeKind) -> Self {
        match kind {
            WakeKind::Push => Self::Push,
            WakeKind::Callback => Self::Callback,
        }
    }
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

pub(super) type Answer<T> = oneshot::Sender<Result<T, Failure>>;

pub(super) enum Message {
    Wake {
        tenant: TenantId,
        flow: FlowId,
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

pub(super) struct Asking {
    pub(super) request: Request,
    pub(super) who: String,
    pub(super) answer: Answer<Asked>,
}

/// The handle by which everybody speaks to the scheduler.
#[derive(Clone)]
pub struct Scheduler {
    messages: mpsc::UnboundedSender<Message>,
    board: watch::Receiver<Arc<Vec<FlowStanding>>>,
}

/// The other end of the handle, for the task.
pub(super) struct Inbox {
    pub(super) messages: mpsc::UnboundedReceiver<Message>,
    pub(super) board: watch::Sender<Arc<Vec<FlowStanding>>>,
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
    pub(super) fn woken(&mut self) -> Vec<(TenantId, FlowId, Wake)> {
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

    /// Wakes a flow. Several wakes before it runs are one.
    pub fn wake(&self, tenant: &TenantId, flow: &FlowId, why: Wake) {
        self.send(Message::Wake { tenant: tenant.clone(), flow: flow.clone(), why });
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

fn ending() -> Failure {
    Failure::new(
        exit::FAILED,
        "serve.ending",
        Text::new("ruzhi is ending", "ruzhi 正在退出"),
        Some(Text::new("ask again once it runs again", "请在其重新启动后再试")),
    )
}
