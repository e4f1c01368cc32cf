//! One pass over the files of a deployment.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::host::{self, HostSettings};
use super::problem::{self, Fault};
use super::source::{SourceFile, io_text};
use super::table::{Section, Shape};
use super::tenant::{self, Around};
use super::{
    Checks, Config, Guard, Problem, SecretSource, Severity, Signature, Tenant, secret, signature, value,
};
use ruzhi_files::file::{self, Unfit};
use ruzhi_model::Text;

/// The host's file, in the configuration's folder.
pub(super) const HOST_FILE: &str = "ruzhi.toml";

/// The maximum size of `ruzhi.toml` or a tenant's file. A tenant with a hundred flows has 60 KiB.
const MOST_BYTES: u64 = 1 << 20;

/// A pass and its findings so far.
pub(super) struct Reading<'a> {
    dir: &'a Path,
    secrets: &'a dyn SecretSource,
    checks: &'a Checks,
    problems: Vec<Problem>,
    secret_files: BTreeSet<PathBuf>,
    signature: Signature,
}

/// A file that was read; unusable as a whole if anything in it is wrong.
pub(super) struct Read<T> {
    pub(super) path: PathBuf,
    pub(super) found: Option<T>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(dir: &'a Path, secrets: &'a dyn SecretSource, checks: &'a Checks) -> Self {
        Self {
            dir,
            secrets,
            checks,
            problems: Vec::new(),
            secret_files: BTreeSet::new(),
            signature: Signature::default(),
        }
    }

    /// Checks that the configuration's folder is readable.
    pub(super) fn folder(&mut self) -> bool {
        let Err(error) = file::within(self.dir, |dir| std::fs::read_dir(dir).map(drop)) else { return true };
        let why = io_text(&error);
        let fault = Fault::new(
            format!("the configuration's folder cannot be read: {}", why.en),
            format!("无法读取配置文件夹：{}", why.zh),
        );
        self.report(
            self.dir,
            fault.hint(
                "name the folder that holds `tenants/` with `--config DIR`",
                "请用 `--config 目录` 指明 `tenants/` 所在的文件夹",
            ),
        );
        false
    }

    /// The host's settings, or the defaults without a file.
    pub(super) fn host(&mut self) -> Read<HostSettings> {
        let path = self.dir.join(HOST_FILE);
        let absent = file::stat(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if absent {
            self.signature.note(&path);
            return Read { path, found: Some(HostSettings::defaults(self.dir)) };
        }
        let (secrets, checks) = (self.secrets, self.checks);
        let found = self.file(&path, host::SHAPES, |root| host::read(root, secrets, checks));
        Read { path, found }
    }

    /// Every tenant's file. `None` if there are none, which is a problem.
    pub(super) fn tenants(&mut self, ceiling: Guard) -> Option<Vec<Read<Tenant>>> {
        let none = || {
            Fault::new("there is no tenant", "没有任何租户").hint(
                "write one file for each factory, such as tenants/jingxintai.toml",
                "请为每个工厂写一个文件，例如 tenants/jingxintai.toml",
            )
        };
        let files = tenant_files(self.dir).map_err(|error| {
            let why = io_text(&error);
            match error.kind() {
                io::ErrorKind::NotFound => none(),
                _ => Fault::new(
                    format!("the tenants' folder cannot be read: {}", why.en),
                    format!("无法读取租户文件夹：{}", why.zh),
                ),
            }
        });
        let files = files.and_then(|files| if files.is_empty() { Err(none()) } else { Ok(files) });
        let files = files.map_err(|fault| self.report(Path::new("tenants"), fault)).ok()?;
        Some(files.into_iter().map(|path| self.tenant(path, ceiling)).collect())
    }

    fn tenant(&mut self, path: PathBuf, ceiling: Guard) -> Read<Tenant> {
        let (secrets, checks) = (self.secrets, self.checks);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let found = self.file(&path, tenant::SHAPES, |root| {
            let id = value::tenant_id(&stem)
                .map_err(|mut fault| {
                    fault.text.en.push_str("; a tenant is named after its file");
                    fault.text.zh.push_str(";租户以其文件名为 id");
                    root.file.error_of_file(fault);
                })
                .ok();
            tenant::read(root, &Around { id, path: &path, ceiling, secrets, checks })
        });
        Read { path, found }
    }

    /// Reports a problem of a file or folder as a whole.
    pub(super) fn report(&mut self, path: &Path, fault: Fault) {
        let name = path.strip_prefix(self.dir).ok().filter(|name| !name.as_os_str().is_empty());
        self.problems.push(Problem::with_file(name.unwrap_or(path), fault.text, fault.hint));
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
        problem::sort(&mut self.problems);
        if let Some(config) = config {
            config.secret_files = self.secret_files.into_iter().collect();
            signature::offered(config).chain(&config.secret_files).for_each(|path| self.signature.note(path));
            config.signature = self.signature;
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
        self.signature.note(path);
        let bytes = match file::read(path, MOST_BYTES) {
            Ok(read) => read.bytes,
            Err(error) => {
                if Unfit::of(&error) == Some(Unfit::Still) {
                    self.signature.did_not_answer(path);
                }
                let why = io_text(&error);
                let fault = Fault::new(
                    format!("the file cannot be read: {}", why.en),
                    format!("无法读取文件：{}", why.zh),
                );
                self.report(path, fault);
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
        self.signature.add(secret_files);
        found.filter(|_| good)
    }
}

/// The tenants' files, by name. Hidden files are leftovers of editors and mounts; folders hold the tenants' rules.
pub(super) fn tenant_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let named = |path: &Path| {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        path.extension().is_some_and(|extension| extension == "toml") && !hidden
    };
    let found = file::folder(&dir.join("tenants"))?.into_iter();
    let mut files: Vec<PathBuf> =
        found.filter(|(path, is_folder)| named(path) && !is_folder).map(|(path, _)| path).collect();
    files.sort();
    // A link may lead to a folder.
    let stands = file::stats(&files);
    let is_folder = |meta: &Option<Metadata>| meta.as_ref().is_some_and(Metadata::is_dir);
    Ok(files.into_iter().zip(stands).filter(|(_, meta)| !is_folder(meta)).map(|(path, _)| path).collect())
}
