//! What tells whether a file has changed since it was read, without reading it.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Config, reading};
use ruzhi_files::file;

/// The files of a configuration and how each of them stands: its time of change, its size, which file it is. Symbolic
/// links are followed, so a link that is made to point elsewhere is a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature(BTreeMap<PathBuf, Option<Stat>>);

/// How a file stands; a file that is not there has none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stat {
    /// When its content was changed.
    modified: Option<std::time::SystemTime>,
    /// When its content, its owner or its rights were changed: seconds and nanoseconds.
    changed: (i64, i64),
    length: u64,
    /// The device and the file's number there.
    file: (u64, u64),
}

impl Signature {
    /// The files of a configuration as they stand now.
    pub fn of(config: &Config) -> Self {
        let files = watched(config);
        let stands = file::stats(&files).into_iter().map(|metadata| metadata.as_ref().map(stat));
        Self(files.into_iter().zip(stands).collect())
    }

    /// Whether a file stands otherwise there.
    pub fn differs_at(&self, other: &Self, path: &Path) -> bool {
        self.0.get(path) != other.0.get(path)
    }

    /// Notes how a file stands, unless that is noted. To be called before it is read: a change in between is then seen.
    pub(super) fn note(&mut self, path: &Path) {
        if !self.0.contains_key(path) {
            self.0.insert(path.to_owned(), file::stat(path).ok().as_ref().map(stat));
        }
    }

    /// Notes that a file did not answer when it was read. Once it answers that is a change.
    pub(super) fn did_not_answer(&mut self, path: &Path) {
        self.0.insert(path.to_owned(), None);
    }

    /// Takes over what is noted elsewhere.
    pub(super) fn add(&mut self, other: Self) {
        for (path, stat) in other.0 {
            self.0.entry(path).or_insert(stat);
        }
    }

    /// The files that are noted.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.0.keys()
    }
}

/// Every file whose change matters: `ruzhi.toml`, the tenants' files that are there now, components, rules files, and
/// the files of secrets, whether they are there or not.
pub fn watched(config: &Config) -> Vec<PathBuf> {
    let mut files = vec![config.dir.join(reading::HOST_FILE)];
    files.extend(reading::tenant_files(&config.dir).unwrap_or_default());
    files.extend(offered(config).cloned());
    files.extend(config.secret_files.iter().cloned());
    files.sort();
    files.dedup();
    files
}

/// The components and rules files of all flows.
pub(super) fn offered(config: &Config) -> impl Iterator<Item = &PathBuf> {
    let flows = config.tenants.iter().flat_map(|tenant| &tenant.flows);
    flows.flat_map(|flow| std::iter::once(&flow.guest.component).chain(&flow.guest.config))
}

fn stat(meta: &Metadata) -> Stat {
    Stat {
        modified: meta.modified().ok(),
        changed: (meta.ctime(), meta.ctime_nsec()),
        length: meta.len(),
        file: (meta.dev(), meta.ino()),
    }
}
