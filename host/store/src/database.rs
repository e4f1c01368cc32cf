//! The database: one SQLite file, this user's only, one writing process at a time.
//!
//! The log is written ahead (WAL) and forced to the disk at each commit (`synchronous = FULL`): an operation is stored
//! as `sending` before its call, and that must survive a power cut, not only a crash. Writers queue for one connection,
//! so a transaction never fails because another of our own is open. Readers have connections of their own, which write
//! nothing.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::StoreError;
use crate::place::{Access, Log, Place};

/// The kind of database that the queries are compiled for.
pub(crate) type Db = sqlx::Sqlite;

/// Rows of one statement: below every database's limit on parameters.
pub(crate) const ROWS: usize = 500;

const PROBE: &str = "anything";

/// Connections that read.
const READERS: u32 = 3;

/// The store in a SQLite file. Errors name the operation that failed; it left nothing half written.
pub struct Database {
    pub(crate) pool: sqlx::Pool<Db>,
    /// The one connection that writes; none while a transaction has it, or after one that did not end well.
    pub(crate) writer: tokio::sync::Mutex<Option<Writer>>,
    pub(crate) writes: SqliteConnectOptions,
    pub(crate) place: Place,
}

/// A connection outside any transaction.
pub(crate) struct Writer {
    pub(crate) connection: Box<SqliteConnection>,
    pub(crate) log: Log,
}

/// The right to run flows on a store, until it is dropped.
pub struct StoreLock {
    _place: Place,
}

impl Database {
    /// Takes the lock of the process that runs flows, beside a store that is open already.
    pub fn lock(path: &Path) -> Result<StoreLock, StoreError> {
        Ok(StoreLock { _place: Place::find(path, Access::Write)? })
    }

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
            .map_err(StoreError::read("the store's own check"))?;
        Ok(rows.into_iter().filter(|row| row != "ok").collect())
    }

    /// Checks that the store's files are still those that were opened; a write under way checks that itself.
    /// [`StoreError::Exchanged`] is permanent: a process that gets it ends. Reads the file system.
    pub fn check_place(&self) -> Result<(), StoreError> {
        self.place.check()?;
        match self.writer.try_lock().ok().and_then(|writer| writer.as_ref().map(|writer| writer.log)) {
            Some(log) => self.place.check_log(log),
            None => Ok(()),
        }
    }

    /// Checks that the store can be written now: writes a meaningless row, because only a write that has reached the
    /// disk proves that there is room.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the row means nothing, and differs from the one before"
        )]
        let now = Utc::now();
        let mut transaction = self.begin(PROBE).await?;
        sqlx::query(
            "INSERT INTO delivery (source, id, at) VALUES ('probe', 'probe', $1) \
             ON CONFLICT (source, id) DO UPDATE SET at = excluded.at",
        )
        .bind(now.timestamp_millis())
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(PROBE))?;
        transaction.commit(PROBE).await
    }

    /// Runs a statement on the connection that writes.
    #[cfg(test)]
    pub(crate) async fn on_writer(&self, statement: &'static str) {
        let mut writer = self.writer.lock().await;
        let connection = &mut writer.as_mut().unwrap().connection;
        sqlx::query(statement).execute(&mut **connection).await.unwrap();
    }

    /// Waits for the write under way, closes every connection and writes the log back into the file.
    pub async fn close(&self) {
        if let Some(Writer { connection, .. }) = self.writer.lock().await.take() {
            // Anything it could not write back is in the log, for the next process that opens the store.
            drop(connection.close().await);
        }
        self.pool.close().await;
    }
}

/// Runs a generated statement without preparing it. Fixed statements stay prepared on each connection; of generated
/// ones there is one for every number of rows, up to a MB each, and all of them would fill memory.
pub(crate) fn once(
    query: &mut sqlx::QueryBuilder<Db>,
) -> sqlx::query::Query<'_, Db, <Db as sqlx::Database>::Arguments> {
    query.build().persistent(false)
}
