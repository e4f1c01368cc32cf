//! Turns the files of a deployment into flows that can run: the clients of each tenant, the rates of each corp, and
//! the live rules.
//!
//! A command creates one for its lifetime. `ruzhi serve` derives a new one whenever the files change (`with`): a
//! tenant with unchanged connections keeps its clients, and with them its token, its rates and its connections.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;

use crate::ids::TimeOrderedRunIds;
use ruzhi_config::{self as config, Checks, Config};
use ruzhi_guest_runtime::{ComponentRegistry, Guest, GuestLoadError};
use ruzhi_jiandaoyun as jiandaoyun;
use ruzhi_message::{Report, ReportKind, exit};
use ruzhi_model::{Clock, Digest, FlowId, MemberKey, SystemClock, TenantId, Text};
use ruzhi_plan::Policy;
use ruzhi_rules::{ActiveRules, ChangeAuthor, FlowRules, this_process};
use ruzhi_store::{ActivationRow, Artifacts, Database, FirstUse, UseState};
use ruzhi_sync::{FlowRuntime, FormFields, Progress};
use ruzhi_wecom as wecom;

/// The checks on the configuration before running flows. A flow with missing files keeps its live rules.
pub fn checks() -> Checks {
    Checks { files: false, ..Checks::ALL }
}

/// Loads the guest of a flow.
pub fn guest(registry: &ComponentRegistry, flow: &config::FlowConfig) -> Result<Guest, Report> {
    let component = registry.load(&flow.guest.component, flow.guest.sha256.as_ref())?;
    Ok(Guest::with_rules_file(component, flow.guest.config.as_deref())?)
}

/// The rules in a tenant's files for a flow.
pub fn offered(flow: &config::FlowConfig) -> Result<Artifacts, GuestLoadError> {
    let component = ComponentRegistry::read(&flow.guest.component, flow.guest.sha256.as_ref())?;
    Ok(Artifacts { component, config: Guest::read_rules(flow.guest.config.as_deref())? })
}

/// The rules of a flow, in the store of its deployment.
pub fn flow_rules<'a>(
    store: &'a Database,
    registry: &'a ComponentRegistry,
    tenant: &'a config::TenantConfig,
    flow: &'a config::FlowConfig,
    form: Option<&'a FormFields>,
) -> FlowRules<'a> {
    FlowRules {
        store,
        registry,
        clock: &SystemClock,
        tenant: &tenant.id,
        flow: &flow.id,
        timezone: tenant.timezone.name(),
        pin: flow.guest.sha256.as_ref(),
        limit: flow.guest.change,
        form,
    }
}

/// The fields of a flow's form, as listed by the form's service.
pub fn form_fields(source: jiandaoyun::FormClient, flow: &config::FlowConfig) -> FormFields {
    FormFields { source, form: flow.source.form.clone() }
}

/// The exit code for a client that could not be set up: the settings are at fault, unless the process has too many
/// open files.
fn fault(is_out_of_files: bool) -> u8 {
    if is_out_of_files { exit::FAILED } else { exit::USAGE }
}

/// The client of a tenant's form service.
pub fn source(tenant: &config::TenantConfig) -> Result<jiandaoyun::FormClient, Report> {
    let settings = jiandaoyun::FormClientSettings {
        base_url: tenant.jiandaoyun.base_url.clone(),
        api_key: tenant.jiandaoyun.api_key.clone(),
        proxy: tenant.jiandaoyun.proxy.clone(),
        per_second: tenant.jiandaoyun.per_second,
    };
    jiandaoyun::FormClient::new(settings, Arc::new(SystemClock)).map_err(|error| {
        Report::new(
            fault(error.is_out_of_files()),
            error.code(),
            Text::new(error.to_string(), "无法建立与简道云的连接"),
            Some(error.explain()),
        )
    })
}

