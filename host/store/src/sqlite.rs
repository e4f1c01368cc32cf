//! SQLite: one file, this user's only, one writing process at a time.
//!
//! The log is written ahead (WAL) and forced to the disk at each commit (`synchronous = FULL`): an operation is stored
//! as `sending` before its call, and that must survive a power cut, not only a crash. Writers queue for one connection,
//! so a transaction never fails because another of our own is open. Readers have connections of their own, which write
//! nothing.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::error::StoreError;
use super::place::{Log, Place};

/// The database the files in `queries/` are compiled for.
pub(super) type Db = sqlx::Sqlite;

#[path = "queries/mod.rs"]
mod queries;

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

/// Connections that read.
const READERS: u32 = 3;

/// The store in a SQLite file.
pub struct Sqlite {
    pool: sqlx::Pool<Db>,
    /// The one connection that writes; none while a transaction has it, or after one that did not end well.
    writer: tokio::sync::Mutex<Option<Writer>>,
    writes: SqliteConnectOptions,
    place: Place,
}

/// A connection outside any transaction.
struct Writer {
    connection: Box<SqliteConnection>,
    log: Log,
}

impl Sqlite {
    /// Opens the store in the file `path`; creates and migrates it where needed.
    pub async fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        let place = Place::find(path, access)?;
        let turn = place.turn().await;
        let reads = SqliteConnectOptions::new()
            .filename(place.file())
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            // In KiB, for each connection. With four times as much, a plan over a million members takes as long: the
            // operating system caches the rest (`ruzhi-bench plan`).
            .pragma("cache_size", "-4096")
            .statement_cache_capacity(200);
        let writes = reads.clone().journal_mode(SqliteJournalMode::Wal);
        let unusable = |source| StoreError::Database { path: path.to_owned(), source };
        let mut connection = Box::new(writes.connect().await.map_err(unusable)?);
        sqlx::migrate!("src/migrations")
            .run(&mut *connection)
            .await
            .map_err(|error| unusable(error.into()))?;
        let pool =
            SqlitePoolOptions::new().max_connections(READERS).connect_with(reads).await.map_err(unusable)?;
        drop(turn);
        place.check()?;
        let writer = tokio::sync::Mutex::new(Some(Writer { connection, log: place.log()? }));
        Ok(Self { pool, writer, writes, place })
    }

    /// Faults of the file, in SQLite's words; none if it is intact. Reads every page.
    pub async fn check_integrity(&self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(20)")
            .fetch_all(&self.pool)
            .await
            .map_err(|source| StoreError::Read { what: "the store's own check", source })?;
        Ok(rows.into_iter().filter(|row| row != "ok").collect())
    }

    /// Checks that the files are still those that were opened. A write under way checks that itself.
    fn look(&self) -> Result<(), StoreError> {
        self.place.check()?;
        match self.writer.try_lock().ok().and_then(|writer| writer.as_ref().map(|writer| writer.log)) {
            Some(log) => self.place.check_log(log),
            None => Ok(()),
        }
    }

    /// Runs a statement on the connection that writes.
    #[cfg(test)]
    pub(super) async fn on_writer(&self, statement: &'static str) {
        let mut writer = self.writer.lock().await;
        let connection = &mut writer.as_mut().unwrap().connection;
        sqlx::query(statement).execute(&mut **connection).await.unwrap();
    }

    /// Waits for the write under way and closes every connection.
    async fn end(&self) {
        if let Some(Writer { connection, .. }) = self.writer.lock().await.take() {
            // Anything it could not write back is in the log, for the next process that opens the store.
            drop(connection.close().await);
        }
        self.pool.close().await;
    }
}
