//! The settings in use, and how the files on disk differ.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use super::rules::{FileDigests, OfferedRules};
use crate::app::App;
use ruzhi_config::{self as config, Absent, AlertSettings, DuplicatePolicy, Guard, Problem, Role};
use ruzhi_jiandaoyun::RowFilter;
use ruzhi_message::Report;
use ruzhi_model::{FlowId, Lang, TenantId, Text};

/// The settings in use. A secret is reported only as set or not set.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SettingsView {
    /// The program's version.
    pub version: String,
    /// The start of the app.
    pub started_at: DateTime<Utc>,
    /// The configuration's folder.
    pub dir: String,
    /// The comparison with the files on disk.
    pub configuration: ConfigurationStatus,
    /// Addresses and people.
    pub server: ServerView,
    /// The store's file.
    pub store: String,
    /// Number of corps whose flows run at the same time.
    pub at_once: u32,
    /// Seconds after its time until a run that has not begun is late.
    pub late_after_seconds: u64,
    /// The host's alerts: `robot` and `url`, each set or not set.
    pub alerts: AlertsView,
    /// Memory of one instance of a guest, in bytes.
    pub guest_memory_bytes: u64,
    /// Milliseconds a guest has for one batch.
    pub guest_deadline_ms: u64,
    /// The tenants, by id.
    pub tenants: Vec<TenantSettings>,
}

/// The comparison of the settings in use with the files on disk.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConfigurationStatus {
    /// True if everything in the files is in use.
    pub in_use: bool,
    /// The reason some of it is not.
    #[schema(value_type = Option<Object>)]
    pub error: Option<Report>,
    /// The problems, each with its place in the files.
    pub problems: Vec<ProblemView>,
    /// Settings that are in use but should be reviewed.
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
    /// A description of the problem.
    pub text: Text,
    /// Advice on the next step.
    pub hint: Option<Text>,
}

/// The addresses of the app, and the people who may log in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ServerView {
    /// Address and port.
    pub listen: String,
    /// The address of the pages for people.
    pub url: Option<String>,
    /// The people who may log in; if empty, anyone on this machine has access.
    pub people: Vec<PersonView>,
}

/// A person who may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonView {
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
}

/// Alert settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlertsView {
    /// A group robot is set.
    pub robot: bool,
    /// An address is set.
    pub url: bool,
    /// `en` or `zh`; both languages if none.
    pub lang: Option<String>,
}

/// A tenant's settings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TenantSettings {
    /// The tenant.
    pub id: TenantId,
    /// Its display name.
    pub name: String,
    /// The file.
    pub file: String,
    /// An IANA name.
    pub timezone: String,
    /// The corp.
    pub corp_id: String,
    /// WeCom's address.
    pub wecom: String,
    /// True if it is reached through a proxy.
    pub proxy: bool,
    /// The secrets, by key in the file.
    pub secrets: Vec<SecretView>,
    /// JianDaoYun's address.
    pub jiandaoyun: String,
    /// True if it is reached through a proxy.
    pub jiandaoyun_proxy: bool,
    /// Calls per minute of one WeCom API.
    pub per_minute: u32,
    /// Calls per hour of one WeCom API.
    pub per_hour: u32,
    /// Calls at the same time.
    pub in_flight: u32,
    /// Number of creates and updates from which they are written by CSV job; 0 for never.
    pub batch_from: u32,
    /// The limits beyond which a plan is held, by key in the file; null for no limit.
    pub guard: Vec<LimitView>,
    /// Days between disabling and deleting a member who left.
    pub grace_days: u64,
    /// Members that are never changed.
    pub protected: Vec<String>,
    /// The tenant's own alerts; if none, the host's apply.
    pub alerts: Option<AlertsView>,
    /// The flows, by id.
    pub flows: Vec<FlowSettings>,
}

/// A secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SecretView {
    /// Its key in the file, such as `wecom.secret`.
    pub key: String,
    /// True if it is set.
    pub set: bool,
}

/// A limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LimitView {
    /// Its key in the file.
    pub key: String,
    /// The limit; none if unlimited.
    pub most: Option<u32>,
}

/// A flow's settings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlowSettings {
    /// The flow.
    pub id: FlowId,
    /// Its cron expression.
    pub schedule: Option<String>,
    /// The form: API version, application and form.
    pub form: String,
    /// The filter on its rows; none for all.
    #[schema(value_type = Option<Object>)]
    pub filter: Option<serde_json::Value>,
    /// Seconds before the watermark at which an incremental collect begins.
    pub overlap_seconds: u64,
    /// The policy for two records that claim one member, as in the file.
    pub duplicates: String,
    /// The policy for a row missing from a complete collect, as in the file.
    pub absent: String,
    /// True if pushes are accepted: their secret is set.
    pub push: bool,
    /// The field that receives the outcome of a row.
    pub write_back: Option<String>,
    /// The rules in its files, compared with the live ones.
    pub rules: OfferedRules,
}