/// The client of a tenant's directory.
pub fn directory(
    tenant: &config::TenantConfig,
    secret: &SecretString,
    rates: wecom::Rates,
    quit: CancellationToken,
) -> Result<wecom::WecomClient, Report> {
    let settings = wecom::WecomClientSettings {
        base_url: tenant.wecom.base_url.clone(),
        corp_id: tenant.wecom.corp_id.clone(),
        secret: secret.clone(),
        proxy: tenant.wecom.proxy.clone(),
        quit,
    };
    #[expect(clippy::disallowed_methods, reason = "the seed that the client is given")]
    let seed = rand::random();
    wecom::WecomClient::new(settings, rates, Arc::new(SystemClock), seed).map_err(|error| {
        Report::new(
            fault(error.is_out_of_files()),
            error.code(),
            Text::new(error.to_string(), "无法建立与企业微信的连接"),
            Some(error.explain()),
        )
    })
}

fn corp(tenant: &config::TenantConfig) -> CorpKey {
    (tenant.wecom.base_url.to_string(), tenant.wecom.corp_id.clone())
}

/// Every tenant that writes the same corp, including this one.
pub fn siblings<'a>(
    config: &'a Config,
    tenant: &'a config::TenantConfig,
) -> impl Iterator<Item = &'a config::TenantConfig> + Clone {
    let wanted = corp(tenant);
    config.tenants.iter().filter(move |other| corp(other) == wanted)
}

/// The limits of a tenant's corp: the strictest of those set by the tenants that share it.
fn limits(config: &Config, tenant: &config::TenantConfig) -> wecom::RateLimits {
    let all = siblings(config, tenant).map(|tenant| &tenant.wecom);
    wecom::RateLimits {
        per_minute: all.clone().map(|wecom| wecom.per_minute).min().unwrap_or(1),
        per_hour: all.clone().map(|wecom| wecom.per_hour).min().unwrap_or(1),
        in_flight: all.map(|wecom| wecom.in_flight).min().unwrap_or(1) as usize,
    }
}

/// The rates of a tenant's corp, for callers with a single client.
pub fn rates(config: &Config, tenant: &config::TenantConfig) -> wecom::Rates {
    wecom::Rates::new(limits(config, tenant))
}

/// The clients of a tenant.
#[derive(Clone)]
pub struct Clients {
    /// For its forms.
    pub source: jiandaoyun::FormClient,
    /// For its directory.
    pub directory: wecom::WecomClient,
    /// A second credential that may read members' fields.
    pub reader: Option<wecom::WecomClient>,
}

/// The outcome of exchanging a flow's rules before its run.
#[derive(Debug, Clone, Default)]
pub struct RulesExchange {
    /// The reason the rules in the tenant's files are not live.
    pub kept: Option<Report>,
    /// The files held new rules, which went live.
    pub activated: Option<ActivationRow>,
}

/// A corp: its service's address, and its id there.
type CorpKey = (String, String);

/// The error for an unknown flow.
pub fn no_flow(tenant: &TenantId, flow: &FlowId) -> Report {
    Report::new(
        exit::USAGE,
        "flow.unknown",
        Text::new(format!("{tenant} has no flow {flow}"), format!("{tenant} 没有同步流 {flow}")),
        Some(Text::new("`ruzhi status` lists the flows", "`ruzhi status` 会列出同步流")),
    )
    .of_kind(ReportKind::Unknown)
    .on_page(Some(Text::new("the overview lists the flows that run", "概览页列出了各同步流")))
}

/// Everything the flows of a process share: the store, the components, one client of each service per tenant, the
/// rates of each corp.
pub struct Deployment {
    /// The configuration read from the files.
    pub config: Config,
    /// The stored state.
    pub store: Arc<Database>,
    /// The components.
    pub registry: Arc<ComponentRegistry>,
    /// Cancelled when the process is to end.
    pub quit: CancellationToken,
    /// Each with a digest of the settings it was made from.
    clients: Mutex<BTreeMap<TenantId, (Digest, Clients)>>,
    rates: Mutex<BTreeMap<CorpKey, (wecom::RateLimits, wecom::Rates)>>,
}

