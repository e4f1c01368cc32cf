//! Opens the parts of a deployment that a command needs: configuration, store, components.

use std::path::Path;
use std::sync::Arc;

use super::printer::Printer;
use ruzhi_app::deployment;
use ruzhi_config::{Checks, Config, ProcessEnvironment, Secrets};
use ruzhi_guest_runtime::{Cache, ComponentRegistry, Engine, GuestLimits, Rehearsal};
use ruzhi_message::{Report, exit};
use ruzhi_model::{FlowId, TenantId, Text};
use ruzhi_store::{Access, Database};

/// The part of the configuration a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConfigurationUse {
    /// Secrets. A flow with missing files keeps its live rules and does not affect the others.
    Run,
    /// Stored data only: neither secrets nor components.
    Read,
}

/// Reads the configuration and prints its warnings.
pub(super) fn configuration(dir: &Path, need: ConfigurationUse, printer: &Printer) -> Result<Config, Report> {
    let checks = match need {
        ConfigurationUse::Run => deployment::checks(),
        ConfigurationUse::Read => Checks { secrets: Secrets::Skip, ..deployment::checks() },
    };
    let config = Config::load(dir, &ProcessEnvironment, &checks)?;
    if need != ConfigurationUse::Read {
        warn(&config, printer);
    }
    Ok(config)
}

/// Prints the warnings of a configuration.
pub(super) fn warn(config: &Config, printer: &Printer) {
    for warning in &config.warnings {
        printer.note(warning.render(printer.lang).trim_end());
    }
}

/// The store of a deployment.
pub(super) async fn store(config: &Config, access: Access) -> Result<Arc<Database>, Report> {
    if access == Access::Read && !config.store.path.exists() {
        return Err(Report::new(
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
pub(super) fn rehearsal() -> Result<Rehearsal, Report> {
    Rehearsal::of_this_program().map_err(|error| Report::io("find this program", "查找本程序", &error))
}

/// A registry for commands that load no component.
pub(super) fn no_components() -> Result<ComponentRegistry, Report> {
    Ok(ComponentRegistry::new(Engine::new(GuestLimits::default())?, None))
}

/// The components of a deployment. Without a cache folder everything still works, only slower.
pub(super) fn registry(config: &Config, printer: &Printer) -> Result<ComponentRegistry, Report> {
    let memory = usize::try_from(config.guest.memory_bytes).unwrap_or(usize::MAX);
    let engine =
        Engine::new(GuestLimits { memory, deadline: config.guest.deadline, ..GuestLimits::default() })?
            .rehearsing(rehearsal()?);
    let key = config.store.path.with_extension("cache-key");
    let cache = match Cache::open(&config.guest.cache, &key) {
        Ok(cache) => {
            note_exposed(&cache, &key, printer);
            Some(cache)
        }
        Err(error) => {
            printer.note(format_args!(
                "{} {}{}{error}",
                printer.text("warning: no cache of compiled components at", "警告：无法使用组件编译缓存"),
                config.guest.cache.display(),
                printer.colon()
            ));
            None
        }
    };
    Ok(ComponentRegistry::new(engine, cache))
}

/// Warns that others may have read the key of the compiled components.
fn note_exposed(cache: &Cache, key: &Path, printer: &Printer) {
    let Some(mode) = cache.exposed() else { return };
    printer.note(format_args!(
        "{} {} ({mode:o}){}{}",
        printer.text(
            "warning: others could read or write the key of the compiled components,",
            "警告：其他用户可读取或写入组件编译缓存的密钥"
        ),
        key.display(),
        printer.text("; ", "；"),
        printer
            .text("it is made anew and every component compiled again", "已重新生成密钥，所有组件将重新编译"),
    ));
}

/// The tenant and flow a target narrows a listing to. A target that matches nothing is an error.
pub(super) fn narrowed<'a>(
    config: &'a Config,
    target: Option<&str>,
) -> Result<(Option<&'a TenantId>, Option<&'a FlowId>), Report> {
    let Some(target) = target else { return Ok((None, None)) };
    let chosen = config.select(Some(target))?;
    let (tenant, flow) = match chosen.first() {
        Some((tenant, flow)) => (Some(&tenant.id), Some(&flow.id)),
        None => (None, None),
    };
    Ok((tenant, flow.filter(|_| target.contains('/'))))
}
