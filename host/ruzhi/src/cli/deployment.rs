//! Opens the files of a deployment as flows that can run.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::bar::Bar;
use super::report::{Reports, RunOutcome, Show};
use super::running_server::RunningServer;
use super::speech::Speech;
use super::terminal;
use ruzhi_app::audit::AuditRequest;
use ruzhi_app::deployment::{self, Deployment, siblings};
use ruzhi_config::{self as config, Checks, Config, ProcessEnvironment, Secrets};
use ruzhi_guest_runtime::{Cache, Engine, Library, Limits, Rehearsal};
use ruzhi_message::{Failure, exit};
use ruzhi_model::{FlowId, TenantId, Text};
use ruzhi_rules::ChangeAuthor;
use ruzhi_store::{Access, Database};
use ruzhi_sync::RunTask;

/// The part of the configuration a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Secrets. A flow with missing files keeps its live rules and does not affect the others.
    Run,
    /// Stored data only: neither secrets nor components.
    Read,
}

/// Reads the configuration and prints its warnings.
pub(super) fn configuration(dir: &Path, need: Need, speech: &Speech) -> Result<Config, Failure> {
    let checks = match need {
        Need::Run => deployment::checks(),
        Need::Read => Checks { secrets: Secrets::Skip, ..deployment::checks() },
    };
    let config = Config::load(dir, &ProcessEnvironment, &checks)?;
    if need != Need::Read {
        warn(&config, speech);
    }
    Ok(config)
}

/// Prints the warnings of a configuration.
pub(super) fn warn(config: &Config, speech: &Speech) {
    for warning in &config.warnings {
        speech.note(warning.render(speech.lang).trim_end());
    }
}

/// The store of a deployment.
pub(super) async fn store(config: &Config, access: Access) -> Result<Arc<Database>, Failure> {
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
    Ok(Arc::new(Database::open(&config.store.path, access).await?))
}

/// Tries new components in a separate process.
pub(super) fn rehearsal() -> Result<Rehearsal, Failure> {
    Rehearsal::of_this_program().map_err(|error| Failure::io("find this program", "查找本程序", &error))
}

/// The components of a deployment. Without a cache folder everything still works, only slower.
pub(super) fn library(config: &Config, speech: &Speech) -> Result<Library, Failure> {
    let memory = usize::try_from(config.guest.memory_bytes).unwrap_or(usize::MAX);
    let engine = Engine::new(Limits { memory, deadline: config.guest.deadline, ..Limits::default() })?
        .rehearsing(rehearsal()?);
    let key = config.store.path.with_extension("cache-key");
    let cache = match Cache::open(&config.guest.cache, &key) {
        Ok(cache) => {
            note_exposed(&cache, &key, speech);
            Some(cache)
        }
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

/// Warns that others may have read the key of the compiled components.
fn note_exposed(cache: &Cache, key: &Path, speech: &Speech) {
    let Some(mode) = cache.exposed() else { return };
    speech.note(format_args!(
        "{} {} ({mode:o}); {}",
        speech.say(
            "warning: others could read or write the key of the compiled components,",
            "警告：其他用户可读取或写入组件编译缓存的密钥"
        ),
        key.display(),
        speech
            .say("it is made anew and every component compiled again", "已重新生成密钥，所有组件将重新编译"),
    ));
}

/// The unit a command runs once for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Each {
    /// Every flow.
    Flow,
    /// Every tenant, by its first flow.
    Tenant,
}

/// The result of a command's runs.
pub(super) struct Ran {
    /// As a word of the audit log.
    pub(super) outcome: String,
    /// The exit code.
    pub(super) code: ExitCode,
}

/// The deployment in a folder, opened by a command that runs flows.
pub(super) struct Opened(pub(super) Deployment);

impl Opened {
    /// Opens the deployment of a configuration; no other process may run its flows meanwhile.
    pub(super) async fn of(config: Config, speech: &Speech) -> Result<Self, Failure> {
        let store = store(&config, Access::Write).await?;
        let library = library(&config, speech)?;
        Ok(Self(Deployment::new(config, store, Arc::new(library), CancellationToken::new())))
    }

    /// Runs each flow of a target and reports each result. A flow that cannot run does not stop the others. Flows of
    /// one corp all read their forms before the first of them plans, so that someone leaving one and joining another
    /// is moved.
    pub(super) async fn run_each(
        self,
        each: Each,
        target: Option<&str>,
        speech: &Speech,
        show: Show,
        request: RunTask,
    ) -> Result<Ran, Failure> {
        let config = &self.0.config;
        let mut reports = Reports::new(speech, show);
        let mut waiting = config.select(target)?;
        if each == Each::Tenant {
            waiting.dedup_by_key(|(tenant, _)| &tenant.id);
        }
        while let Some((first, _)) = waiting.first() {
            let corp: Vec<&TenantId> = siblings(config, first).map(|tenant| &tenant.id).collect();
            let (together, later) =
                waiting.into_iter().partition::<Vec<_>, _>(|(tenant, _)| corp.contains(&&tenant.id));
            waiting = later;
            self.run_together(&together, speech, &mut reports, &request).await;
        }
        self.0.prune_cache().await;
        self.0.store.close().await;
        let outcome = reports.outcome();
        Ok(Ran { outcome, code: reports.finish() })
    }

    async fn run_together(
        &self,
        chosen: &[(&config::Tenant, &config::Flow)],
        speech: &Speech,
        reports: &mut Reports<'_>,
        request: &RunTask,
    ) {
        let bar = Arc::new(Bar::new(speech));
        let by = ChangeAuthor { who: terminal::terminal_user(), why: None };
        let mut flows = Vec::with_capacity(chosen.len());
        for (tenant, flow) in chosen {
            flows.push((*tenant, *flow, self.0.flow(tenant, flow, &by, bar.clone()).await));
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
                    let outcome = RunOutcome::of(report, exchanged);
                    reports.add(tenant, outcome, self.0.store.as_ref()).await;
                }
                Err(failure) => {
                    bar.clear();
                    reports.refuse(tenant, flow, failure.clone());
                }
            }
        }
    }
}

/// Runs the flows of a target: here, or by the process that serves this store. `detail` is what the audit log says of a
/// run that a person asks for in particular; ordinary runs are not audited.
pub(super) async fn run_flows(
    config: Config,
    (each, show): (Each, Show),
    target: Option<&str>,
    speech: &Speech,
    request: RunTask,
    detail: Option<String>,
) -> Result<ExitCode, Failure> {
    let (tenant, flow) = narrowed(&config, target)?;
    if let Some(server) = RunningServer::find(&config).await {
        return Ok(server.run_each(&config, (each, show), target, speech, &request).await?.code);
    }
    let work = async {
        Opened::of(config.clone(), speech).await?.run_each(each, target, speech, show, request).await
    };
    let Some(detail) = detail else { return Ok(work.await?.code) };
    let asking = AuditRequest { tenant, flow, ..AuditRequest::plain("run.start").with_detail(Some(detail)) };
    Ok(terminal::recorded_as(&config, asking, work, |ran| ran.outcome.clone()).await?.code)
}

/// The tenant and flow a target narrows a listing to. A target that matches nothing is an error.
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