/// Rules live within this time are likely to be rolled back to.
const LIVE_LATELY: TimeDelta = TimeDelta::days(30);

impl Deployment {
    /// A deployment whose clients are created on demand.
    pub fn new(
        config: Config,
        store: Arc<Database>,
        registry: Arc<ComponentRegistry>,
        quit: CancellationToken,
    ) -> Self {
        Self { config, store, registry, quit, clients: Mutex::default(), rates: Mutex::default() }
    }

    /// The same deployment under another configuration.
    pub fn with(&self, config: Config) -> Self {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            config,
            store: Arc::clone(&self.store),
            registry: Arc::clone(&self.registry),
            quit: self.quit.clone(),
            clients: Mutex::new(clients),
            rates: Mutex::new(rates),
        }
    }

    /// A tenant of the configuration.
    pub fn tenant(&self, tenant: &TenantId) -> Result<&config::TenantConfig, Report> {
        self.config.tenant(tenant).ok_or_else(|| {
            Report::new(
                exit::USAGE,
                "tenant.unknown",
                Text::new(format!("there is no tenant {tenant}"), format!("没有工厂 {tenant}")),
                Some(Text::new(
                    "`ruzhi status` lists the flows of each",
                    "`ruzhi status` 会列出各工厂的同步流",
                )),
            )
            .of_kind(ReportKind::Unknown)
            .on_page(Some(Text::new("the overview lists the tenants that run", "概览页列出了各工厂")))
        })
    }

    /// A flow of the configuration, with its tenant.
    pub fn find(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
    ) -> Result<(&config::TenantConfig, &config::FlowConfig), Report> {
        let of = self.tenant(tenant)?;
        let found = of.flows.iter().find(|known| known.id == *flow);
        Ok((of, found.ok_or_else(|| no_flow(tenant, flow))?))
    }

    /// The clients of a tenant, recreated if its settings have changed.
    pub fn clients(&self, tenant: &config::TenantConfig) -> Result<Clients, Report> {
        let limits = limits(&self.config, tenant);
        let settings = connection(tenant, limits);
        let mut made = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, clients)) = made.get(&tenant.id).filter(|(of, _)| *of == settings) {
            return Ok(clients.clone());
        }
        let rates = {
            let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
            let known =
                rates.get(&corp(tenant)).filter(|(of, _)| *of == limits).map(|(_, rates)| rates.clone());
            let corps = known.unwrap_or_else(|| wecom::Rates::new(limits));
            rates.insert(corp(tenant), (limits, corps.clone()));
            corps
        };
        let reader = tenant.wecom.read_secret.as_ref();
        let clients = Clients {
            source: source(tenant)?,
            directory: directory(tenant, &tenant.wecom.secret, rates.clone(), self.quit.clone())?,
            reader: reader.map(|secret| directory(tenant, secret, rates, self.quit.clone())).transpose()?,
        };
        made.insert(tenant.id.clone(), (settings, clients.clone()));
        Ok(clients)
    }

    /// Removes compiled components that are unlikely to be loaded again. Components live now or lately stay.
    pub async fn prune_cache(&self) {
        let since = SystemClock.now() - LIVE_LATELY;
        let live = match self.store.components_list_live(since).await {
            Ok(live) => live,
            Err(error) => {
                return tracing::warn!(%error, "the cache of compiled components could not be pruned");
            }
        };
        let (registry, most) = (Arc::clone(&self.registry), self.config.guest.cache_limit);
        let removed = tokio::task::spawn_blocking(move || registry.prune(&live, most)).await;
        if let Ok(removed @ 1..) = removed {
            tracing::info!(removed, "removed unused compiled components");
        }
    }

    /// A flow, ready to run, and the outcome of exchanging its rules. `by` is the person recorded if new rules in the
    /// tenant's files go live.
    pub async fn flow(
        &self,
        tenant: &config::TenantConfig,
        flow: &config::FlowConfig,
        by: &ChangeAuthor,
        progress: Arc<dyn Progress>,
    ) -> Result<(FlowRuntime, RulesExchange), Report> {
        let Clients { source, directory, reader } = self.clients(tenant)?;
        let config::FlowSource { form, filter, .. } = flow.source.clone();
        let fields = form_fields(source.clone(), flow);
        let rules = flow_rules(self.store.as_ref(), &self.registry, tenant, flow, Some(&fields));
        let ActiveRules { guest, activation, exchanged, kept } = rules.live(offered(flow), by).await?;
        let first_use = self.store.first_use_find(guest.rules()).await?;
        let first_use = first_use.filter(|first_use| first_use.state == UseState::Loaded);
        let first_use =
            first_use.map(|loaded| FirstUse { state: UseState::Trying, process: this_process(), ..loaded });
        let changed =
            RulesExchange { kept: kept.map(Report::from), activated: exchanged.then_some(activation) };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let span = |duration| TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        let ready = FlowRuntime {
            tenant: tenant.id.clone(),
            siblings: siblings(&self.config, tenant).map(|tenant| tenant.id.clone()).collect(),
            id: flow.id.clone(),
            absent_leaves: flow.absent == config::Absent::Leave,
            batch_from: tenant.wecom.batch_from,
            timezone: tenant.timezone.name().to_owned(),
            form,
            filter,
            overlap: span(flow.source.overlap),
            source,
            guest,
            first_use,
            directory,
            reader,
            in_flight: tenant.wecom.in_flight as usize,
            policy: Policy {
                duplicates: flow.duplicates,
                existing: tenant.existing,
                removed: tenant.removed,
                protected: siblings(&self.config, tenant)
                    .flat_map(|tenant| &tenant.protected)
                    .map(|userid| MemberKey::of(userid.as_str()))
                    .collect(),
                grace: span(tenant.grace),
                guard: tenant.guard,
                retry: false,
            },
            store: Arc::clone(&self.store),
            clock,
            write_back: flow.write_back.clone(),
            run_ids: Arc::new(TimeOrderedRunIds),
            quit: self.quit.clone(),
            progress,
        };
        Ok((ready, changed))
    }
}

