//! The configuration: `ruzhi.toml` and `tenants/*.toml`, read once into checked types.
//!
//! A load reports *every* problem of *every* file, each at its line, so that a person corrects a file once. Serde
//! derives stop at the first error, hence a walk of our own (`table`) over the spanned tree the TOML parser gives.
//! A file with broken syntax is reported as such and not walked; the others still are. What a reader cannot use is
//! `None` and already reported, so a `Config` exists only if nothing is wrong.
//!
//! No secret stands in a file (`secret`), and no shown line repeats one that does by mistake (`source`).

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::model::Text;

mod alarms;
mod flow;
mod host;
mod problem;
mod request;
mod secret;
mod server;
mod settings;
mod source;
mod spelling;
mod table;
mod target;
mod tenant;
#[cfg(test)]
mod tests;
mod value;
mod write_back;

pub use problem::{Problem, Problems, Severity};
pub use secret::{ProcessEnvironment, SecretSource};
pub use settings::{
    Absent, AlarmSettings, CallbackSettings, ChangeLimit, Checks, Config, Duplicates, Existing, Flow,
    FlowGuest, Guard, GuestSettings, JiandaoyunSettings, Person, Role, ScheduleSettings, Secrets,
    ServerSettings, Source, StoreSettings, Tenant, WecomSettings, WriteBack,
};
pub use target::TargetError;

use problem::Fault;
use source::{SourceFile, io_text};
use table::{Section, Shape};
use tenant::SHAPES as TENANT_SHAPES;

const GUARD_KEYS: &[&str] = &["leave_percent", "leave_least", "leave_most", "create_most", "update_most"];

/// Whether a text can be the id of an app or form.
pub(crate) fn is_form_id(text: &str) -> bool {
    value::form_id(text).is_ok()
}

/// Whether a text can be the id of a corp.
pub(crate) fn is_corp_id(text: &str) -> bool {
    !text.is_empty() && value::corp_id(text).is_ok()
}

/// The environment variable that is proposed for a secret of a tenant.
pub(crate) fn variable(tenant: &str, what: &str) -> String {
    let id = tenant.to_uppercase().replace('-', "_");
    let first = if id.starts_with(|c: char| c.is_ascii_digit()) { "T_" } else { "" };
    format!("{first}{id}_{what}")
}

impl Config {
    /// Reads the configuration in `dir`.
    ///
    /// # Errors
    /// Every problem of every file; warnings are among them.
    pub fn load(dir: &Path, secrets: &dyn SecretSource, checks: &Checks) -> Result<Self, Problems> {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let mut problems = Vec::new();
        let loaded = load(&dir, secrets, checks, &mut problems);
        problem::sort(&mut problems);
        match loaded {
            Some(mut config) if problems.iter().all(|problem| problem.severity == Severity::Warning) => {
                config.warnings = problems;
                Ok(config)
            }
            _ => Err(Problems { list: problems }),
        }
    }
}

fn load(
    dir: &Path,
    secrets: &dyn SecretSource,
    checks: &Checks,
    problems: &mut Vec<Problem>,
) -> Option<Config> {
    if let Err(error) = std::fs::read_dir(dir) {
        let why = io_text(&error);
        problems.push(Problem::with_file(
            dir,
            Text::new(
                format!("the configuration's folder cannot be read: {}", why.en),
                format!("无法读取配置文件夹：{}", why.zh),
            ),
            Some(Text::new(
                "name the folder that holds `tenants/` with `--config DIR`",
                "请用 `--config 目录` 指明 `tenants/` 所在的文件夹",
            )),
        ));
        return None;
    }
    let path = dir.join("ruzhi.toml");
    let host = match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(host::HostSettings::defaults(dir)),
        _ => with_file(dir, &path, host::SHAPES, problems, |root| host::read(root, secrets, checks)),
    };
    // With a broken ruzhi.toml nothing is loaded anyway; the tenants are then judged without a ceiling.
    let ceiling = host.as_ref().unwrap_or(&host::HostSettings::defaults(dir)).guard_ceiling;

    let mut tenants = Vec::new();
    for path in tenant_files(dir, problems)? {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let tenant = with_file(dir, &path, TENANT_SHAPES, problems, |root| {
            let id = value::tenant_id(&stem)
                .map_err(|mut fault| {
                    fault.text.en.push_str("; a tenant is named after its file");
                    fault.text.zh.push_str(";租户以其文件名为 id");
                    root.file.error_of_file(fault);
                })
                .ok();
            tenant::read(root, &tenant::Around { id, path: &path, ceiling, secrets, checks })
        });
        tenants.extend(tenant);
    }
    let host = host?;
    Some(Config {
        dir: dir.to_owned(),
        store: host.store,
        server: host.server,
        schedule: host.schedule,
        alarms: host.alarms,
        guest: host.guest,
        guard_ceiling: host.guard_ceiling,
        tenants,
        warnings: Vec::new(),
    })
}

