//! How far the first use of rules has come.
//!
//! A file, the mark, lies beside the row that says that rules are being tried. It is removed once the process has
//! survived, which is possible even where the disk is full and nothing can be stored: so a process that lived on sets
//! no rules aside.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::database::Database;
use crate::row::{DbRow, RowReader, word_of};
use ruzhi_model::{Digest, FlowId, TenantId};

const FIRST_USE: &str = "the first use of rules";

/// How far the first use of rules has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseState {
    /// A process is trying them: if it dies, these rules are to blame.
    Trying,
    /// They load; they have not decided a row yet.
    Loaded,
    /// They have decided rows.
    Used,
    /// A process died while it was trying them. An operator releases them for another try.
    Quarantined,
}

/// The first use of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstUse {
    /// The rules.
    pub rules: Digest,
    /// The tenant that uses them first.
    pub tenant: TenantId,
    /// Its flow.
    pub flow: FlowId,
    /// How far it has come.
    pub state: UseState,
    /// The process that is trying them, under its own name.
    pub process: String,
    /// The time of this state.
    pub at: DateTime<Utc>,
}

/// A first use of rules under way. Dropping it, however the use ended, notes that the process survived.
pub struct UseAttempt<'a> {
    store: &'a Database,
    rules: Digest,
}

impl<'a> UseAttempt<'a> {
    /// Notes that this process is about to try rules.
    pub async fn begin(store: &'a Database, first_use: &FirstUse) -> Result<Self, StoreError> {
        let surviving = Self { store, rules: first_use.rules.clone() };
        store.first_use_put(first_use).await?;
        Ok(surviving)
    }
}

impl Drop for UseAttempt<'_> {
    fn drop(&mut self) {
        self.store.first_use_survive(&self.rules);
    }
}

impl Database {
    /// The first use of rules; none for rules that were never used.
    pub async fn first_use_find(&self, rules: &Digest) -> Result<Option<FirstUse>, StoreError> {
        let row =
            sqlx::query("SELECT rules, tenant, flow, state, process, at FROM first_use WHERE rules = $1")
                .bind(rules.as_str())
                .fetch_optional(&self.pool)
                .await
                .map_err(StoreError::read(FIRST_USE))?;
        let known = row.as_ref().map(first_use_row).transpose()?;
        // Without a mark beside the store, the process that tried the rules lived on, and could store nothing more.
        Ok(known.map(|known| match known.state {
            UseState::Trying if !self.place.is_marked(rules) => FirstUse { state: UseState::Loaded, ..known },
            _ => known,
        }))
    }

    /// Stores how far the first use of rules has come.
    pub async fn first_use_put(&self, first_use: &FirstUse) -> Result<(), StoreError> {
        match first_use.state {
            UseState::Trying => self.place.mark(&first_use.rules)?,
            _ => self.place.unmark(&first_use.rules),
        }
        let mut transaction = self.begin(FIRST_USE).await?;
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
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(FIRST_USE))?;
        transaction.commit(FIRST_USE).await
    }

    /// Notes that this process survived trying rules, even where nothing can be stored any more.
    pub fn first_use_survive(&self, rules: &Digest) {
        self.place.unmark(rules);
    }

    /// The rules of a flow that a process died under. They are not tried again.
    pub async fn first_uses_list_quarantined(
        &self,
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
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(FIRST_USE))?;
        rows.iter().map(first_use_row).collect()
    }

    /// Forgets rules whose first use failed. Returns false if there was nothing to forget.
    pub async fn first_use_delete(&self, rules: &Digest) -> Result<bool, StoreError> {
        self.place.unmark(rules);
        let mut transaction = self.begin(FIRST_USE).await?;
        let gone = sqlx::query("DELETE FROM first_use WHERE rules = $1")
            .bind(rules.as_str())
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(FIRST_USE))?;
        transaction.commit(FIRST_USE).await?;
        Ok(gone.rows_affected() > 0)
    }
}

fn first_use_row(row: &DbRow) -> Result<FirstUse, StoreError> {
    let row = RowReader { row, what: FIRST_USE };
    Ok(FirstUse {
        rules: row.id("rules")?,
        tenant: row.id("tenant")?,
        flow: row.id("flow")?,
        state: row.word("state")?,
        process: row.get("process")?,
        at: row.moment("at")?,
    })
}
