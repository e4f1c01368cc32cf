//! Reloads the configuration of a running process: a file that cannot be used keeps its previous contents in force.

use std::path::Path;

use super::diagnostics::Diagnostic;
use super::fingerprint::Fingerprint;
use super::host::HostSettings;
use super::loader::{LoadedFile, Loader};
use super::paths::HOST_FILE;
use super::secret::SecretSource;
use super::server;
use super::settings::{Checks, Config, Guard, GuestSettings, TenantConfig};
use ruzhi_message::Problems;

impl Config {
    /// Reads the configuration in `dir` again. The result is always runnable: a tenant whose file is invalid stays as
    /// it was (or absent, if new), and an invalid `ruzhi.toml` leaves the host as it was. Everything stays as it was
    /// if a folder cannot be read, no tenant is left, or the process is exposed to others without a token. Store,
    /// address and guest settings stay as at the start, and so do the people with access if the file names none while
    /// other machines can reach the process.
    ///
    /// The second value lists the problems that keep parts of the files from taking effect.
    pub fn reload(
        dir: &Path,
        secrets: &dyn SecretSource,
        checks: &Checks,
        old: &Self,
    ) -> (Self, Option<Problems>) {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        // Taken before reading, so that a change in between is noticed even if everything stays as it was.
        let before = Fingerprint::of(old);
        let mut loader = Loader::new(&dir, secrets, checks);
        let read = again(&dir, &mut loader, old);
        let failed = loader.failed();
        if failed {
            loader.watch_secrets_of(old);
        }
        let stays = read.is_none();
        let mut config = read.unwrap_or_else(|| old.clone());
        let list = loader.finish(Some(&mut config));
        if stays {
            config.fingerprint = before;
        }
        (config, failed.then_some(Problems { list }))
    }
}

fn again(dir: &Path, loader: &mut Loader<'_>, old: &Config) -> Option<Config> {
    if !loader.folder() {
        return None;
    }
    let host = host(loader, old);
    let tenants = loader.tenants(host.guard_ceiling)?;
    let tenants = tenants.into_iter().filter_map(|read| tenant(read, old, host.guard_ceiling)).collect();
    let config = Config::of(dir, host, tenants);
    // A serving process is never started like this, and must not get there by a reload.
    if let Some(unguarded) = config.unguarded()
        && old.unguarded().is_none()
    {
        let (text, hint) = (unguarded.text(), unguarded.hint());
        loader.report(Path::new(HOST_FILE), Diagnostic::new(text.en, text.zh).hint(hint.en, hint.zh));
        return None;
    }
    Some(config)
}

fn tenant(read: LoadedFile<TenantConfig>, old: &Config, ceiling: Guard) -> Option<TenantConfig> {
    read.found.or_else(|| {
        let mut tenant = old.tenants.iter().find(|tenant| tenant.file == read.path)?.clone();
        tenant.guard = held_to(tenant.guard, ceiling);
        Some(tenant)
    })
}

/// A guard lowered to the ceiling.
fn held_to(guard: Guard, ceiling: Guard) -> Guard {
    Guard {
        leave_percent: guard.leave_percent.min(ceiling.leave_percent),
        leave_least: guard.leave_least.min(ceiling.leave_least),
        leave_most: guard.leave_most.min(ceiling.leave_most),
        create_most: guard.create_most.min(ceiling.create_most),
        update_most: guard.update_most.min(ceiling.update_most),
        leave_day_percent: guard.leave_day_percent.min(ceiling.leave_day_percent),
        leave_day_most: guard.leave_day_most.min(ceiling.leave_day_most),
        leave_week_percent: guard.leave_week_percent.min(ceiling.leave_week_percent),
        leave_week_most: guard.leave_week_most.min(ceiling.leave_week_most),
    }
}

/// The host settings that can take effect.
fn host(loader: &mut Loader<'_>, old: &Config) -> HostSettings {
    let before = HostSettings {
        written: old.host_written,
        store: old.store.clone(),
        server: old.server.clone(),
        schedule: old.schedule.clone(),
        alerts: old.alerts.clone(),
        guest: old.guest.clone(),
        guard_ceiling: old.guard_ceiling,
    };
    let LoadedFile { path, found } = loader.host();
    let Some(mut host) = found else { return before };
    if before.written && !host.written {
        loader.report(
            &path,
            Diagnostic::new(
                "the file is gone; what it said stays in force",
                "文件已不在；仍按它原先的内容运行",
            )
            .hint(
                "put it back, or restart ruzhi to run without it",
                "请放回该文件，或重启 ruzhi 以不用它运行",
            ),
        );
        return before;
    }
    let mut started_with = |what: &str, now: &str, then: &str| {
        let diagnostic = Diagnostic::new(
            format!("`{what}` is {now} now; the running process goes on with {then}"),
            format!("`{what}` 现为 {now}；运行中的进程仍用 {then}"),
        );
        loader
            .report(Path::new(HOST_FILE), diagnostic.hint("restart ruzhi to apply it", "重启 ruzhi 后生效"));
    };
    if host.store.path != before.store.path {
        started_with("store.url", &host.store.url, &before.store.url);
    }
    host.store = before.store;
    host.server.listen_given = before.server.listen_given;
    if host.server.listen_given {
        host.server.listen = before.server.listen;
    } else if host.server.listen != before.server.listen {
        started_with("server.listen", &host.server.listen.to_string(), &before.server.listen.to_string());
        host.server.listen = before.server.listen;
    }
    let guest = |settings: &GuestSettings| {
        format!(
            "{} MiB, {} ms, {}",
            settings.memory_bytes >> 20,
            settings.deadline.as_millis(),
            settings.cache.display()
        )
    };
    // The size limit of the cache is looked up each time it is applied, so it may change.
    let before_guest = GuestSettings { cache_limit: host.guest.cache_limit, ..before.guest };
    if host.guest != before_guest {
        started_with("guest", &guest(&host.guest), &guest(&before_guest));
        host.guest = before_guest;
    }
    if host.server.people.is_empty() && server::is_open(&host.server.listen) {
        let diagnostic = Diagnostic::new(
            "no token is set, but other machines can reach the running process: those who could come in still can",
            "没有写明谁可以进入，而其他机器可访问运行中的进程：原先可进入的人仍可进入",
        );
        loader
            .report(Path::new(HOST_FILE), diagnostic.hint("restart ruzhi to apply it", "重启 ruzhi 后生效"));
        host.server.people = before.server.people;
    }
    host
}
