//! Checks of this machine: engine, files, store, disk, components, listening address.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::advisory::{AdvisoryList, ENGINE};
use super::check_result::{CheckResult, Level};
use ruzhi_config::{Config, FlowConfig, Problem, Problems, ServerSettings, TenantConfig};
use ruzhi_guest_runtime::Guest;
use ruzhi_message::Report;
use ruzhi_model::{Lang, Text};
use ruzhi_store::{Access, Database};

/// Less free space than this is a warning.
const TIGHT: u64 = 1 << 30;
/// With less free space than this, a large run may fail to be stored.
const FULL: u64 = 100 << 20;

/// Known vulnerabilities of the engine that runs the rules.
pub(super) fn engine() -> CheckResult {
    let Some(known) = AdvisoryList::read() else {
        return CheckResult::fail(
            "engine",
            Text::new("the list of advisories cannot be read", "无法读取安全公告列表"),
            Text::new("this is a fault of ruzhi, report it", "这是 ruzhi 的问题，请反馈"),
        );
    };
    let AdvisoryList { as_of, source, .. } = &known;
    let concerning = known.concerning(ENGINE);
    if concerning.is_empty() {
        return CheckResult {
            hint: Some(Text::new(format!("what came later: {source}"), format!("之后的公告：{source}"))),
            ..CheckResult::ok(
                "engine",
                Text::new(
                    format!("wasmtime {ENGINE}, without an advisory known as of {as_of}"),
                    format!("wasmtime {ENGINE}，截至 {as_of} 没有已知安全公告"),
                ),
            )
        };
    }
    let names =
        concerning.iter().map(|advisory| format!("{} ({}): {}", advisory.id, advisory.date, advisory.title));
    CheckResult {
        causes: names.collect(),
        ..CheckResult::warn(
            "engine",
            Text::new(
                format!("wasmtime {ENGINE} has {} advisories known as of {as_of}", concerning.len()),
                format!("截至 {as_of}，wasmtime {ENGINE} 有 {} 条已知安全公告", concerning.len()),
            ),
            Text::new(
                format!(
                    "take the next version of ruzhi, and until then only rules of people you know; {source}"
                ),
                format!("请升级 ruzhi；在此之前只使用可信来源的规则组件；{source}"),
            ),
        )
    }
}

/// The configuration is valid; its warnings are listed.
pub(super) fn configuration(config: &Config, lang: Lang) -> CheckResult {
    let flows: usize = config.tenants.iter().map(|tenant| tenant.flows.len()).sum();
    let text = Text::new(
        format!("{} tenants, {flows} flows", config.tenants.len()),
        format!("{} 个工厂，{flows} 个同步流", config.tenants.len()),
    );
    if config.warnings.is_empty() {
        return CheckResult::ok("configuration", text);
    }
    CheckResult {
        causes: config.warnings.iter().map(|warning| warning.render(lang)).collect(),
        ..CheckResult::warn("configuration", text, Text::new("see `ruzhi check`", "详见 `ruzhi check`"))
    }
}

/// The invalid files. A tenant's invalid file leaves everything else to be checked; with an invalid `ruzhi.toml`
/// nothing else is checked.
pub(super) fn unusable(problems: &Problems, looks_on: bool, lang: Lang) -> Vec<CheckResult> {
    let of_file = |(file, errors): (&Path, Vec<&Problem>)| {
        let count = errors.len();
        let text = if looks_on {
            Text::new(
                format!("{count} problems; this tenant is not looked at"),
                format!("有 {count} 个问题；未检查该工厂"),
            )
        } else {
            Text::new(
                format!("{count} problems; nothing else can be looked at before they are gone"),
                format!("有 {count} 个问题；解决之前无法检查其他项目"),
            )
        };
        CheckResult {
            code: Some("config".to_owned()),
            causes: errors.iter().map(|problem| problem.render(lang)).collect(),
            ..CheckResult::fail(
                "configuration",
                text,
                Text::new("correct the file, then run this again", "请修正该文件后重新运行"),
            )
        }
        .of(file.display())
    };
    problems.errors_by_file().into_iter().map(of_file).collect()
}