/// Digest of everything a service may reject about a flow: once it changes, the service may be called again.
pub fn settings_of(config: &Config, tenant: &config::TenantConfig, flow: &config::FlowConfig) -> String {
    let connection = connection(tenant, limits(config, tenant));
    Digest::of_parts([connection.as_str().as_bytes(), format!("{:?}", flow.source).as_bytes()]).to_string()
}

/// A digest of the settings of a tenant's connections, compared and kept in memory only.
fn connection(tenant: &config::TenantConfig, limits: wecom::RateLimits) -> Digest {
    let (wecom, jiandaoyun) = (&tenant.wecom, &tenant.jiandaoyun);
    let read_secret = wecom.read_secret.as_ref().map(|secret| secret.expose_secret()).unwrap_or_default();
    let through = |proxy: &Option<reqwest::Url>| proxy.as_ref().map(ToString::to_string).unwrap_or_default();
    Digest::of_parts([
        wecom.base_url.as_str().as_bytes(),
        wecom.corp_id.as_bytes(),
        wecom.secret.expose_secret().as_bytes(),
        read_secret.as_bytes(),
        through(&wecom.proxy).as_bytes(),
        format!("{limits:?}").as_bytes(),
        jiandaoyun.base_url.as_str().as_bytes(),
        jiandaoyun.api_key.expose_secret().as_bytes(),
        through(&jiandaoyun.proxy).as_bytes(),
        format!("{:?}", jiandaoyun.per_second).as_bytes(),
    ])
}
