//! Starts runs when they are due, when a push wakes them, and when a person asks.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::deployment::Exchanged;
use crate::failure::Failure;
use crate::model::{FlowId, RunId, TenantId};
use crate::plan::Plan;
use crate::store::{Blocked, Paused, RunRow};
use crate::sync::Request;

/// What wakes a flow beside its schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wake {
    /// The form was changed.
    Push,
    /// Somebody else changed the directory: a look for drift.
    Callback,
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
    /// Why it failed.
    pub failure: Option<Failure>,
    /// A service refuses the credential, the address or the right: the flow is blocked.
    pub blocked: bool,
}

/// The handle by which everybody speaks to the scheduler.
#[derive(Clone, Default)]
pub struct Scheduler {}

impl Scheduler {
    /// Wakes a flow, or every flow of a tenant. Several wakes before it runs are one.
    pub fn wake(&self, _tenant: &TenantId, _flow: Option<&FlowId>, _why: Wake) {}

    /// A person asks for a run. It is the next of its flow, whatever blocks or pauses the schedule. Waits a moment for the
    /// run to begin, so that they can be shown it.
    pub async fn ask(
        &self,
        _tenant: &TenantId,
        _flow: &FlowId,
        _request: Request,
        _who: &str,
    ) -> Result<Asked, Failure> {
        Ok(Asked { run: None })
    }

    /// Stops a flow until it is resumed. A run that is under way ends as it would.
    pub async fn pause(
        &self,
        _tenant: &TenantId,
        _flow: &FlowId,
        _who: &str,
        _why: Option<&str>,
    ) -> Result<(), Failure> {
        Ok(())
    }

    /// Starts a flow again that was paused or blocked, and forgets its failures.
    pub async fn resume(&self, _tenant: &TenantId, _flow: &FlowId, _who: &str) -> Result<(), Failure> {
        Ok(())
    }

    /// How every flow stands.
    pub fn standings(&self) -> Vec<FlowStanding> {
        Vec::new()
    }
}
