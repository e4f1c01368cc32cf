//! The ledger: what ruzhi has written of each member.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;

use super::values::{Reading, json_text};
use super::{Db, ROWS, Sqlite, StoreError, Writing};
use crate::model::{Digest, MemberKey, TenantId};
use crate::plan::{LedgerEntry, MemberState};

const WHAT: &str = "the ledger";

pub(super) async fn entries(
    store: &Sqlite,
    tenant: &TenantId,
) -> Result<BTreeMap<MemberKey, LedgerEntry>, StoreError> {
    let mut rows = sqlx::query(
        "SELECT userid, flow, record, written, state, left_at, doubtful FROM member WHERE tenant = $1",
    )
    .bind(tenant.as_str())
    .fetch(&store.pool);
    let mut entries = BTreeMap::new();
    while let Some(row) = rows.try_next().await.map_err(|source| StoreError::Read { what: WHAT, source })? {
        let row = Reading { row: &row, what: WHAT };
        let state: MemberState = row.word("state")?;
        let doubtful: i64 = row.get("doubtful")?;
        let entry = LedgerEntry {
            userid: row.id("userid")?,
            flow: row.id("flow")?,
            record: row.id("record")?,
            written: row.json("written")?,
            state,
            left_at: row.optional_moment("left_at")?,
            doubtful: doubtful != 0,
        };
        entries.insert(entry.userid.key(), entry);
    }
    Ok(entries)
}

/// A line of the ledger and the decision and rules that wrote it.
pub(super) type Line<'a> = (&'a LedgerEntry, &'a Digest, &'a Digest);

pub(super) async fn put(
    writing: &mut Writing<'_>,
    tenant: &TenantId,
    lines: &[Line<'_>],
    at: i64,
) -> Result<(), StoreError> {
    for chunk in lines.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "INSERT INTO member (tenant, member_key, userid, flow, record, written, state, left_at, doubtful, \
             decision_hash, rules, written_at) ",
        );
        query.push_values(chunk, |mut row, (entry, decision, rules)| {
            row.push_bind(tenant.as_str())
                .push_bind(entry.userid.key().as_str().to_owned())
                .push_bind(entry.userid.as_str())
                .push_bind(entry.flow.as_str())
                .push_bind(entry.record.as_str())
                .push_bind(json_text(&entry.written))
                .push_bind(entry.state.as_str())
                .push_bind(entry.left_at.map(|at| at.timestamp_millis()))
                .push_bind(i64::from(entry.doubtful))
                .push_bind(decision.as_str())
                .push_bind(rules.as_str())
                .push_bind(at);
        });
        query.push(
            " ON CONFLICT (tenant, member_key) DO UPDATE SET userid = excluded.userid, flow = excluded.flow, \
             record = excluded.record, written = excluded.written, state = excluded.state, \
             left_at = excluded.left_at, doubtful = excluded.doubtful, \
             decision_hash = excluded.decision_hash, rules = excluded.rules, \
             written_at = excluded.written_at",
        );
        query
            .build()
            .execute(&mut *writing.transaction)
            .await
            .map_err(|source| StoreError::Write { what: WHAT, source })?;
    }
    Ok(())
}
