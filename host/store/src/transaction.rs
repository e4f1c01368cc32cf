//! Write transactions.
//!
//! SQLite sometimes ends a transaction by itself when the disk is full, a read or write fails or memory is short: after
//! an error it is not known if one is still open. So a connection whose transaction did not end by a successful commit
//! is closed, which ends everything, and the next write begins on another. The same happens when the caller of a write
//! is gone.

use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::sync::MutexGuard;

use crate::StoreError;
use crate::database::{Database, Writer};
use crate::place::Log;

/// A write transaction.
pub(crate) struct Transaction<'a> {
    /// Its connection; dropped with it unless it is committed.
    pub(crate) connection: Box<SqliteConnection>,
    log: Log,
    turn: MutexGuard<'a, Option<Writer>>,
    database: &'a Database,
}

impl Transaction<'_> {
    pub(crate) async fn commit(mut self, what: &'static str) -> Result<(), StoreError> {
        self.database.place.check()?;
        self.database.place.check_log(self.log)?;
        run(&mut self.connection, "COMMIT", what).await?;
        *self.turn = Some(Writer { connection: self.connection, log: self.log });
        Ok(())
    }
}

impl Database {
    /// Begins a write transaction that takes the write lock at once: one that upgrades later could fail half-way.
    /// Nothing is written if the store's files are no longer those that were opened.
    pub(crate) async fn begin(&self, what: &'static str) -> Result<Transaction<'_>, StoreError> {
        let mut turn = self.writer.lock().await;
        self.place.check()?;
        let known = turn.take();
        if let Some(writer) = &known {
            self.place.check_log(writer.log)?;
        }
        let mut connection = match known {
            Some(Writer { connection, .. }) => connection,
            None if self.pool.is_closed() => {
                return Err(StoreError::Write { what, source: sqlx::Error::PoolClosed });
            }
            None => {
                let opened = self.writes.connect().await;
                Box::new(opened.map_err(StoreError::write(what))?)
            }
        };
        run(&mut connection, "BEGIN IMMEDIATE", what).await?;
        // A connection opens the log with its first transaction.
        self.place.check()?;
        Ok(Transaction { connection, log: self.place.log()?, turn, database: self })
    }
}

async fn run(
    connection: &mut SqliteConnection,
    statement: &'static str,
    what: &'static str,
) -> Result<(), StoreError> {
    sqlx::query(statement).execute(connection).await.map(drop).map_err(StoreError::write(what))
}
