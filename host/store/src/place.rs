//! The place of the store: the file its path leads to, and a check that it is still the one that was opened.
//!
//! SQLite finds the log beside the file by the file's name, and locks by its inode. So two names of one file (a hard
//! link, a mount of the file alone) mean two logs for one file, and a replaced file gets the log of another. Both lose
//! writes. Opening the store requires a single name; before and after each write, and at each check of a long-running
//! process, that name must still lead to the same files.
//!
//! A log left behind by a process is written into any file opened beside it. So the lock names the file it was for, and
//! a file with another file's log beside it is not opened.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, OFlags, StatxAttributes, StatxFlags, statx};

use super::error::StoreError;
use ruzhi_files::file;
use ruzhi_model::Digest;

/// The access a process needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Runs flows: only one process may.
    Write,
    /// Writes rows that no run writes, beside the process that runs flows.
    Beside,
    /// Any number may, beside the one that writes.
    Read,
}

/// A file, independent of its name: its device and its number there.
type Identity = (u64, u64);

/// The store's file and, for a writer, the lock beside it.
pub(super) struct Place {
    /// The path as configured; symbolic links in it may be redirected.
    asked: PathBuf,
    /// The resolved path. SQLite is given this one.
    file: PathBuf,
    identity: Identity,
    /// Held as long as the store is open for writing.
    lock: Option<Lock>,
    /// Set once the file was another one: nothing is written any more, even if the file comes back.
    is_gone: AtomicBool,
}

struct Lock {
    path: PathBuf,
    file: File,
}

/// The log and its index, as a connection opened them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Log([Option<Identity>; 2]);

impl Place {
    /// Leaves the mark of rules that are about to be tried.
    pub(super) fn mark(&self, rules: &Digest) -> Result<(), StoreError> {
        let path = self.mark_of(rules);
        let made = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        made.map(drop).map_err(|source| StoreError::Open { path: self.file.clone(), source })
    }

    /// Removes the mark of rules. A mark that cannot be removed sets the rules aside, and an alert reports it.
    pub(super) fn unmark(&self, rules: &Digest) {
        drop(fs::remove_file(self.mark_of(rules)));
    }

    pub(super) fn is_marked(&self, rules: &Digest) -> bool {
        self.mark_of(rules).exists()
    }

    fn mark_of(&self, rules: &Digest) -> PathBuf {
        let mut name = self.file.as_os_str().to_owned();
        name.push(".first-use-");
        name.push(rules.as_str().get(..16).unwrap_or_default());
        PathBuf::from(name)
    }

