//! Write transactions.

use super::{Db, Sqlite, StoreError};

/// A write transaction.
pub(super) struct Writing<'a> {
    pub(super) transaction: sqlx::Transaction<'static, Db>,
    _turn: tokio::sync::MutexGuard<'a, ()>,
}

impl Writing<'_> {
    pub(super) async fn commit(self, what: &'static str) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(|source| StoreError::Write { what, source })
    }
}

impl Sqlite {
    /// Begins a write transaction that takes the write lock at once: one that upgrades later could fail half-way.
    pub(super) async fn writing(&self, what: &'static str) -> Result<Writing<'_>, StoreError> {
        let turn = self.writing.lock().await;
        let transaction = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(|source| StoreError::Write { what, source })?;
        Ok(Writing { transaction, _turn: turn })
    }
}
