//! The settings as the running process has them, and where the files hold something else.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::guests::OfferedRules;
use crate::config::Role;
use crate::failure::Failure;
use crate::model::{FlowId, TenantId, Text};
use crate::serve::Process;

/// The settings as the running process has them. Of a secret it is said whether there is one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SettingsView {
    /// The program's version.
    pub version: String,
    /// Since when it runs.
    pub started_at: DateTime<Utc>,
    /// The configuration's folder.
    pub dir: String,
    /// Whether what runs is what the files hold.
    pub observance: Observance,
    /// How it is reached, and by whom.
    pub server: ServerView,
    /// The store's file.
    pub store: String,
    /// Corps whose flows run at the same time.
    pub at_once: u32,
    /// A run that has not begun so many seconds after its time is late.
    pub late_after_seconds: u64,
    /// The host's alarms: `robot` and `url`, each `set` or `not set`.
    pub alarms: AlarmsView,
    /// Memory of one instance of a guest, in bytes.
    pub guest_memory_bytes: u64,
    /// Milliseconds a guest has for one batch.
    pub guest_deadline_ms: u64,
    /// By id.
    pub tenants: Vec<TenantSettings>,
}

/// Whether what runs is what the files hold.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Observance {
    /// All that the files hold runs.
    pub same: bool,
    /// Why some of it does not.
    #[schema(value_type = Option<Object>)]
    pub refused: Option<Failure>,
    /// The same, place by place.
    pub problems: Vec<ProblemView>,
    /// What runs and somebody should look at.
    pub warnings: Vec<ProblemView>,
}

/// A problem at a place in the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProblemView {
    /// The file, relative to the configuration's folder.
    pub file: String,
    /// Counted from 1.
    pub line: Option<u32>,
    /// Counted from 1.
    pub column: Option<u32>,
    /// The line, with every secret written as `*`.
    pub source_line: Option<String>,
    /// What is wrong, and with what.
    pub text: Text,
    /// What to do.
    pub hint: Option<Text>,
}

/// How the process is reached, and by whom.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ServerView {
    /// Address and port.
    pub listen: String,
    /// Where people reach the pages.
    pub url: Option<String>,
    /// Whoever may come in; empty: whoever is on this machine.
    pub people: Vec<PersonView>,
}

/// Somebody who may come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonView {
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlarmsView {
    /// A group robot is set.
    pub robot: bool,
    /// An address is set.
    pub url: bool,
    /// `en`, `zh`, or both where it is none.
    pub lang: Option<String>,
}

/// A tenant's settings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TenantSettings {
    /// The tenant.
    pub id: TenantId,
    /// What people call it.
    pub name: String,
    /// The file.
    pub file: String,
    /// An IANA name.
    pub timezone: String,
    /// The corp.
    pub corp_id: String,
    /// WeCom's address.
    pub wecom: String,
    /// A proxy is used.
    pub proxy: bool,
    /// Each secret by its key in the file, and whether it is set.
    pub secrets: Vec<SecretView>,
    /// JianDaoYun's address.
    pub jiandaoyun: String,
    /// Calls of one WeCom API in a minute.
    pub per_minute: u32,
    /// In an hour.
    pub per_hour: u32,
    /// At the same time.
    pub in_flight: u32,
    /// From this many creates and updates on, write by CSV job; 0 for never.
    pub batch_from: u32,
    /// The limits that hold a plan, by their key in the file; null for no limit.
    pub guard: Vec<LimitView>,
    /// Days between disabling and deleting a member who left.
    pub grace_days: u64,
    /// Members that are never written.
    pub protected: Vec<String>,
    /// The tenant's own alarms; none: the host's.
    pub alarms: Option<AlarmsView>,
    /// By id.
    pub flows: Vec<FlowSettings>,
}

/// A secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SecretView {
    /// Its key in the file, such as `wecom.secret`.
    pub key: String,
    /// Whether there is one.
    pub set: bool,
}

/// A limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LimitView {
    /// Its key in the file.
    pub key: String,
    /// The limit; none for no limit.
    pub most: Option<u32>,
}

/// A flow's settings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlowSettings {
    /// The flow.
    pub id: FlowId,
    /// Its cron expression.
    pub schedule: Option<String>,
    /// The form: version of the API, application and form.
    pub form: String,
    /// Which of its rows; none for all.
    #[schema(value_type = Option<Object>)]
    pub filter: Option<serde_json::Value>,
    /// Seconds before the watermark an incremental collect begins.
    pub overlap_seconds: u64,
    /// On two records that claim one member: the word in the file.
    pub duplicates: String,
    /// On a row that a complete collect does not find: the word in the file.
    pub absent: String,
    /// Pushes are taken: their secret is set.
    pub push: bool,
    /// The field that takes the outcome of a row.
    pub write_back: Option<String>,
    /// The rules in its files beside those that are live.
    pub rules: OfferedRules,
}

/// The settings as the running process has them.
pub async fn settings(process: &Process) -> Result<SettingsView, Failure> {
    let _ = process;
    Err(super::unfinished())
}