    /// Finds the store's file, creates it if it is missing, and locks it for a writer.
    pub(super) fn find(asked: &Path, access: Access) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { path: asked.to_owned(), source };
        // Created here rather than by SQLite, so that others can never read it, not even for a moment; the files beside
        // it inherit its mode. An existing file is not opened: closing it again would end the locks that SQLite holds
        // on it elsewhere in this process.
        if let Err(error) = fs::metadata(asked) {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(failed(error));
            }
            let made = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(asked);
            made.map_err(failed)?;
        }
        let file = fs::canonicalize(asked).map_err(failed)?;
        let found = fs::metadata(&file).map_err(failed)?;
        if !found.is_file() {
            return Err(failed(io::Error::other("it is no regular file")));
        }
        let is_mount = is_mount(&file).map_err(failed)?;
        if found.nlink() > 1 || is_mount {
            return Err(StoreError::Names { path: file, is_mount });
        }
        let lock = match access {
            Access::Write => Some(Lock::take(&file)?),
            Access::Beside | Access::Read => None,
        };
        let log = beside(&file, "-wal");
        let has_log = fs::metadata(&log).is_ok_and(|log| log.len() > 0);
        let last = last_of(&beside(&file, ".lock"));
        if has_log && last.is_some_and(|last| last != found.ino()) {
            return Err(StoreError::Log { store: file, path: log });
        }
        if let Some(lock) = lock.as_ref().filter(|_| last != Some(found.ino())) {
            // On a full disk this cannot be noted; then the next process to open the store knows of no other file.
            drop(lock.is_for(found.ino()));
        }
        let identity = (found.dev(), found.ino());
        Ok(Self { asked: asked.to_owned(), file, identity, lock, is_gone: AtomicBool::new(false) })
    }

    /// Waits until no other process is opening a store in this folder. The turn ends when the returned file is dropped.
    ///
    /// Two processes that create or migrate one file at the same time each find half of the other's work, and SQLite
    /// refuses a change of the journal's mode at once, whatever its busy timeout. The folder is locked and not the
    /// file: closing that again would end SQLite's own locks. If the folder cannot be locked, or stays locked for
    /// [`TURN`], the store is opened without a turn, as one process uses it in nearly every case.
    pub(super) async fn turn(&self) -> Option<File> {
        let folder = File::open(self.file.parent()?).ok()?;
        let until = tokio::time::Instant::now() + TURN;
        loop {
            match folder.try_lock() {
                Ok(()) => return Some(folder),
                Err(fs::TryLockError::WouldBlock) if tokio::time::Instant::now() < until => {
                    tokio::time::sleep(GLANCE).await;
                }
                Err(_) => return None,
            }
        }
    }

    /// The file without symbolic links.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Checks that the path still leads to the file that was opened, and that the lock is still the one held.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.is_gone.load(Ordering::Relaxed) {
            return Err(self.gone(&self.asked));
        }
        if self.identify(&self.asked)? != Some(self.identity) {
            return Err(self.gone(&self.asked));
        }
        if let Some(Lock { path, file }) = &self.lock {
            let held = file.metadata().map_err(|source| self.unseen(source))?;
            if self.identify(path)? != Some((held.dev(), held.ino())) {
                return Err(self.gone(path));
            }
        }
        Ok(())
    }

    /// The log that lies beside the file now.
    pub(super) fn log(&self) -> Result<Log, StoreError> {
        let [log, index] = self.beside();
        Ok(Log([self.identify(&log)?, self.identify(&index)?]))
    }

    /// Checks that the log is still the one a connection has open.
    pub(super) fn check_log(&self, open: Log) -> Result<(), StoreError> {
        let (now, [log, index]) = (self.log()?, self.beside());
        if now == open {
            return Ok(());
        }
        Err(self.gone(if now.0.first() == open.0.first() { &index } else { &log }))
    }

    fn beside(&self) -> [PathBuf; 2] {
        ["-wal", "-shm"].map(|end| beside(&self.file, end))
    }

    fn identify(&self, path: &Path) -> Result<Option<Identity>, StoreError> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some((found.dev(), found.ino()))),
            // A loop of links, or a file in place of a folder, leads nowhere either.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
                    || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.unseen(error)),
        }
    }

    /// The file cannot be examined: nothing is written now, and a later check may succeed.
    fn unseen(&self, source: io::Error) -> StoreError {
        StoreError::Open { path: self.asked.clone(), source }
    }

    fn gone(&self, path: &Path) -> StoreError {
        self.is_gone.store(true, Ordering::Relaxed);
        StoreError::Exchanged { store: self.asked.clone(), path: path.to_owned() }
    }
}

impl Lock {
    /// Locks the store for one host: two could plan the same person at once.
    fn take(store: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { path: store.to_owned(), source };
        let path = beside(store, ".lock");
        let file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, file }),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::Locked { path: store.to_owned() }),
            Err(fs::TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Notes the file that is open for writing.
    fn is_for(&self, number: u64) -> io::Result<()> {
        self.file.set_len(0)?;
        (&self.file).write_all(format!("{number}\n").as_bytes())
    }
}

/// The longest wait for another process that opens a store in the same folder, and the interval between checks.
const TURN: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(10);

/// The longest lock file read, in bytes.
const MOST_BYTES: u64 = 64;

/// The number of the file last opened for writing. A device's number may change with a restart.
fn last_of(lock: &Path) -> Option<u64> {
    let opened = fs::OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(lock);
    String::from_utf8(file::whole(opened.ok()?, MOST_BYTES).ok()?).ok()?.trim().parse().ok()
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// True if a file is a mount of its own: its folder then differs from that of its other name. A kernel that cannot tell
/// says no.
fn is_mount(file: &Path) -> io::Result<bool> {
    let found = statx(CWD, file, AtFlags::empty(), StatxFlags::BASIC_STATS)?;
    Ok((found.stx_attributes_mask & found.stx_attributes).contains(StatxAttributes::MOUNT_ROOT))
}
