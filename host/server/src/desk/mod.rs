//! Questions and actions, shared by the pages and the API.
//!
//! A *question* is a function of the process and returns plain data; an *action* is a function of the process and of
//! the visitor who requests it. Actions need an operator, and the outcome of each, including a denied attempt, is in the
//! audit log before its answer is sent. Numbers and addresses of people are masked in every answer (`mask`); showing
//! them in full needs an operator and is recorded first. No answer contains a secret: `settings` says only that one is
//! set.

mod action;
mod alarms;
mod aside;
mod attention;
mod audit;
mod chart;
mod found;
mod guests;
mod labels;
mod mask;
mod overview;
mod page;
mod plan;
mod quarantine;
mod reason;
mod record;
mod removed;
mod rules;
mod runs;
mod search;
mod settings;
mod sheet;

pub use action::{PauseWish, PlainWish, RunWhat, RunWish, pause, resume, retry, run_now};
pub use alarms::alarms;
pub(crate) use audit::logged_in;
pub use audit::{AuditAsked, audit};
pub use chart::{
    ApiCalls, CallsChart, ChartAsked, ChartStep, CorpCalls, RefusalsChart, RunsChart, RunsPoint, calls_chart,
    refusals_chart, runs_chart,
};
pub(crate) use found::no_run;
pub use guests::{
    DifferenceAsked, DifferenceView, FlowGuestView, GuestOverview, LiveRules, OfferedRules, Offers, guest,
    guest_difference, guests,
};
pub use overview::{Attention, AttentionKind, FlowOverview, Overview, TenantOverview, overview, tenant};
pub(crate) use page::ticked;
pub use page::{FieldChange, Page, Wished};
pub use plan::{
    ApproveWish, OperationView, PlanAsked, PlanMay, PlanView, RejectWish, apply_plan, approve_plan, plan,
    reject_plan,
};
pub use quarantine::{
    QuarantineAsked, QuarantineView, RejectView, RuleGroup, ViolationView, quarantine, quarantine_csv,
};
pub use reason::Reason;
pub use record::{DecisionView, GuestName, MemberView, RecordView, RowField, record};
pub use removed::{RemovalView, RemovalWish, RemovedAsked, answer_removal, removed};
pub use removed::{no_member, not_removed};
pub use rules::{ActivateWish, RollBackWish, activate, roll_back};
pub use runs::{RunView, RunsAsked, run, runs};
pub use settings::{
    AlarmsView, FlowSettings, LimitView, Observance, PersonView, ProblemView, SecretView, ServerView,
    SettingsView, TenantSettings, settings,
};
