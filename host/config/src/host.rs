//! `ruzhi.toml`: settings shared by all tenants.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::diagnostics::Diagnostic;
use super::secret::SecretSource;
use super::settings::{
    AlertSettings, Checks, Guard, GuestSettings, ScheduleSettings, ServerSettings, StoreSettings,
};
use super::toml_reader::Section;
use super::{alerts, server, value};
use ruzhi_plan::OVER_TIME;

/// The maximum values of a guard: no ceiling at all.
const UNLIMITED: Guard = Guard {
    leave_percent: 100,
    leave_least: u32::MAX,
    leave_most: u32::MAX,
    create_most: u32::MAX,
    update_most: u32::MAX,
    leave_day_percent: 100,
    leave_day_most: u32::MAX,
    leave_week_percent: 100,
    leave_week_most: u32::MAX,
};

/// The contents of `ruzhi.toml`.
#[derive(Debug, Clone)]
pub(super) struct HostSettings {
    /// The file exists.
    pub(super) written: bool,
    pub(super) store: StoreSettings,
    pub(super) server: ServerSettings,
    pub(super) schedule: ScheduleSettings,
    pub(super) alerts: AlertSettings,
    pub(super) guest: GuestSettings,
    pub(super) guard_ceiling: Guard,
}

impl HostSettings {
    /// The settings without a `ruzhi.toml`.
    pub(super) fn defaults(dir: &Path) -> Self {
        let path = dir.join("ruzhi.db");
        Self {
            written: false,
            guest: GuestSettings {
                memory_bytes: 64 << 20,
                deadline: Duration::from_secs(2),
                cache: beside(&path),
                cache_limit: 1 << 30,
            },
            store: StoreSettings { url: "sqlite://ruzhi.db".to_owned(), path },
            server: ServerSettings {
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7080)),
                listen_given: false,
                url: None,
                trusted_proxies: server::this_machine(),
                proxies_named: false,
                people: Vec::new(),
            },
            schedule: ScheduleSettings { at_once: 32, late_after: Duration::from_secs(15 * 60) },
            alerts: AlertSettings::default(),
            guard_ceiling: UNLIMITED,
        }
    }
}

fn beside(store: &Path) -> PathBuf {
    store.with_file_name("cache")
}

/// Reads the file; `None` if a problem was reported.
pub(super) fn read(root: &Section<'_>, secrets: &dyn SecretSource, checks: &Checks) -> Option<HostSettings> {
    let folder = root.file.folder.clone();
    let defaults = HostSettings::defaults(&folder);

    let store = root
        .section("store")
        .optional("url", defaults.store, |entry| entry.parse(|text| store(&folder, text)));

    let server = server::read(&root.section("server"), defaults.server, secrets, checks);

    let section = root.section("schedule");
    let at_once = section.optional("at_once", defaults.schedule.at_once, |entry| entry.whole(1..=10_000));
    let late_after = section.optional("late_after", defaults.schedule.late_after, |entry| {
        entry.parse(|text| value::duration_within(text, "1m", "7d"))
    });
    let alerts = alerts::read(root, secrets, checks, |what| format!("RUZHI_{what}"));

    let section = root.section("guest");
    let memory_bytes =
        section.optional("memory", defaults.guest.memory_bytes, |entry| entry.parse(value::memory));
    let deadline = section.optional("deadline", defaults.guest.deadline, |entry| {
        entry.parse(|text| value::duration_within(text, "1ms", "10m"))
    });
    let cache = section.maybe("cache", |entry| entry.text().map(|text| folder.join(text)));

    let cache_limit =
        section.optional("cache_limit", defaults.guest.cache_limit, |entry| entry.parse(value::disk));

    let guard_ceiling = read_guard(&root.section("guard"), UNLIMITED, UNLIMITED);

    let store = store?;
    let cache = cache?.unwrap_or_else(|| beside(&store.path));
    Some(HostSettings {
        written: true,
        store,
        server: server?,
        schedule: ScheduleSettings { at_once: at_once?, late_after: late_after? },
        alerts: alerts?.unwrap_or(defaults.alerts),
        guest: GuestSettings {
            memory_bytes: memory_bytes?,
            deadline: deadline?,
            cache,
            cache_limit: cache_limit?,
        },
        guard_ceiling: guard_ceiling?,
    })
}

