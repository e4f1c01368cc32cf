//! Detects that a file has changed since it was read, without reading it.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use ruzhi_files::file;

/// The state of each file of a configuration: modification time, size, and file number. Symbolic links are followed,
/// so a redirected link is a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fingerprint(BTreeMap<PathBuf, Option<Stat>>);

/// The state of a file; `None` for a missing file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stat {
    /// When its content was changed.
    modified: Option<std::time::SystemTime>,
    /// Time of the last change of content, owner or permissions: seconds and nanoseconds.
    changed: (i64, i64),
    length: u64,
    /// Device and inode.
    file: (u64, u64),
}

impl Fingerprint {
    /// The current state of some files.
    pub(super) fn of_files(files: Vec<PathBuf>) -> Self {
        let stands = file::stats(&files).into_iter().map(|metadata| metadata.as_ref().map(stat));
        Self(files.into_iter().zip(stands).collect())
    }

    /// Compares the state of a file.
    pub fn differs_at(&self, other: &Self, path: &Path) -> bool {
        self.0.get(path) != other.0.get(path)
    }

    /// Notes the state of a file, unless noted already. Call it before reading, so that a change in between is
    /// noticed.
    pub(super) fn note(&mut self, path: &Path) {
        if !self.0.contains_key(path) {
            self.0.insert(path.to_owned(), file::stat(path).ok().as_ref().map(stat));
        }
    }

    /// Notes that a file did not respond when read. A response later is a change.
    pub(super) fn did_not_answer(&mut self, path: &Path) {
        self.0.insert(path.to_owned(), None);
    }

    /// Merges another fingerprint.
    pub(super) fn add(&mut self, other: Self) {
        for (path, stat) in other.0 {
            self.0.entry(path).or_insert(stat);
        }
    }

    /// The noted files.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.0.keys()
    }
}

fn stat(meta: &Metadata) -> Stat {
    Stat {
        modified: meta.modified().ok(),
        changed: (meta.ctime(), meta.ctime_nsec()),
        length: meta.len(),
        file: (meta.dev(), meta.ino()),
    }
}