/// Checks that the store is readable, intact, and inaccessible to other users.
pub(super) async fn store(path: &Path) -> (Vec<CheckResult>, Option<Database>) {
    let shown = path.display();
    let Ok(file) = std::fs::metadata(path) else {
        let none = CheckResult::warn(
            "store",
            Text::new(
                format!("nothing has run here yet: there is no {shown}"),
                format!("尚未运行过：没有 {shown}"),
            ),
            Text::new(
                "`ruzhi sync` or `ruzhi serve` makes it",
                "运行 `ruzhi sync` 或 `ruzhi serve` 时会创建",
            ),
        );
        return (vec![none], None);
    };
    let mut findings = Vec::new();
    let mode = file.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        findings.push(CheckResult::fail(
            "store",
            Text::new(
                format!("{shown} can be read by others (mode {mode:o}); it holds personal data"),
                format!("{shown} 可被其他用户读取（权限 {mode:o}），其中有个人信息"),
            ),
            Text::new(format!("run `chmod 600 {shown}*`"), format!("请运行 `chmod 600 {shown}*`")),
        ));
    }
    let opened = match Database::open(path, Access::Read).await {
        Ok(opened) => opened,
        Err(error) => {
            findings.push(CheckResult::of_report("store", &Report::from(error)));
            return (findings, None);
        }
    };
    match opened.check_integrity().await {
        Ok(faults) if faults.is_empty() => {
            let running = running(path).map_or_else(
                || Text::new("no ruzhi runs here", "当前没有 ruzhi 在运行"),
                |pid| Text::new(format!("ruzhi runs here as process {pid}"), format!("ruzhi 正在运行，进程 {pid}")),
            );
            let mib = file.len() >> 20;
            findings.push(CheckResult::ok(
                "store",
                Text::new(
                    format!("{shown} is whole ({mib} MiB); {}", running.en),
                    format!("{shown} 完好（{mib} MiB）；{}", running.zh),
                ),
            ));
        }
        Ok(faults) => findings.push(CheckResult {
            causes: faults,
            ..CheckResult::fail(
                "store",
                Text::new(format!("{shown} is damaged"), format!("{shown} 已损坏")),
                Text::new(
                    "stop ruzhi and restore the last backup (docs/guide/install.md); the next run asks WeCom what has happened since",
                    "请停止 ruzhi 并恢复最近的备份（见 docs/guide/install.md）；之后的运行会与企业微信核对",
                ),
            )
        }),
        Err(error) => findings.push(CheckResult::of_report("store", &Report::from(error))),
    }
    (findings, Some(opened))
}

/// The process that holds the store, taken from the system's list of locks. Trying the lock instead would make a
/// process fail that starts at the same moment.
fn running(path: &Path) -> Option<u32> {
    let mut lock = std::fs::canonicalize(path).ok()?.into_os_string();
    lock.push(".lock");
    let inode = std::fs::metadata(PathBuf::from(lock)).ok()?.ino();
    holder(&std::fs::read_to_string("/proc/locks").ok()?, inode)
}

/// The process that holds a lock on a file, by inode number.
fn holder(locks: &str, inode: u64) -> Option<u32> {
    let end = format!(":{inode}");
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields.as_slice() {
            [_, "FLOCK", _, "WRITE", pid, file, ..] if file.ends_with(&end) => pid.parse().ok(),
            _ => None,
        }
    })
}

/// Free space for the store and for compiled components.
pub(super) fn disk(config: &Config) -> Vec<CheckResult> {
    let mut folders: Vec<&Path> = vec![config.store.path.parent().unwrap_or(Path::new("."))];
    if let Some(folder) = Some(config.guest.cache.as_path()).filter(|folder| folder.exists()) {
        folders.push(folder);
    }
    let device = |folder: &Path| std::fs::metadata(folder).map(|file| file.dev()).ok();
    folders.dedup_by_key(|folder| device(folder));
    folders.into_iter().filter_map(free).map(|(folder, free)| judged(&folder, free)).collect()
}

fn free(folder: &Path) -> Option<(PathBuf, u64)> {
    let space = rustix::fs::statvfs(folder).ok()?;
    Some((folder.to_owned(), space.f_bavail.saturating_mul(space.f_frsize)))
}

fn judged(folder: &Path, free: u64) -> CheckResult {
    let mib = free >> 20;
    let text = Text::new(
        format!("{mib} MiB free in {}", folder.display()),
        format!("{} 剩余 {mib} MiB", folder.display()),
    );
    let hint =
        Text::new("make room: what cannot be stored is not done", "请清理磁盘：无法存储的操作不会执行");
    let level = match free {
        ..FULL => Level::Fail,
        FULL..TIGHT => Level::Warn,
        _ => return CheckResult::ok("disk", text),
    };
    CheckResult { hint: Some(hint), ..CheckResult::new("disk", level, text) }
}

