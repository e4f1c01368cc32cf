//! From the files of a deployment to flows that can run.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use super::bar::Bar;
use super::exit;
use super::report::{Exchanged, Reports, Show};
use super::speech::{Failure, Speech};
use crate::activation::{By, FlowRules, Live};
use crate::config::{self, Checks, Config, ProcessEnvironment, Secrets};
use crate::guest::{Cache, Engine, Guest, Library, Limits, LoadError};
use crate::model::{Clock, FlowId, MemberKey, RunId, SystemClock, TenantId, Text};
use crate::plan::Policy;
use crate::store::{Access, Artifacts, Sqlite, Store};
use crate::sync::{Flow, FormFields, Progress, Request, RunIds};
use crate::{jiandaoyun, wecom};

/// What a command needs of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Everything: secrets, and files that are there.
    Check,
    /// Secrets. A flow whose files are gone goes on with the rules that are live, and is no matter of the others.
    Run,
    /// What was stored: neither secrets nor components.
    Read,
}

/// Reads the configuration and prints its warnings.
pub(super) fn configuration(dir: &Path, need: Need, speech: &Speech) -> Result<Config, Failure> {
    let checks = match need {
        Need::Check => Checks::all(check_filter),
        Need::Run => Checks { files: false, ..Checks::all(check_filter) },
        Need::Read => Checks { secrets: Secrets::Skip, files: false, ..Checks::all(check_filter) },
    };
    let config = Config::load(dir, &ProcessEnvironment, &checks)?;
    if need != Need::Read {
        for warning in &config.warnings {
            speech.note(warning.render(speech.lang).trim_end());
        }
    }
    Ok(config)
}

fn check_filter(value: &serde_json::Value) -> Result<(), Text> {
    jiandaoyun::Filter::parse(value).map(drop).map_err(|error| error.explain())
}

/// The store of a deployment.
pub(super) async fn store(config: &Config, access: Access) -> Result<Arc<dyn Store>, Failure> {
    if access == Access::Read && !config.store.path.exists() {
        return Err(Failure::new(
            exit::FAILED,
            "store.none",
            Text::new(
                format!("nothing has run here yet: there is no store {}", config.store.path.display()),
                format!("这里尚未运行过：没有存储文件 {}", config.store.path.display()),
            ),
            Some(Text::new(
                "run `ruzhi plan` or `ruzhi sync` first",
                "请先运行 `ruzhi plan` 或 `ruzhi sync`",
            )),
        ));
    }
    Ok(Arc::new(Sqlite::open(&config.store.path, access).await?))
}

/// The components of a deployment. Without a folder for compiled ones everything still works, only slower.
pub(super) fn library(config: &Config, speech: &Speech) -> Result<Library, Failure> {
    let memory = usize::try_from(config.guest.memory_bytes).unwrap_or(usize::MAX);
    let engine = Engine::new(Limits { memory, deadline: config.guest.deadline, ..Limits::default() })?;
    let key = config.store.path.with_extension("cache-key");
    let cache = match Cache::open(&config.guest.cache, &key) {
        Ok(cache) => Some(cache),
        Err(error) => {
            speech.note(format_args!(
                "{} {}: {error}",
                speech.say("warning: no cache of compiled components at", "警告：无法使用组件编译缓存"),
                config.guest.cache.display()
            ));
            None
        }
    };
    Ok(Library::new(engine, cache))
}

/// Loads the guest of a flow.
pub(super) fn guest(library: &Library, flow: &config::Flow) -> Result<Guest, Failure> {
    let component = library.load(&flow.guest.component, flow.guest.sha256.as_ref())?;
    Ok(Guest::with_rules_file(component, flow.guest.config.as_deref())?)
}

/// What a tenant's files offer as the rules of a flow.
pub(super) fn offered(flow: &config::Flow) -> Result<Artifacts, LoadError> {
    let component = Library::read(&flow.guest.component, flow.guest.sha256.as_ref())?;
    Ok(Artifacts { component, config: Guest::read_rules(flow.guest.config.as_deref())? })
}

/// The rules of a flow, in the store of its deployment.
pub(super) fn flow_rules<'a>(
    store: &'a dyn Store,
    library: &'a Library,
    tenant: &'a config::Tenant,
    flow: &'a config::Flow,
    form: Option<&'a FormFields>,
) -> FlowRules<'a> {
    FlowRules {
        store,
        library,
        clock: &SystemClock,
        tenant: &tenant.id,
        flow: &flow.id,
        timezone: tenant.timezone.name(),
        pin: flow.guest.sha256.as_ref(),
        limit: flow.guest.change,
        form,
    }
}

/// The fields of a flow's form, as the form's service tells them.
pub(super) fn form_fields(source: jiandaoyun::Client, flow: &config::Flow) -> Result<FormFields, Failure> {
    Ok(FormFields { source, form: form(flow)?.0 })
}

