//! What the files say, as types. Every value is parsed and checked; past this point it is trusted.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use ipnet::IpNet;
use reqwest::Url;
use secrecy::SecretString;
use serde_json::Value;

use super::{Problem, Signature};
pub use ruzhi_model::{ChangeLimit, WriteBack};
use ruzhi_model::{Digest, FlowId, Lang, TenantId, Text, UserId};
pub use ruzhi_plan::{Duplicates, Existing, Guard, Removed};

/// A whole deployment.
#[derive(Debug, Clone)]
pub struct Config {
    /// The configuration's folder, absolute.
    pub dir: PathBuf,
    /// There is a `ruzhi.toml`.
    pub host_written: bool,
    /// Where state is kept.
    pub store: StoreSettings,
    /// How `ruzhi serve` is reached.
    pub server: ServerSettings,
    /// How flows are kept on time.
    pub schedule: ScheduleSettings,
    /// Who is told of what is no matter of one tenant, or of a tenant that names nobody.
    pub alarms: AlarmSettings,
    /// What a guest may use.
    pub guest: GuestSettings,
    /// What no tenant's guard may exceed; the greatest values where the host says nothing. The tenants' guards have
    /// been held to it.
    pub guard_ceiling: Guard,
    /// By id.
    pub tenants: Vec<Tenant>,
    /// What somebody should look at.
    pub warnings: Vec<Problem>,
    /// The files that its secrets are in, also those that could not be read.
    pub secret_files: Vec<PathBuf>,
    /// Its files as they stood when they were read: another `Signature::of` it means that some have changed.
    pub signature: Signature,
}

/// Where state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// As written: `sqlite://ruzhi.db`.
    pub url: String,
    /// The file the URL names, resolved against the configuration's folder.
    pub path: PathBuf,
}

/// How `ruzhi serve` is reached, and by whom.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// The command line says where to listen, whatever the file says.
    pub listen_given: bool,
    /// Where people reach the pages, for links in alarms; without it alarms have no links.
    pub url: Option<Url>,
    /// Networks whose word on where a request is from is taken; this machine's own unless others are named.
    pub trusted_proxies: Vec<IpNet>,
    /// The file names them.
    pub proxies_named: bool,
    /// Whoever may come in. None: only this machine may, and whoever is on it is an operator.
    pub people: Vec<Person>,
}

impl ServerSettings {
    /// Whether the word of an address on where a request is from is taken.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}

/// Somebody who may come in.
#[derive(Debug, Clone)]
pub struct Person {
    /// What they are called in the audit log. `token` is of "operator", `viewer_token` of "viewer".
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What they show.
    pub token: SecretString,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// Look, and change.
    Operator,
}

/// How flows are kept on time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// Corps whose flows run at the same time.
    pub at_once: u32,
    /// A run that has not begun this long after its time is late.
    pub late_after: Duration,
}

/// Who is told.
#[derive(Debug, Clone, Default)]
pub struct AlarmSettings {
    /// The address of a WeCom group robot; its key is in it.
    pub robot: Option<SecretString>,
    /// An address that takes the alarm as JSON.
    pub url: Option<SecretString>,
    /// The language of a robot's messages; both where none is said.
    pub lang: Option<Lang>,
}

/// What WeCom signs its callbacks with.
#[derive(Debug, Clone)]
pub struct CallbackSettings {
    /// Token of the callback.
    pub token: SecretString,
    /// EncodingAESKey, 43 characters.
    pub aes_key: SecretString,
}

/// What a guest may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestSettings {
    /// Linear memory of one instance.
    pub memory_bytes: u64,
    /// Time for one batch.
    pub deadline: Duration,
    /// The folder of compiled components, absolute.
    pub cache: PathBuf,
    /// Bytes of compiled components that are not live, above which the longest unused go.
    pub cache_limit: u64,
}