/// Loads a flow's rules and compares them with the live ones.
pub(super) async fn component(
    store: Option<&Database>,
    tenant: &TenantConfig,
    flow: &FlowConfig,
    guest: Result<&Guest, &Report>,
) -> CheckResult {
    let finding = match guest {
        Err(report) => CheckResult::of_report("component", report),
        Ok(guest) => {
            let described = guest.description();
            let digest: String = guest.rules().as_str().chars().take(12).collect();
            let live = match store {
                Some(store) => store
                    .activations_list(&tenant.id, &flow.id, 1)
                    .await
                    .ok()
                    .and_then(|all| all.into_iter().next()),
                None => None,
            };
            let (name, version) = (&described.name, &described.version);
            match live {
                Some(live) if live.rules == *guest.rules() => CheckResult::ok(
                    "component",
                    Text::new(
                        format!("{name} {version} loads and is live ({digest}, no. {})", live.number),
                        format!("{name} {version} 可加载，为现行规则（{digest}，编号 {}）", live.number),
                    ),
                ),
                Some(live) => CheckResult::warn(
                    "component",
                    Text::new(
                        format!(
                            "{name} {version} loads ({digest}), but {} {} no. {} is live",
                            live.name, live.version, live.number
                        ),
                        format!(
                            "{name} {version} 可加载（{digest}），但现行规则是 {} {}（编号 {}）",
                            live.name, live.version, live.number
                        ),
                    ),
                    Text::new(
                        format!(
                            "the next run tries it; `ruzhi rules diff {}/{}` shows what it would change",
                            tenant.id, flow.id
                        ),
                        format!(
                            "下次运行会试用并上线；可用 `ruzhi rules diff {}/{}` 查看差异",
                            tenant.id, flow.id
                        ),
                    ),
                ),
                None => CheckResult::ok(
                    "component",
                    Text::new(
                        format!("{name} {version} loads ({digest}) and goes live with the first run"),
                        format!("{name} {version} 可加载（{digest}），首次运行时上线"),
                    ),
                ),
            }
        }
    };
    finding.of(format_args!("{}/{}", tenant.id, flow.id))
}

/// The address of the pages, and the access to it.
pub(super) fn door(server: &ServerSettings) -> CheckResult {
    let (listen, people) = (server.listen, server.people.len());
    if server.listen.ip().is_loopback() {
        return CheckResult::ok(
            "door",
            Text::new(
                format!("{listen}: from this machine only; {people} people with a token"),
                format!("{listen}：仅本机可访问；{people} 人有令牌"),
            ),
        );
    }
    if people == 0 {
        return CheckResult::fail(
            "door",
            Text::new(
                format!("{listen} can be reached from other machines, and no token is set"),
                format!("{listen} 可从其他机器访问，但没有设置令牌"),
            ),
            Text::new("set `token` under `[server]`", "请在 `[server]` 中设置 `token`"),
        );
    }
    CheckResult::warn(
        "door",
        Text::new(
            format!("{listen} can be reached from other machines; {people} people with a token"),
            format!("{listen} 可从其他机器访问；{people} 人有令牌"),
        ),
        Text::new(
            "ruzhi speaks HTTP: put a proxy with TLS before it (docs/guide/install.md)",
            "ruzhi 使用 HTTP：请在前面部署带 TLS 的反向代理（见 docs/guide/install.md）",
        ),
    )
}

/// The addresses the services push to.
pub(super) fn pushes(server: &ServerSettings, tenant: &TenantConfig, flow: &FlowConfig) -> Vec<CheckResult> {
    let first = tenant.flows.first().is_some_and(|first| first.id == flow.id);
    let push = flow.push.is_some().then(|| {
        ("push", format!("/hooks/jiandaoyun/{}/{}", tenant.id, flow.id), format!("{}/{}", tenant.id, flow.id))
    });
    let callback = (first && tenant.wecom.callback.is_some())
        .then(|| ("callback", format!("/hooks/wecom/{}", tenant.id), tenant.id.to_string()));
    let told = push.into_iter().chain(callback).map(|(check, path, of)| {
        let url = server.url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
        let finding = match url {
            Some(url) => CheckResult::ok(
                check,
                Text::new(format!("taken at {url}{path}"), format!("接收地址：{url}{path}")),
            ),
            None => CheckResult::warn(
                check,
                Text::new(
                    format!("taken at {path}, but no address is known at which the service reaches it"),
                    format!("接收路径：{path}，但未设置外部可访问的地址"),
                ),
                Text::new("set `url` under `[server]`", "请在 `[server]` 中设置 `url`"),
            ),
        };
        finding.of(of)
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_the_lock_is_read_from_the_system_s_list() {
        let locks = "1: POSIX  ADVISORY  READ  11 08:01:77 128 128\n\
                     2: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 12 08:01:99 0 EOF\n";
        assert_eq!(holder(locks, 1234), Some(4711));
        assert_eq!(holder(locks, 234), None);
        assert_eq!(holder(locks, 77), None);
    }

    #[test]
    fn room_is_enough_tight_or_gone() {
        for (free, level) in [
            (TIGHT, Level::Ok),
            (TIGHT - 1, Level::Warn),
            (FULL, Level::Warn),
            (FULL - 1, Level::Fail),
            (0, Level::Fail),
        ] {
            assert_eq!(judged(Path::new("/srv"), free).level, level, "{free}");
        }
    }
}