/// The tenants' files, by name. `None` where there are none, which is a problem.
fn tenant_files(dir: &Path, problems: &mut Vec<Problem>) -> Option<Vec<PathBuf>> {
    let folder = Path::new("tenants");
    let mut report = |fault: Fault| problems.push(Problem::with_file(folder, fault.text, fault.hint));
    let none = || {
        Fault::new("there is no tenant", "没有任何租户").hint(
            "write one file for each factory, such as tenants/jingxintai.toml",
            "请为每个工厂写一个文件，例如 tenants/jingxintai.toml",
        )
    };
    let unreadable = |error: &std::io::Error| {
        let why = io_text(error);
        Fault::new(
            format!("the tenants' folder cannot be read: {}", why.en),
            format!("无法读取租户文件夹：{}", why.zh),
        )
    };
    let entries = match std::fs::read_dir(dir.join(folder)) {
        Ok(entries) => entries,
        Err(error) => {
            let absent = error.kind() == std::io::ErrorKind::NotFound;
            report(if absent { none() } else { unreadable(&error) });
            return None;
        }
    };
    let mut files = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => files.push(entry.path()),
            Err(error) => {
                report(unreadable(&error));
                return None;
            }
        }
    }
    // Hidden files are what editors and mounts leave; folders hold the tenants' rules.
    files.retain(|path| {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        path.extension().is_some_and(|extension| extension == "toml") && !hidden && !path.is_dir()
    });
    files.sort();
    if files.is_empty() {
        report(none());
        return None;
    }
    Some(files)
}

fn relative<'a>(dir: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(dir).unwrap_or(path)
}

/// Reads and parses one file, checks its keys, and hands it to `read`.
fn with_file<T>(
    dir: &Path,
    path: &Path,
    shapes: &'static [Shape],
    problems: &mut Vec<Problem>,
    read: impl FnOnce(&Section<'_>) -> Option<T>,
) -> Option<T> {
    let name = relative(dir, path);
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let why = io_text(&error);
            let fault = Fault::new(
                format!("the file cannot be read: {}", why.en),
                format!("无法读取文件：{}", why.zh),
            );
            problems.push(Problem::with_file(name, fault.text, fault.hint));
            return None;
        }
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let fault = Fault::new("the file is not UTF-8", "文件不是 UTF-8 编码").hint(
                "save it as UTF-8; on a Chinese Windows an editor may save as GBK",
                "请以 UTF-8 编码另存；中文 Windows 的编辑器可能存成 GBK",
            );
            let mut problem = Problem::with_file(name, fault.text, fault.hint);
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            problem.line = u32::try_from(line).ok();
            problems.push(problem);
            return None;
        }
    };
    let (root, errors) = DeTable::parse_recoverable(&text);
    let mut file = SourceFile::new(path, name, &text, secret::masks(root.get_ref()));
    if !errors.is_empty() {
        file.syntax_errors(errors);
        problems.extend(file.into_problems());
        return None;
    }
    let found = read(&Section::root(&file, shapes, root.get_ref()));
    problems.extend(file.into_problems());
    found
}