/// Whoever runs the command, as the machine knows them.
pub(super) fn somebody() -> String {
    ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
        .or_else(|| Some(format!("uid {}", std::fs::metadata("/proc/self").ok()?.uid())))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The client of a tenant's form service.
pub(super) fn source(tenant: &config::Tenant) -> Result<jiandaoyun::Client, Failure> {
    let settings = jiandaoyun::Settings {
        base_url: tenant.jiandaoyun.base_url.clone(),
        api_key: tenant.jiandaoyun.api_key.clone(),
        per_second: tenant.jiandaoyun.per_second,
    };
    jiandaoyun::Client::new(settings, Arc::new(SystemClock)).map_err(|error| {
        Failure::new(
            exit::USAGE,
            error.code(),
            Text::new(error.to_string(), "无法建立与简道云的连接"),
            Some(error.explain()),
        )
    })
}

/// The client of a tenant's directory.
pub(super) fn directory(
    tenant: &config::Tenant,
    secret: &SecretString,
    rates: wecom::Rates,
) -> Result<wecom::Client, Failure> {
    let settings = wecom::Settings {
        base_url: tenant.wecom.base_url.clone(),
        corp_id: tenant.wecom.corp_id.clone(),
        secret: secret.clone(),
        proxy: tenant.wecom.proxy.clone(),
    };
    wecom::Client::new(settings, rates, Arc::new(SystemClock), rand::random()).map_err(|error| {
        Failure::new(
            exit::USAGE,
            error.code(),
            Text::new(error.to_string(), "无法建立与企业微信的连接"),
            Some(error.explain()),
        )
    })
}

/// Every tenant that writes the same corp as this one, this one among them.
fn siblings<'a>(
    config: &'a Config,
    tenant: &'a config::Tenant,
) -> impl Iterator<Item = &'a config::Tenant> + Clone {
    let corp = |tenant: &config::Tenant| (tenant.wecom.base_url.clone(), tenant.wecom.corp_id.clone());
    let wanted = corp(tenant);
    config.tenants.iter().filter(move |other| corp(other) == wanted)
}

/// The rates of a tenant's corp: the strictest of what the tenants that share it say.
pub(super) fn rates(config: &Config, tenant: &config::Tenant) -> wecom::Rates {
    let all = siblings(config, tenant).map(|tenant| &tenant.wecom);
    wecom::Rates::new(wecom::Limits {
        per_minute: all.clone().map(|wecom| wecom.per_minute).min().unwrap_or(1),
        per_hour: all.clone().map(|wecom| wecom.per_hour).min().unwrap_or(1),
        in_flight: all.map(|wecom| wecom.in_flight).min().unwrap_or(1) as usize,
    })
}

/// The form of a flow and which of its rows.
pub(super) fn form(flow: &config::Flow) -> Result<(jiandaoyun::Form, Option<jiandaoyun::Filter>), Failure> {
    let wrong = |text: Text| Failure::new(exit::USAGE, "config", text, None);
    let api = flow
        .source
        .api
        .parse()
        .map_err(|_| wrong(Text::new("`api` is not v1, v2, v4 or v5", "`api` 不是 v1、v2、v4 或 v5")))?;
    let filter = match &flow.source.filter {
        Some(value) => jiandaoyun::Filter::parse(value).map_err(|error| wrong(error.explain()))?,
        None => None,
    };
    let form =
        jiandaoyun::Form { api, app_id: flow.source.app_id.clone(), entry_id: flow.source.entry_id.clone() };
    Ok((form, filter))
}

/// Run ids from the moment and chance.
struct RandomRunIds;

impl RunIds for RandomRunIds {
    fn next(&self, at: DateTime<Utc>) -> RunId {
        let salt: u32 = rand::random();
        let text = format!("r{}-{:06x}", at.format("%Y%m%dT%H%M%S%3f"), salt & 0x00ff_ffff);
        #[expect(clippy::expect_used, reason = "digits, letters and one hyphen are a valid id")]
        text.parse().expect("a run id")
    }
}

/// The clients of a tenant.
#[derive(Clone)]
struct Clients {
    source: jiandaoyun::Client,
    directory: wecom::Client,
    reader: Option<wecom::Client>,
}

/// What a command runs once for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Each {
    /// Every flow.
    Flow,
    /// Every tenant, by its first flow.
    Tenant,
}

/// Everything the flows of a command share: the store, the components, one client of each service per tenant, the rates
/// of each corp.
pub(super) struct Deployment {
    config: Config,
    pub(super) store: Arc<dyn Store>,
    library: Library,
    clients: BTreeMap<TenantId, Clients>,
    rates: BTreeMap<TenantId, wecom::Rates>,
}

impl Deployment {
    /// Opens a deployment for running its flows.
    pub(super) async fn open(dir: &Path, speech: &Speech) -> Result<Self, Failure> {
        let config = configuration(dir, Need::Run, speech)?;
        let store = store(&config, Access::Write).await?;
        let library = library(&config, speech)?;
        Ok(Self { config, store, library, clients: BTreeMap::new(), rates: BTreeMap::new() })
    }