/// A guard's table. A limit above the ceiling is invalid; a default above it is lowered to it. The limits per day and
/// week derive from those per run.
pub(super) fn read_guard(section: &Section<'_>, defaults: Guard, ceiling: Guard) -> Option<Guard> {
    let limit = |key: &str, most: u32, default: u32, ceiling: u32| {
        section.optional(key, default.min(ceiling), |entry| {
            let found = entry.whole(0..=most)?;
            if found > ceiling {
                entry.error(
                    Diagnostic::new(
                        format!("`{}` is {found}, but the host allows {ceiling} at most", entry.name),
                        format!("`{}` 写成了 {found}，但主机最多允许 {ceiling}", entry.name),
                    )
                    .hint(
                        format!("lower it, or raise `{key}` under `[guard]` in ruzhi.toml"),
                        format!("请调低，或调高 ruzhi.toml 中 `[guard]` 的 `{key}`"),
                    ),
                );
                return None;
            }
            Some(found)
        })
    };
    let leave_percent = limit("leave_percent", 100, defaults.leave_percent, ceiling.leave_percent);
    let leave_least = limit("leave_least", u32::MAX, defaults.leave_least, ceiling.leave_least);
    let leave_most = limit("leave_most", u32::MAX, defaults.leave_most, ceiling.leave_most);
    let create_most = limit("create_most", u32::MAX, defaults.create_most, ceiling.create_most);
    let update_most = limit("update_most", u32::MAX, defaults.update_most, ceiling.update_most);
    let (percent, most) = if defaults == UNLIMITED {
        (defaults.leave_day_percent, defaults.leave_day_most)
    } else {
        let twice = |limit: Option<u32>, fallback: u32| limit.unwrap_or(fallback).saturating_mul(OVER_TIME);
        (twice(leave_percent, defaults.leave_percent).min(100), twice(leave_most, defaults.leave_most))
    };
    let day_percent = limit("leave_day_percent", 100, percent, ceiling.leave_day_percent);
    let day_most = limit("leave_day_most", u32::MAX, most, ceiling.leave_day_most);
    let week_percent = limit("leave_week_percent", 100, percent, ceiling.leave_week_percent);
    let week_most = limit("leave_week_most", u32::MAX, most, ceiling.leave_week_most);
    Some(Guard {
        leave_percent: leave_percent?,
        leave_least: leave_least?,
        leave_most: leave_most?,
        leave_day_percent: day_percent?,
        leave_day_most: day_most?,
        leave_week_percent: week_percent?,
        leave_week_most: week_most?,
        create_most: create_most?,
        update_most: update_most?,
    })
}

/// `sqlite://` and a path relative to the configuration's folder.
fn store(folder: &Path, text: &str) -> Result<StoreSettings, Diagnostic> {
    let diagnostic = |en: &str, zh: &str| {
        Diagnostic::new(en, zh).hint(
            "write \"sqlite://ruzhi.db\"; the path is relative to this file",
            "请写成 \"sqlite://ruzhi.db\"，路径相对于本文件",
        )
    };
    let Some(path) = text.trim().strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest))
    else {
        return Err(diagnostic("only a store of SQLite can be used", "只支持 SQLite 存储"));
    };
    if path.contains(['?', '#']) {
        return Err(diagnostic("the store's address takes no parameters", "存储地址不能带参数"));
    }
    if path.is_empty() || path.starts_with(':') {
        return Err(diagnostic("the store must be a file", "存储必须是文件"));
    }
    Ok(StoreSettings { url: text.trim().to_owned(), path: folder.join(path) })
}
