//! Write transactions.
//!
//! SQLite sometimes ends a transaction by itself when the disk is full, a read or write fails or memory is short: after
//! an error it is not known if one is still open. So a connection whose transaction did not end by a successful commit
//! is closed, which ends everything, and the next write begins on another. The same happens when the caller of a write
//! is gone.

use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::sync::MutexGuard;

use super::super::super::place::Log;
use super::super::Writer;
use super::{Sqlite, StoreError};

/// A write transaction.
pub(super) struct Writing<'a> {
    /// Its connection; dropped with it unless it is committed.
    pub(super) transaction: Box<SqliteConnection>,
    log: Log,
    turn: MutexGuard<'a, Option<Writer>>,
    store: &'a Sqlite,
}

impl Writing<'_> {
    pub(super) async fn commit(mut self, what: &'static str) -> Result<(), StoreError> {
        self.store.place.check()?;
        self.store.place.check_log(self.log)?;
        run(&mut self.transaction, "COMMIT", what).await?;
        *self.turn = Some(Writer { connection: self.transaction, log: self.log });
        Ok(())
    }
}

impl Sqlite {
    /// Begins a write transaction that takes the write lock at once: one that upgrades later could fail half-way.
    /// Nothing is written if the store's files are no longer those that were opened.
    pub(super) async fn writing(&self, what: &'static str) -> Result<Writing<'_>, StoreError> {
        let mut turn = self.writer.lock().await;
        self.place.check()?;
        let known = turn.take();
        if let Some(writer) = &known {
            self.place.check_log(writer.log)?;
        }
        let mut transaction = match known {
            Some(Writer { connection, .. }) => connection,
            None if self.pool.is_closed() => {
                return Err(StoreError::Write { what, source: sqlx::Error::PoolClosed });
            }
            None => {
                let opened = self.writes.connect().await;
                Box::new(opened.map_err(|source| StoreError::Write { what, source })?)
            }
        };
        run(&mut transaction, "BEGIN IMMEDIATE", what).await?;
        // A connection opens the log with its first transaction.
        self.place.check()?;
        Ok(Writing { transaction, log: self.place.log()?, turn, store: self })
    }
}

async fn run(
    connection: &mut SqliteConnection,
    statement: &'static str,
    what: &'static str,
) -> Result<(), StoreError> {
    sqlx::query(statement)
        .execute(connection)
        .await
        .map(drop)
        .map_err(|source| StoreError::Write { what, source })
}