    /// Runs each flow of a target and reports what each came to. One that cannot run does not keep the others from
    /// running. Flows of one corp all read their forms before the first of them plans: who leaves one and joins another
    /// moves.
    pub(super) async fn run_each(
        mut self,
        each: Each,
        target: Option<&str>,
        speech: &Speech,
        show: Show,
        request: Request,
    ) -> Result<ExitCode, Failure> {
        let config = self.config.clone();
        let mut reports = Reports::new(speech, show);
        let mut waiting = config.select(target)?;
        if each == Each::Tenant {
            waiting.dedup_by_key(|(tenant, _)| &tenant.id);
        }
        while let Some((first, _)) = waiting.first() {
            let corp: Vec<&TenantId> = siblings(&config, first).map(|tenant| &tenant.id).collect();
            let (together, later) =
                waiting.into_iter().partition::<Vec<_>, _>(|(tenant, _)| corp.contains(&&tenant.id));
            waiting = later;
            self.run_together(&together, speech, &mut reports, &request).await;
        }
        self.store.close().await;
        Ok(reports.finish())
    }

    async fn run_together(
        &mut self,
        chosen: &[(&config::Tenant, &config::Flow)],
        speech: &Speech,
        reports: &mut Reports<'_>,
        request: &Request,
    ) {
        let bar = Arc::new(Bar::new(speech));
        let mut flows = Vec::with_capacity(chosen.len());
        for (tenant, flow) in chosen {
            flows.push((*tenant, *flow, self.flow(tenant, flow, bar.clone()).await));
        }
        let mut begun = Vec::with_capacity(flows.len());
        for (tenant, flow, ready) in &flows {
            begun.push(match ready {
                Ok((ready, exchanged)) => {
                    (*tenant, *flow, Ok((ready.begin(request.clone()).await, exchanged.clone())))
                }
                Err(failure) => (*tenant, *flow, Err(failure)),
            });
        }
        for (tenant, flow, begun) in begun {
            match begun {
                Ok((begun, exchanged)) => {
                    let report = begun.finish().await;
                    bar.clear();
                    reports.add(tenant, report, exchanged, self.store.as_ref()).await;
                }
                Err(failure) => {
                    bar.clear();
                    reports.refuse(tenant, flow, failure.clone());
                }
            }
        }
    }

    fn clients(&mut self, tenant: &config::Tenant) -> Result<Clients, Failure> {
        if let Some(clients) = self.clients.get(&tenant.id) {
            return Ok(clients.clone());
        }
        let shared = siblings(&self.config, tenant).find_map(|other| self.rates.get(&other.id)).cloned();
        let rates = shared.unwrap_or_else(|| rates(&self.config, tenant));
        self.rates.insert(tenant.id.clone(), rates.clone());
        let reader = tenant.wecom.read_secret.as_ref();
        let clients = Clients {
            source: source(tenant)?,
            directory: directory(tenant, &tenant.wecom.secret, rates.clone())?,
            reader: reader.map(|secret| directory(tenant, secret, rates)).transpose()?,
        };
        self.clients.insert(tenant.id.clone(), clients.clone());
        Ok(clients)
    }

    /// A flow, ready to run, and what has become of its rules.
    async fn flow(
        &mut self,
        tenant: &config::Tenant,
        flow: &config::Flow,
        progress: Arc<dyn Progress>,
    ) -> Result<(Flow, Exchanged), Failure> {
        let Clients { source, directory, reader } = self.clients(tenant)?;
        let (form, filter) = form(flow)?;
        let by = By { who: somebody(), why: None };
        let fields = form_fields(source.clone(), flow)?;
        let rules = flow_rules(self.store.as_ref(), &self.library, tenant, flow, Some(&fields));
        let Live { guest, activation, exchanged, kept } = rules.live(offered(flow), &by).await?;
        let changed = Exchanged { kept: kept.map(Failure::from), activated: exchanged.then_some(activation) };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let span = |duration| TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        let ready = Flow {
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
            directory,
            reader,
            in_flight: tenant.wecom.in_flight as usize,
            policy: Policy {
                duplicates: flow.duplicates,
                existing: tenant.existing,
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
            run_ids: Arc::new(RandomRunIds),
            progress,
        };
        Ok((ready, changed))
    }
}

/// The tenant and flow a target narrows a listing to; a target that names nothing is refused.
pub(super) fn narrowed<'a>(
    config: &'a Config,
    target: Option<&str>,
) -> Result<(Option<&'a TenantId>, Option<&'a FlowId>), Failure> {
    let Some(target) = target else { return Ok((None, None)) };
    let chosen = config.select(Some(target))?;
    let (tenant, flow) = match chosen.first() {
        Some((tenant, flow)) => (Some(&tenant.id), Some(&flow.id)),
        None => (None, None),
    };
    Ok((tenant, flow.filter(|_| target.contains('/'))))
}
