//! How far the first use of rules has come.
//!
//! A file, the mark, lies beside the row that says that rules are being tried. It is removed once the process has
//! survived, which is possible even where the disk is full and nothing can be stored: so a process that lived on sets
//! no rules aside.

use super::values::{DbRow, Reading, word_of};
use super::{Sqlite, StoreError};
use crate::{FirstUse, UseState};
use ruzhi_model::{Digest, FlowId, TenantId};

const WHAT: &str = "the first use of rules";

pub(super) async fn of(store: &Sqlite, rules: &Digest) -> Result<Option<FirstUse>, StoreError> {
    let row = sqlx::query("SELECT rules, tenant, flow, state, process, at FROM first_use WHERE rules = $1")
        .bind(rules.as_str())
        .fetch_optional(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: WHAT, source })?;
    let known = row.as_ref().map(read).transpose()?;
    // Without a mark beside the store, the process that tried the rules lived on, and could store nothing more.
    Ok(known.map(|known| match known.state {
        UseState::Trying if !store.place.is_marked(rules) => FirstUse { state: UseState::Loaded, ..known },
        _ => known,
    }))
}

pub(super) async fn set_aside(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
) -> Result<Vec<FirstUse>, StoreError> {
    let rows = sqlx::query(
        "SELECT rules, tenant, flow, state, process, at FROM first_use \
         WHERE tenant = $1 AND flow = $2 AND state = $3 ORDER BY at, rules",
    )
    .bind(tenant.as_str())
    .bind(flow.as_str())
    .bind(word_of(&UseState::Quarantined))
    .fetch_all(&store.pool)
    .await
    .map_err(|source| StoreError::Read { what: WHAT, source })?;
    rows.iter().map(read).collect()
}

fn read(row: &DbRow) -> Result<FirstUse, StoreError> {
    let row = Reading { row, what: WHAT };
    Ok(FirstUse {
        rules: row.id("rules")?,
        tenant: row.id("tenant")?,
        flow: row.id("flow")?,
        state: row.word("state")?,
        process: row.get("process")?,
        at: row.moment("at")?,
    })
}

pub(super) async fn put(store: &Sqlite, first_use: &FirstUse) -> Result<(), StoreError> {
    match first_use.state {
        UseState::Trying => store.place.mark(&first_use.rules)?,
        _ => store.place.unmark(&first_use.rules),
    }
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
    store.place.unmark(rules);
    let mut writing = store.writing(WHAT).await?;
    let gone = sqlx::query("DELETE FROM first_use WHERE rules = $1")
        .bind(rules.as_str())
        .execute(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Write { what: WHAT, source })?;
    writing.commit(WHAT).await?;
    Ok(gone.rows_affected() > 0)
}