/// Returns the settings in use.
pub async fn settings(app: &App) -> Result<SettingsView, Report> {
    let deployment = app.deployment();
    let config = &deployment.config;
    let invalid = app.invalid();
    let mut files = FileDigests::default();
    let mut tenants = Vec::new();
    for tenant in &config.tenants {
        let mut flows = Vec::new();
        for flow in &tenant.flows {
            let live = app.store.activations_list(&tenant.id, &flow.id, 1).await?;
            flows.push(of_flow(flow, files.beside(flow, live.first()).await));
        }
        tenants.push(of_tenant(tenant, flows));
    }
    Ok(SettingsView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: app.started_at,
        dir: config.dir.display().to_string(),
        configuration: ConfigurationStatus {
            in_use: invalid.is_none(),
            problems: invalid
                .as_ref()
                .and_then(Report::problems)
                .map(|problems| problems.list.iter().map(of_problem).collect())
                .unwrap_or_default(),
            error: invalid,
            warnings: config.warnings.iter().map(of_problem).collect(),
        },
        server: ServerView {
            listen: config.server.listen.to_string(),
            url: config.server.url.as_ref().map(ToString::to_string),
            people: config
                .server
                .people
                .iter()
                .map(|person| PersonView { name: person.name.clone(), role: person.role })
                .collect(),
        },
        store: config.store.path.display().to_string(),
        at_once: config.schedule.at_once,
        late_after_seconds: config.schedule.late_after.as_secs(),
        alerts: of_alerts(&config.alerts),
        guest_memory_bytes: config.guest.memory_bytes,
        guest_deadline_ms: u64::try_from(config.guest.deadline.as_millis()).unwrap_or(u64::MAX),
        tenants,
    })
}

fn of_problem(problem: &Problem) -> ProblemView {
    ProblemView {
        file: problem.file.display().to_string(),
        line: problem.line,
        column: problem.column,
        source_line: problem.source_line.clone(),
        text: problem.text.clone(),
        hint: problem.hint.clone(),
    }
}

fn of_alerts(alerts: &AlertSettings) -> AlertsView {
    AlertsView {
        robot: alerts.robot.is_some(),
        url: alerts.url.is_some(),
        lang: alerts.lang.map(|lang| if lang == Lang::Zh { "zh" } else { "en" }.to_owned()),
    }
}

fn of_tenant(tenant: &config::TenantConfig, flows: Vec<FlowSettings>) -> TenantSettings {
    let (wecom, jiandaoyun) = (&tenant.wecom, &tenant.jiandaoyun);
    let secret = |key: &str, set: bool| SecretView { key: key.to_owned(), set };
    TenantSettings {
        id: tenant.id.clone(),
        name: tenant.name.clone(),
        file: tenant.file.display().to_string(),
        timezone: tenant.timezone.name().to_owned(),
        corp_id: wecom.corp_id.clone(),
        wecom: wecom.base_url.to_string(),
        proxy: wecom.proxy.is_some(),
        secrets: vec![
            secret("wecom.secret", is_set(&wecom.secret)),
            secret("wecom.read_secret", wecom.read_secret.as_ref().is_some_and(is_set)),
            secret("wecom.callback", wecom.callback.is_some()),
            secret("jiandaoyun.api_key", is_set(&jiandaoyun.api_key)),
        ],
        jiandaoyun: jiandaoyun.base_url.to_string(),
        jiandaoyun_proxy: jiandaoyun.proxy.is_some(),
        per_minute: wecom.per_minute,
        per_hour: wecom.per_hour,
        in_flight: wecom.in_flight,
        batch_from: wecom.batch_from,
        guard: of_guard(&tenant.guard),
        grace_days: tenant.grace.as_secs() / 86_400,
        protected: tenant.protected.iter().map(ToString::to_string).collect(),
        alerts: tenant.alerts.as_ref().map(of_alerts),
        flows,
    }
}

fn of_guard(guard: &Guard) -> Vec<LimitView> {
    let limits = [
        ("leave_percent", guard.leave_percent),
        ("leave_least", guard.leave_least),
        ("leave_most", guard.leave_most),
        ("leave_day_percent", guard.leave_day_percent),
        ("leave_day_most", guard.leave_day_most),
        ("leave_week_percent", guard.leave_week_percent),
        ("leave_week_most", guard.leave_week_most),
        ("create_most", guard.create_most),
        ("update_most", guard.update_most),
    ];
    limits
        .map(|(key, most)| LimitView { key: key.to_owned(), most: (most < u32::MAX).then_some(most) })
        .into()
}

fn of_flow(flow: &config::FlowConfig, rules: OfferedRules) -> FlowSettings {
    FlowSettings {
        id: flow.id.clone(),
        schedule: flow.schedule.as_ref().map(ToString::to_string),
        form: {
            let form = &flow.source.form;
            format!("{} {}/{}", form.api, form.app_id, form.entry_id)
        },
        filter: flow.source.filter.as_ref().map(RowFilter::template),
        overlap_seconds: flow.source.overlap.as_secs(),
        duplicates: match flow.duplicates {
            DuplicatePolicy::Reject => "reject",
            DuplicatePolicy::Newest => "newest",
        }
        .to_owned(),
        absent: match flow.absent {
            Absent::Keep => "keep",
            Absent::Leave => "leave",
        }
        .to_owned(),
        push: flow.push.is_some(),
        write_back: flow.write_back.as_ref().map(|write_back| write_back.outcome.clone()),
        rules,
    }
}

fn is_set(secret: &SecretString) -> bool {
    !secret.expose_secret().is_empty()
}
