//! The configuration as types. Every value is parsed and checked; past this point it is trusted.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use ipnet::IpNet;
use reqwest::Url;
use secrecy::SecretString;
use serde_json::Value;

use super::fingerprint::Fingerprint;
use super::schedule::Schedule;
use ruzhi_jiandaoyun::{FormAddress, RowFilter};
use ruzhi_message::Problem;
pub use ruzhi_model::{ChangeLimit, WriteBack};
use ruzhi_model::{Digest, FlowId, Label, Lang, TenantId, UserId};
pub use ruzhi_plan::{DuplicatePolicy, ExistingPolicy, Guard, RemovedPolicy};

/// A whole deployment.
#[derive(Debug, Clone)]
pub struct Config {
    /// The configuration's folder, absolute.
    pub dir: PathBuf,
    /// `ruzhi.toml` exists.
    pub host_written: bool,
    /// Location of the state.
    pub store: StoreSettings,
    /// Access to `ruzhi serve`.
    pub server: ServerSettings,
    /// Scheduling of flows.
    pub schedule: ScheduleSettings,
    /// Receivers of alerts that concern no single tenant, or a tenant without receivers of its own.
    pub alerts: AlertSettings,
    /// Resource limits of a guest.
    pub guest: GuestSettings,
    /// Ceiling for the tenants' guards, already applied to them; the maximum values if the host sets none.
    pub guard_ceiling: Guard,
    /// By id.
    pub tenants: Vec<TenantConfig>,
    /// Warnings to look at.
    pub warnings: Vec<Problem>,
    /// The files that hold secrets, including unreadable ones.
    pub secret_files: Vec<PathBuf>,
    /// The files as they were when read; a different `Fingerprint::of` means that some have changed.
    pub fingerprint: Fingerprint,
}

/// Location of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// As written: `sqlite://ruzhi.db`.
    pub url: String,
    /// The file the URL names, resolved against the configuration's folder.
    pub path: PathBuf,
}

/// Access to `ruzhi serve`.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// The listen address is from the command line, overriding the file.
    pub listen_given: bool,
    /// Public address of the pages, for links in alerts; without it alerts have no links.
    pub url: Option<Url>,
    /// Networks trusted to state the origin of a request; by default this machine.
    pub trusted_proxies: Vec<IpNet>,
    /// `trusted_proxies` is set in the file.
    pub proxies_named: bool,
    /// The people with access. If empty, only this machine has access, and anyone on it is an operator.
    pub people: Vec<PersonSettings>,
}

impl ServerSettings {
    /// Checks whether an address is trusted to state the origin of a request.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}

/// A person with access.
#[derive(Debug, Clone)]
pub struct PersonSettings {
    /// Name in the audit log. `token` belongs to "operator", `viewer_token` to "viewer".
    pub name: String,
    /// Permissions.
    pub role: Role,
    /// The token the person presents.
    pub token: SecretString,
}

/// Permissions of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read only.
    Viewer,
    /// Read and change.
    Operator,
}

impl Role {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::Viewer => Label::new("viewer", "查看者"),
            Self::Operator => Label::new("operator", "操作员"),
        }
    }
}

/// Scheduling of flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// Number of corps whose flows run concurrently.
    pub at_once: u32,
    /// A run that has not begun this long after its time is late.
    pub late_after: Duration,
}

/// Receivers of alerts.
#[derive(Debug, Clone, Default)]
pub struct AlertSettings {
    /// The address of a WeCom group robot; its key is in it.
    pub robot: Option<SecretString>,
    /// An address that receives the alert as JSON.
    pub url: Option<SecretString>,
    /// The language of a robot's messages; both if not set.
    pub lang: Option<Lang>,
}

/// Keys with which WeCom signs its callbacks.
#[derive(Debug, Clone)]
pub struct CallbackSettings {
    /// Token of the callback.
    pub token: SecretString,
    /// EncodingAESKey, 43 characters.
    pub aes_key: SecretString,
}

/// Resource limits of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestSettings {
    /// Linear memory of one instance.
    pub memory_bytes: u64,
    /// Time for one batch.
    pub deadline: Duration,
    /// The folder of compiled components, absolute.
    pub cache: PathBuf,
    /// Bytes of compiled components that are not live; beyond this the least recently used are removed.
    pub cache_limit: u64,
}

