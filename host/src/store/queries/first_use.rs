//! How far the first use of rules has come.

use super::values::{Reading, word_of};
use super::{Sqlite, StoreError};
use crate::model::Digest;
use crate::store::FirstUse;

const WHAT: &str = "the first use of rules";

pub(super) async fn of(store: &Sqlite, rules: &Digest) -> Result<Option<FirstUse>, StoreError> {
    let row = sqlx::query("SELECT rules, tenant, flow, state, process, at FROM first_use WHERE rules = $1")
        .bind(rules.as_str())
        .fetch_optional(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: WHAT, source })?;
    let Some(row) = row else { return Ok(None) };
    let row = Reading { row: &row, what: WHAT };
    Ok(Some(FirstUse {
        rules: row.id("rules")?,
        tenant: row.id("tenant")?,
        flow: row.id("flow")?,
        state: row.word("state")?,
        process: row.get("process")?,
        at: row.moment("at")?,
    }))
}

pub(super) async fn put(store: &Sqlite, first_use: &FirstUse) -> Result<(), StoreError> {
    let mut writing = store.writing(WHAT).await?;
    sqlx::query(
        "INSERT INTO first_use (rules, tenant, flow, state, process, at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (rules) DO UPDATE SET tenant = excluded.tenant, flow = excluded.flow, \
         state = excluded.state, process = excluded.process, at = excluded.at",
    )
    .bind(first_use.rules.as_str())
    .bind(first_use.tenant.as_str())
    .bind(first_use.flow.as_str())
    .bind(word_of(&first_use.state))
    .bind(first_use.process.as_str())
    .bind(first_use.at.timestamp_millis())
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: WHAT, source })?;
    writing.commit(WHAT).await
}

pub(super) async fn forget(store: &Sqlite, rules: &Digest) -> Result<bool, StoreError> {
    let mut writing = store.writing(WHAT).await?;
    let gone = sqlx::query("DELETE FROM first_use WHERE rules = $1")
        .bind(rules.as_str())
        .execute(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Write { what: WHAT, source })?;
    writing.commit(WHAT).await?;
    Ok(gone.rows_affected() > 0)
}