/// One factory.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The name of the file without `.toml`.
    pub id: TenantId,
    /// The file, absolute.
    pub file: PathBuf,
    /// What people call it.
    pub name: String,
    /// In which dates and schedules are read.
    pub timezone: Tz,
    /// The directory.
    pub wecom: WecomSettings,
    /// The form's service.
    pub jiandaoyun: JiandaoyunSettings,
    /// The limits that hold a plan.
    pub guard: Guard,
    /// The time between disabling and deleting a member who left.
    pub grace: Duration,
    /// Members that are never written.
    pub protected: Vec<UserId>,
    /// On members ruzhi did not create.
    pub existing: Existing,
    /// On members who were removed by hand.
    pub removed: Removed,
    /// Who is told instead of those whom the host tells.
    pub alarms: Option<AlarmSettings>,
    /// At least one.
    pub flows: Vec<Flow>,
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
    /// Through which calls go out.
    pub proxy: Option<Url>,
    /// From this many creates and updates on, write by CSV job; 0 for never.
    pub batch_from: u32,
    /// Calls of one API in a minute.
    pub per_minute: u32,
    /// Calls of one API in an hour.
    pub per_hour: u32,
    /// Calls at the same time.
    pub in_flight: u32,
    /// Events of the directory are taken.
    pub callback: Option<CallbackSettings>,
}

/// The account at the form's service.
#[derive(Debug, Clone)]
pub struct JiandaoyunSettings {
    /// Without `/api`.
    pub base_url: Url,
    /// The key; empty if and only if secrets were skipped.
    pub api_key: SecretString,
    /// Through which calls go out.
    pub proxy: Option<Url>,
    /// Calls of one endpoint in a second; `None` for the route's own limit.
    pub per_second: Option<u32>,
}

/// One form into the directory.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Unique in the tenant.
    pub id: FlowId,
    /// A cron expression of five fields in the tenant's zone that has a next time; `None`: only when asked.
    pub schedule: Option<String>,
    /// The form.
    pub source: Source,
    /// The rules.
    pub guest: FlowGuest,
    /// On two records that claim one member.
    pub duplicates: Duplicates,
    /// On a row that a complete collect does not find.
    pub absent: Absent,
    /// What JianDaoYun signs its pushes with; pushes are taken only where it is known.
    pub push: Option<SecretString>,
    /// Where the outcome of a row is written on the form.
    pub write_back: Option<WriteBack>,
}

/// What a row that a complete collect does not find says of its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Absent {
    /// Nothing: the row no longer claims anybody.
    #[default]
    Keep,
    /// They left.
    Leave,
}

/// Which rows of which form.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// `v1`, `v2`, `v4` or `v5`.
    pub api: String,
    /// 24 hexadecimal digits.
    pub app_id: String,
    /// 24 hexadecimal digits.
    pub entry_id: String,
    /// A JSON object that passed `Checks::filter`, in the spelling it was written.
    pub filter: Option<Value>,
    /// A JSON array of names.
    pub fields: Option<Value>,
    /// How far before the watermark an incremental collect begins.
    pub overlap: Duration,
}

/// Which rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowGuest {
    /// The component, absolute.
    pub component: PathBuf,
    /// The digest the component must have.
    pub sha256: Option<Digest>,
    /// The rules file handed to the guest, absolute.
    pub config: Option<PathBuf>,
    /// How much new rules may change unless a person approves.
    pub change: ChangeLimit,
}

/// Whether secrets are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// A secret that is not there is a problem.
    Resolve,
    /// Secrets stay empty; for commands that call no service.
    Skip,
}

/// What is checked beside the files themselves.
#[derive(Debug, Clone, Copy)]
pub struct Checks {
    /// Whether the form's service understands a filter; the text says why not.
    pub filter: fn(&Value) -> Result<(), Text>,
    /// Whether secrets are looked up.
    pub secrets: Secrets,
    /// Whether components and rules files must be there.
    pub files: bool,
}

impl Checks {
    /// Everything is checked.
    pub fn all(filter: fn(&Value) -> Result<(), Text>) -> Self {
        Self { filter, secrets: Secrets::Resolve, files: true }
    }
}
