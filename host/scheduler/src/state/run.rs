//! The runs that the state begins, why, and how they ended.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use ruzhi_config::{self as config, Schedule};
use ruzhi_model::{FlowId, RemoteService, TenantId, Text};
use ruzhi_store::RunCause;

/// A flow as configured.
#[derive(Debug, Clone)]
pub struct ScheduledFlow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The corp it writes to: flows with the same text never run apart.
    pub corp: String,
    /// Its schedule; none if it only runs when woken or asked.
    pub schedule: Option<Schedule>,
    /// Digest of the settings a service may reject: a change lifts a block.
    pub settings: String,
}

impl ScheduledFlow {
    /// A flow of the configuration; `settings` is a digest of the settings a service may reject.
    pub fn of(tenant: &config::TenantConfig, flow: &config::FlowConfig, settings: String) -> Self {
        Self {
            tenant: tenant.id.clone(),
            flow: flow.id.clone(),
            corp: format!("{} {}", tenant.wecom.base_url, tenant.wecom.corp_id),
            schedule: flow.schedule.clone(),
            settings,
        }
    }
}

/// The kind of run a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// The flow's work: takes up what is due, and ends the retries if it succeeds.
    Sync,
    /// Anything else, such as a dry run or a plan's approval.
    Other,
}

/// The reason a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// A person asked for it, under this number.
    Person(u64),
    /// The last one failed, or its obstacle was removed.
    Retry,
    /// Its schedule.
    Tick,
    /// A decision expired.
    Moment,
    /// The form was changed.
    Push,
    /// A run was cut off because its process ended.
    CutOff,
    /// The directory was changed outside ruzhi: a drift check.
    Callback,
    /// The last drift check left differences: a drift check.
    Recheck,
}

impl From<Trigger> for RunCause {
    fn from(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Person(_) => Self::Person,
            Trigger::Retry => Self::Retry,
            Trigger::Tick => Self::Schedule,
            Trigger::Moment => Self::Decision,
            Trigger::Push => Self::Push,
            Trigger::CutOff => Self::CutOff,
            Trigger::Callback => Self::Callback,
            Trigger::Recheck => Self::Recheck,
        }
    }
}

/// The runs of one corp that begin now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunBatch {
    /// The corp.
    pub corp: Arc<str>,
    /// One run for each of its due flows.
    pub runs: Vec<DueRun>,
}

/// A run that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRun {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The reason it begins.
    pub trigger: Trigger,
    /// Since when it was due.
    pub since: DateTime<Utc>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunOutcome {
    /// Everything that could be done was done.
    Done,
    /// The guard holds the plan for a person; to the schedule the work is done.
    Held,
    /// Something was not done.
    Failed,
    /// A service rejects the credential, the address or the permission.
    Blocked {
        /// The service.
        service: RemoteService,
        /// The code of the rejection.
        code: String,
        /// The event and its subject.
        text: Text,
        /// Suggested next step.
        hint: Option<Text>,
        /// Digest of the settings the run began with.
        settings: String,
    },
    /// Cut off because the process is ending.
    CutOff,
}