/// One factory.
#[derive(Debug, Clone)]
pub struct TenantConfig {
    /// The name of the file without `.toml`.
    pub id: TenantId,
    /// The file, absolute.
    pub file: PathBuf,
    /// Display name.
    pub name: String,
    /// Time zone of dates and schedules.
    pub timezone: Tz,
    /// The directory's service.
    pub wecom: WecomSettings,
    /// The form's service.
    pub jiandaoyun: JiandaoyunSettings,
    /// The limits that hold a plan.
    pub guard: Guard,
    /// The time between disabling and deleting a member who left.
    pub grace: Duration,
    /// Members that are never written.
    pub protected: Vec<UserId>,
    /// How to treat members ruzhi did not create.
    pub existing: ExistingPolicy,
    /// How to treat members who were removed by hand.
    pub removed: RemovedPolicy,
    /// Receivers of alerts in place of the host's.
    pub alerts: Option<AlertSettings>,
    /// At least one.
    pub flows: Vec<FlowConfig>,
}

/// The directory of one corp.
#[derive(Debug, Clone)]
pub struct WecomSettings {
    /// Without `/cgi-bin`.
    pub base_url: Url,
    /// The corp.
    pub corp_id: String,
    /// The secret of the app that writes; empty if and only if secrets were skipped.
    pub secret: SecretString,
    /// The secret of an app that may read members' details; empty if secrets were skipped.
    pub read_secret: Option<SecretString>,
    /// Proxy for outgoing calls.
    pub proxy: Option<Url>,
    /// Number of creates and updates from which a CSV job is used; 0 for never.
    pub batch_from: u32,
    /// Calls per API and minute.
    pub per_minute: u32,
    /// Calls per API and hour.
    pub per_hour: u32,
    /// Concurrent calls.
    pub in_flight: u32,
    /// Keys of the directory's events; events are accepted only if set.
    pub callback: Option<CallbackSettings>,
}

/// The account at the form's service.
#[derive(Debug, Clone)]
pub struct JiandaoyunSettings {
    /// Without `/api`.
    pub base_url: Url,
    /// The key; empty if and only if secrets were skipped.
    pub api_key: SecretString,
    /// Proxy for outgoing calls.
    pub proxy: Option<Url>,
    /// Calls per endpoint and second; `None` for the route's own limit.
    pub per_second: Option<u32>,
}

/// One form into the directory.
#[derive(Debug, Clone)]
pub struct FlowConfig {
    /// Unique in the tenant.
    pub id: FlowId,
    /// Its schedule; `None`: only on request.
    pub schedule: Option<Schedule>,
    /// The form.
    pub source: FlowSource,
    /// The rules.
    pub guest: FlowGuest,
    /// How to treat two records that claim one member.
    pub duplicates: DuplicatePolicy,
    /// How to treat a row missing from a complete collect.
    pub absent: Absent,
    /// Secret that signs JianDaoYun's pushes; pushes are accepted only if set.
    pub push: Option<SecretString>,
    /// The form's fields that receive the outcome of a row.
    pub write_back: Option<WriteBack>,
}

/// The meaning of a row missing from a complete collect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Absent {
    /// None: the row merely claims no member any more.
    #[default]
    Keep,
    /// The person has left.
    Leave,
}

/// The form and the rows to read.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowSource {
    /// The form.
    pub form: FormAddress,
    /// The filter of its rows; `None`: every row.
    pub filter: Option<RowFilter>,
    /// A JSON array of names.
    pub fields: Option<Value>,
    /// The time before the watermark at which an incremental collect begins.
    pub overlap: Duration,
}

/// The rules of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowGuest {
    /// The component, absolute.
    pub component: PathBuf,
    /// The digest the component must have.
    pub sha256: Option<Digest>,
    /// The rules file handed to the guest, absolute.
    pub config: Option<PathBuf>,
    /// Limit on the changes by new rules without a person's approval.
    pub change: ChangeLimit,
}

/// Lookup of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// A missing secret is a problem.
    Resolve,
    /// Secrets stay empty; for commands that call no service.
    Skip,
}

/// Checks beyond the files themselves.
#[derive(Debug, Clone, Copy)]
pub struct Checks {
    /// Lookup of secrets.
    pub secrets: Secrets,
    /// Components and rules files must exist.
    pub files: bool,
}

impl Checks {
    /// Every check.
    pub const ALL: Self = Self { secrets: Secrets::Resolve, files: true };
}
