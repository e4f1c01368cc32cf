//! SQLite: one file, this user's only, one writing process at a time.
//!
//! The log is written ahead (WAL) and forced to the disk at each commit (`synchronous = FULL`): an operation is stored
//! as `sending` before its call, and that must survive a power cut, not only a crash. Writers queue on one mutex, so a
//! transaction never fails because another of our own is open.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::error::StoreError;

/// The database the files in `queries/` are compiled for.
pub(super) type Db = sqlx::Sqlite;

#[path = "queries/mod.rs"]
mod queries;

/// Whether this process will write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Runs flows: only one process may.
    Write,
    /// Writes what no run writes, beside the process that runs flows.
    Beside,
    /// Any number may, beside the one that writes.
    Read,
}

/// The store in a SQLite file.
pub struct Sqlite {
    pool: sqlx::Pool<Db>,
    writing: tokio::sync::Mutex<()>,
    /// Held as long as the store is open for writing.
    _lock: Option<File>,
}

impl Sqlite {
    /// Opens the store in the file `path`; makes and migrates it where needed.
    pub async fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let open_failed = |source| StoreError::Open { path: path.clone(), source };
        let lock = match access {
            Access::Write => Some(lock(&path)?),
            Access::Beside | Access::Read => None,
        };
        // Made here rather than by SQLite, so that it is never readable by others, not even for a moment; the files
        // beside it take over its mode.
        fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(open_failed)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            // In KiB, for each connection. With four times as much a plan over a million members takes as long: what is not
            // here the operating system has (`ruzhi-bench plan`).
            .pragma("cache_size", "-4096")
            .statement_cache_capacity(200);
        let unusable = |reason: String| {
            let reason = if reason.contains("full") { "the disk is full".to_owned() } else { reason };
            StoreError::Database { path: path.clone(), reason }
        };
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .map_err(|e| unusable(e.to_string()))?;
        sqlx::migrate!("src/store/migrations").run(&pool).await.map_err(|e| unusable(e.to_string()))?;
        Ok(Self { pool, writing: tokio::sync::Mutex::new(()), _lock: lock })
    }

    /// Faults of the file, in SQLite's words; none if it is whole. Reads every page.
    pub async fn check_integrity(&self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(20)")
            .fetch_all(&self.pool)
            .await
            .map_err(|source| StoreError::Read { what: "the store's own check", source })?;
        Ok(rows.into_iter().filter(|row| row != "ok").collect())
    }
}

/// One host per data folder: two could plan the same person at once.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(Path::new(&name))
        .map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_owned() }),
        Err(fs::TryLockError::Error(source)) => {
            Err(StoreError::Open { path: path.to_owned(), source: io::Error::other(source) })
        }
    }
}
