//! One pass over the files of a deployment.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::context::TenantContext;
use super::diagnostics::{self, Diagnostic};
use super::fingerprint::Fingerprint;
use super::host::{self, HostSettings};
use super::paths::{HOST_FILE, offered, tenant_files};
use super::secret::{self, SecretSource};
use super::settings::{Checks, Config, Guard, TenantConfig};
use super::source::{SourceFile, io_text};
use super::toml_reader::{Section, Shape};
use super::{keys, tenant, value};
use ruzhi_files::file::{self, UnfitFile};
use ruzhi_message::{Problem, Problems, Severity};
use ruzhi_model::Text;

/// The maximum size of `ruzhi.toml` or a tenant's file. A tenant with a hundred flows has 60 KiB.
const MOST_BYTES: u64 = 1 << 20;

/// A pass and its findings so far.
pub(super) struct Loader<'a> {
    dir: &'a Path,
    secrets: &'a dyn SecretSource,
    checks: &'a Checks,
    problems: Vec<Problem>,
    secret_files: BTreeSet<PathBuf>,
    fingerprint: Fingerprint,
}

/// A file that was read; unusable as a whole if anything in it is wrong.
pub(super) struct LoadedFile<T> {
    pub(super) path: PathBuf,
    pub(super) found: Option<T>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(dir: &'a Path, secrets: &'a dyn SecretSource, checks: &'a Checks) -> Self {
        Self {
            dir,
            secrets,
            checks,
            problems: Vec::new(),
            secret_files: BTreeSet::new(),
            fingerprint: Fingerprint::default(),
        }
    }

    /// Checks that the configuration's folder is readable.
    pub(super) fn folder(&mut self) -> bool {
        let Err(error) = file::within(self.dir, |dir| std::fs::read_dir(dir).map(drop)) else { return true };
        let why = io_text(&error);
        let diagnostic = Diagnostic::new(
            format!("the configuration's folder cannot be read: {}", why.en),
            format!("无法读取配置文件夹：{}", why.zh),
        );
        self.report(
            self.dir,
            diagnostic.hint(
                "name the folder that holds `tenants/` with `--config DIR`",
                "请用 `--config 目录` 指明 `tenants/` 所在的文件夹",
            ),
        );
        false
    }

