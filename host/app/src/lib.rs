//! The application layer: every use case of a person, once, for pages, API and command line.
//!
//! A *query* is a function of the [`App`] and returns plain data; an *action* is a function of the [`App`] and of the
//! [`Principal`] who asks for it. Actions need an operator; every one, including denied attempts, is in the audit log
//! before it is answered. Personal numbers and addresses are masked in every answer (`mask`); showing them needs an
//! operator and is audited first. No answer contains a secret: `settings` says that one is set, and nothing of its
//! value.
//!
//! Below the use cases are their parts: `deployment`, from the files of a configuration to flows that can run; `audit`,
//! the log; `scheduler`, the handle through which runs are asked for; `live`, the progress of the runs under way.

mod activations;
mod alerts;
mod app;
mod attention;
pub mod audit;
mod audit_log;
mod blocking;
mod charts;
pub mod deployment;
mod drift;
mod flows;
mod ids;
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
mod reject_view;
mod removals;
mod row_field;
mod rules;
mod runs;
pub mod scheduler;
mod search;
mod settings;
mod spreadsheet;
mod tally;
mod tenant_overview;

pub use activations::{
    ActivateRequest, ActivationOrder, RollbackRequest, activate, activate_artifacts, confirm_rules,
    not_activated, rollback,
};
pub use alerts::alerts;
pub use app::App;
pub use attention::{Attention, AttentionKind};
pub use audit_log::logged_in;
pub use audit_log::{AuditQuery, audit};
pub use charts::{
    ApiCalls, CallsChart, ChartQuery, ChartStep, CorpCalls, QuarantineChart, RunsChart, RunsPoint,
    calls_chart, quarantine_chart, runs_chart,
};
pub use drift::{DriftQuery, DriftView, drift};
pub use flows::{
    EmptyRequest, PauseRequest, RunMode, RunRequest, audit_of_run, pause, resume, retry, run_now,
};
pub use live::{LiveRun, LiveRuns};
pub use lookup::no_run;
pub use overview::{Overview, overview, tenant};
pub use paging::ticked;
pub use paging::{ActionInput, FieldChange, Page};
pub use plan_lock::{PlanLock, PlanLockState};
pub use plans::{
    ApproveRequest, OperationView, PlanMay, PlanQuery, PlanView, RejectRequest, apply_plan, approve_plan,
    plan, reject_plan,
};
pub use principal::{PATIENCE, Principal};
pub use quarantine::{QuarantineQuery, QuarantineView, RuleGroup, quarantine, quarantine_csv};
pub use reason::ActionReason;
pub use records::{DecisionView, GuestName, MemberView, RecordView, record};
pub use reject_view::{RejectView, ViolationView};
pub use removals::{RemovalRequest, RemovalView, RemovalsQuery, answer_removal, removed};
pub use row_field::RowField;
pub use rules::{
    DifferenceQuery, DifferenceView, FlowRulesView, LiveRules, OfferedRules, Offers, RulesOverview,
    rules_difference, rules_overview, rules_view,
};
pub use runs::{RunView, RunsQuery, run, runs};
pub use settings::{
    AlertsView, ConfigurationStatus, FlowSettings, LimitView, PersonView, ProblemView, SecretView,
    ServerView, SettingsView, TenantSettings, settings,
};
pub use tally::{Tally, TallyResult};
pub use tenant_overview::{FlowOverview, TenantOverview};
