//! Starts runs when they are due, when a push wakes them, and when a person asks.
//!
//! One task owns the agenda, which is pure. Everybody else sends it messages and reads the board on which it writes how
//! the flows stand. What has to outlive the process is stored before anything is done on the strength of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};

use super::claim::{Claim, Claimed, Claims};
use ruzhi_app::deployment::Exchanged;
use ruzhi_message::{Failure, exit};
use ruzhi_model::{FlowId, PlanId, RunId, TenantId, Text};
use ruzhi_plan::Plan;
use ruzhi_store::{Blocked, Paused, RunRow, WakeKind};
use ruzhi_sync::{Notice, Request};

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
    /// The run that does it. None where it has not begun within two seconds, because a run of the same corp is under way
    /// or there is no room: then it begins as soon as it can.
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
    /// What a person should know that made nothing fail.
    pub notices: Vec<Notice>,
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
    Ask(Box<Asking>),
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
    pub(super) tenant: TenantId,
    pub(super) flow: FlowId,
    pub(super) request: Request,
    pub(super) who: String,
    /// The plan that is to be carried out is nobody else's.
    pub(super) claim: Option<Claim>,
    pub(super) answer: Answer<Asked>,
}

/// The handle by which everybody speaks to the scheduler.
#[derive(Clone)]
pub struct Scheduler {
    messages: mpsc::UnboundedSender<Message>,
    board: watch::Receiver<Arc<Vec<FlowStanding>>>,
    claims: Claims,
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

    /// Says yes to whatever people ask for, and tells what that was. No run that carries a plan out ever ends.
    pub(super) fn agree(mut self) -> Arc<std::sync::Mutex<Vec<String>>> {
        let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut carried_out = Vec::new();
            while let Some(message) = self.messages.recv().await {
                let said = match message {
                    Message::Ask(asking) => {
                        let Asking { tenant, flow, request, who, claim, answer } = *asking;
                        let run: RunId = "r-asked".parse().unwrap();
                        if let Some(claim) = claim {
                            claim.becomes(Claimed::Runs(run.clone()));
                            carried_out.push(claim);
                        }
                        drop(answer.send(Ok(Asked { run: Some(run) })));
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
        let claims = Claims::default();
        (Self { messages: sender, board: shown, claims }, Inbox { messages, board })
    }

    /// Wakes a flow. Several wakes before it runs are one.
    pub fn wake(&self, tenant: &TenantId, flow: &FlowId, why: Wake) {
        self.send(Message::Wake { tenant: tenant.clone(), flow: flow.clone(), why });
    }

    /// A person asks for a run. It is the next of its flow, after those that people asked for before, whatever blocks or
    /// pauses the schedule. Waits a moment for it to begin, so that they can be shown it.
    pub async fn ask(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        request: Request,
        who: &str,
    ) -> Result<Asked, Failure> {
        self.asked(tenant, flow, request, who, None).await
    }

    /// A person has a plan carried out that they have claimed: nobody else decides on it until that has ended.
    pub(super) async fn carry_out(
        &self,
        claim: Claim,
        flow: &FlowId,
        approved: bool,
        who: &str,
    ) -> Result<Asked, Failure> {
        claim.becomes(Claimed::Waits);
        let request = Request::Apply { plan: claim.plan().clone(), approved };
        self.asked(&claim.tenant().clone(), flow, request, who, Some(claim)).await
    }

    /// Claims a plan, to decide on it; or tells what is being done about it already.
    pub(super) fn claim(&self, tenant: &TenantId, plan: &PlanId) -> Result<Claim, Claimed> {
        self.claims.claim(tenant, plan)
    }

    /// Whether something is being done about a plan.
    pub(super) fn is_claimed(&self, tenant: &TenantId, plan: &PlanId) -> bool {
        self.claims.has(tenant, plan)
    }

    async fn asked(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        request: Request,
        who: &str,
        claim: Option<Claim>,
    ) -> Result<Asked, Failure> {
        let (answer, mut answered) = oneshot::channel();
        let (tenant, flow, who) = (tenant.clone(), flow.clone(), who.to_owned());
        self.send(Message::Ask(Box::new(Asking { tenant, flow, request, who, claim, answer })));
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
