//! The application layer: every use case of a person, once, for pages, API and command line.
//!
//! A *query* is a function of the [`App`] and returns plain data; an *action* is a function of the [`App`] and of the
//! [`Principal`] who asks for it. Actions need an operator; every one, including denied attempts, is in the audit log
//! before it is answered. Personal numbers and addresses are masked in every answer (`mask`); showing them needs an
//! operator and is audited first. No answer contains a secret: `settings` says that one is set, and nothing of its value.
//!
//! Below the use cases are their parts: `deployment`, from the files of a configuration to flows that can run; `audit`,
//! the log; `scheduler`, the handle through which runs are asked for; `live`, the progress of the runs under way.

mod activations;
mod alarms;
mod app;
mod aside;
mod attention;
pub mod audit;
mod audit_log;
mod charts;
pub mod deployment;
mod drift;
mod flows;
mod labels;
mod live;
mod lookup;
mod mask;
mod overview;
mod paging;
mod plan_lock;
mod plans;
mod principal;
mod quarantine;
mod reason;
mod records;
mod removals;
mod rules;
mod runs;
pub mod scheduler;
mod search;
mod settings;
mod spreadsheet;
mod tally;

pub use activations::{ActivateWish, RollBackWish, activate, roll_back};
pub use alarms::alarms;
pub use app::App;
pub use audit_log::logged_in;
pub use audit_log::{AuditAsked, audit};
pub use charts::{
    ApiCalls, CallsChart, ChartAsked, ChartStep, CorpCalls, RefusalsChart, RunsChart, RunsPoint, calls_chart,
    refusals_chart, runs_chart,
};
pub use drift::{DriftAsked, DriftView, FindingKind, FindingView, drift};
pub use flows::{PauseWish, PlainWish, RunWhat, RunWish, pause, resume, retry, run_now};
pub use live::{Live, LiveRun};
pub use lookup::no_run;
pub use overview::{Attention, AttentionKind, FlowOverview, Overview, TenantOverview, overview, tenant};
pub use paging::ticked;
pub use paging::{FieldChange, Page, Wished};
pub use plan_lock::{Claim, Claimed};
pub use plans::{
    ApproveWish, OperationView, PlanAsked, PlanMay, PlanView, RejectWish, apply_plan, approve_plan, plan,
    reject_plan,
};
pub use principal::{PATIENCE, Principal};
pub use quarantine::{
    QuarantineAsked, QuarantineView, RejectView, RuleGroup, ViolationView, quarantine, quarantine_csv,
};
pub use reason::Reason;
pub use records::{DecisionView, GuestName, MemberView, RecordView, RowField, record};
pub use removals::{RemovalView, RemovalWish, RemovedAsked, answer_removal, removed};
pub use removals::{no_member, not_removed};
pub use rules::{
    DifferenceAsked, DifferenceView, FlowGuestView, GuestOverview, LiveRules, OfferedRules, Offers, guest,
    guest_difference, guests,
};
pub use runs::{RunView, RunsAsked, run, runs};
pub use settings::{
    AlarmsView, FlowSettings, LimitView, Observance, PersonView, ProblemView, SecretView, ServerView,
    SettingsView, TenantSettings, settings,
};
pub use tally::{Tally, Turn};