    /// The host's settings, or the defaults without a file.
    pub(super) fn host(&mut self) -> LoadedFile<HostSettings> {
        let path = self.dir.join(HOST_FILE);
        let absent = file::stat(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if absent {
            self.fingerprint.note(&path);
            return LoadedFile { path, found: Some(HostSettings::defaults(self.dir)) };
        }
        let (secrets, checks) = (self.secrets, self.checks);
        let found = self.file(&path, keys::HOST, |root| host::read(root, secrets, checks));
        LoadedFile { path, found }
    }

    /// Every tenant's file. `None` if there are none, which is a problem.
    pub(super) fn tenants(&mut self, ceiling: Guard) -> Option<Vec<LoadedFile<TenantConfig>>> {
        let none = || {
            Diagnostic::new("there is no tenant", "没有任何工厂").hint(
                "write one file for each factory, such as tenants/jingxintai.toml",
                "请为每个工厂写一个文件，例如 tenants/jingxintai.toml",
            )
        };
        let files = tenant_files(self.dir).map_err(|error| {
            let why = io_text(&error);
            match error.kind() {
                io::ErrorKind::NotFound => none(),
                _ => Diagnostic::new(
                    format!("the tenants' folder cannot be read: {}", why.en),
                    format!("无法读取工厂配置文件夹：{}", why.zh),
                ),
            }
        });
        let files = files.and_then(|files| if files.is_empty() { Err(none()) } else { Ok(files) });
        let files = files.map_err(|diagnostic| self.report(Path::new("tenants"), diagnostic)).ok()?;
        Some(files.into_iter().map(|path| self.tenant(path, ceiling)).collect())
    }

    fn tenant(&mut self, path: PathBuf, ceiling: Guard) -> LoadedFile<TenantConfig> {
        let (secrets, checks) = (self.secrets, self.checks);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let found = self.file(&path, keys::TENANT, |root| {
            let id = value::tenant_id(&stem)
                .map_err(|mut diagnostic| {
                    diagnostic.text.en.push_str("; a tenant is named after its file");
                    diagnostic.text.zh.push_str("；工厂以其文件名为 id");
                    root.file.error_of_file(diagnostic);
                })
                .ok();
            tenant::read(root, &TenantContext { id, path: &path, ceiling, secrets, checks })
        });
        LoadedFile { path, found }
    }

    /// Reports a problem of a file or folder as a whole.
    pub(super) fn report(&mut self, path: &Path, diagnostic: Diagnostic) {
        let name = path.strip_prefix(self.dir).ok().filter(|name| !name.as_os_str().is_empty());
        self.problems.push(Problem::with_file(name.unwrap_or(path), diagnostic.text, diagnostic.hint));
    }

    /// Any error so far.
    pub(super) fn failed(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Also watches the secret files of a configuration, beside those of the files that were read.
    pub(super) fn watch_secrets_of(&mut self, config: &Config) {
        self.secret_files.extend(config.secret_files.iter().cloned());
    }

    /// Ends the pass: adds the findings to the configuration and returns every problem.
    pub(super) fn finish(mut self, config: Option<&mut Config>) -> Vec<Problem> {
        diagnostics::sort(&mut self.problems);
        if let Some(config) = config {
            config.secret_files = self.secret_files.into_iter().collect();
            offered(config).chain(&config.secret_files).for_each(|path| self.fingerprint.note(path));
            config.fingerprint = self.fingerprint;
            let warnings = self.problems.iter().filter(|problem| problem.severity == Severity::Warning);
            config.warnings = warnings.cloned().collect();
        }
        self.problems
    }

    /// Reads and parses one file, checks its keys, and hands it to `read`; `None` if anything in it is wrong.
    fn file<T>(
        &mut self,
        path: &Path,
        shapes: &'static [Shape],
        read: impl FnOnce(&Section<'_>) -> Option<T>,
    ) -> Option<T> {
        self.fingerprint.note(path);
        let bytes = match file::read(path, MOST_BYTES) {
            Ok(read) => read.bytes,
            Err(error) => {
                if UnfitFile::of(&error) == Some(UnfitFile::Still) {
                    self.fingerprint.did_not_answer(path);
                }
                let why = io_text(&error);
                let diagnostic = Diagnostic::new(
                    format!("the file cannot be read: {}", why.en),
                    format!("无法读取文件：{}", why.zh),
                );
                self.report(path, diagnostic);
                return None;
            }
        };
        let name = path.strip_prefix(self.dir).unwrap_or(path);
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
                let text = Text::new("the file is not UTF-8", "文件不是 UTF-8 编码");
                let hint = Text::new(
                    "save it as UTF-8; on a Chinese Windows an editor may save as GBK",
                    "请以 UTF-8 编码另存；中文 Windows 的编辑器可能存成 GBK",
                );
                let mut problem = Problem::with_file(name, text, Some(hint));
                let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
                problem.line = u32::try_from(line).ok();
                self.problems.push(problem);
                return None;
            }
        };
        let (root, errors) = DeTable::parse_recoverable(&text);
        let mut file = SourceFile::new(path, name, &text, secret::masks(root.get_ref()));
        let found = if errors.is_empty() {
            read(&Section::root(&file, shapes, root.get_ref()))
        } else {
            file.syntax_errors(errors);
            None
        };
        let (problems, secret_files) = file.into_findings();
        let good = problems.iter().all(|problem| problem.severity == Severity::Warning);
        self.problems.extend(problems);
        self.secret_files.extend(secret_files.files().cloned());
        self.fingerprint.add(secret_files);
        found.filter(|_| good)
    }
}

impl Config {
    /// Reads the configuration in `dir`.
    ///
    /// # Errors
    /// Every problem of every file; warnings are among them.
    pub fn load(dir: &Path, secrets: &dyn SecretSource, checks: &Checks) -> Result<Self, Problems> {
        match Self::usable(dir, secrets, checks) {
            (Some(config), None) => Ok(config),
            (_, problems) => Err(problems.unwrap_or_default()),
        }
    }

    /// Reads as much of the configuration in `dir` as is usable, for commands that run nothing: tenants with an
    /// invalid file are left out. `None` if the host's file is invalid or there is no tenant file.
    ///
    /// The second value is every problem of every file, if one of them is an error.
    pub fn usable(
        dir: &Path,
        secrets: &dyn SecretSource,
        checks: &Checks,
    ) -> (Option<Self>, Option<Problems>) {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let mut loader = Loader::new(&dir, secrets, checks);
        let mut config = read(&dir, &mut loader);
        let failed = loader.failed();
        let list = loader.finish(config.as_mut());
        (config, failed.then_some(Problems { list }))
    }

    /// The configuration of files that were read.
    pub(super) fn of(dir: &Path, host: HostSettings, tenants: Vec<TenantConfig>) -> Self {
        Self {
            dir: dir.to_owned(),
            host_written: host.written,
            store: host.store,
            server: host.server,
            schedule: host.schedule,
            alerts: host.alerts,
            guest: host.guest,
            guard_ceiling: host.guard_ceiling,
            tenants,
            warnings: Vec::new(),
            secret_files: Vec::new(),
            fingerprint: Fingerprint::default(),
        }
    }
}

fn read(dir: &Path, loader: &mut Loader<'_>) -> Option<Config> {
    if !loader.folder() {
        return None;
    }
    let host = loader.host().found;
    // With an invalid ruzhi.toml nothing is loaded anyway; the tenants are then checked without a ceiling.
    let ceiling = host.as_ref().unwrap_or(&HostSettings::defaults(dir)).guard_ceiling;
    let tenants = loader.tenants(ceiling)?.into_iter().filter_map(|tenant| tenant.found).collect();
    Some(Config::of(dir, host?, tenants))
}
