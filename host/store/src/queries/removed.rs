//! Members who were removed by hand, and a person's decision about each.

use super::values::{DbRow, Reading, number};
use super::{Db, MemberKey, RemovalAnswer, Sqlite, StoreError, TenantId, ledger, once};
use crate::{RemovedRow, RemovedWanted};
use ruzhi_model::{LedgerEntry, MemberState};

const WHAT: &str = "the ledger";

/// The condition that a line of the ledger, `m`, waits for a person.
pub(super) const WAITS: &str = "m.state = 'removed' AND m.removal_answer IS NULL AND EXISTS (SELECT 1 FROM refusal q \
                                WHERE q.tenant = m.tenant AND q.flow = m.flow AND q.record = m.record \
                                AND q.waits_for = 'person')";

pub(super) async fn wanted(
    store: &Sqlite,
    wanted: &RemovedWanted<'_>,
) -> Result<Vec<RemovedRow>, StoreError> {
    let mut query = sqlx::QueryBuilder::<Db>::new(
        "SELECT m.tenant AS tenant, m.flow AS flow, m.record AS record, m.userid AS userid, m.written AS written, \
         m.left_at AS left_at, m.doubtful AS doubtful, m.removal_answer AS removal_answer, ",
    );
    query.push(WAITS).push(" AS waits FROM member m WHERE m.state = 'removed'");
    if let Some(tenant) = wanted.tenant {
        query.push(" AND m.tenant = ").push_bind(tenant.as_str());
    }
    if let Some(flow) = wanted.flow {
        query.push(" AND m.flow = ").push_bind(flow.as_str());
    }
    if let Some(record) = wanted.record {
        query.push(" AND m.record = ").push_bind(record.as_str());
    }
    if let Some(after) = wanted.after {
        query.push(" AND m.member_key > ").push_bind(after.as_str().to_owned());
    }
    if wanted.waiting {
        query.push(" AND ").push(WAITS);
    }
    query.push(" ORDER BY m.tenant, m.member_key LIMIT ").push_bind(number(wanted.most));
    let found = once(&mut query).fetch_all(&store.pool).await;
    found.map_err(|source| StoreError::Read { what: WHAT, source })?.iter().map(row).collect()
}

fn row(row: &DbRow) -> Result<RemovedRow, StoreError> {
    let row = Reading { row, what: WHAT };
    let written: ruzhi_model::Member = row.json("written")?;
    Ok(RemovedRow {
        tenant: row.id("tenant")?,
        flow: row.id("flow")?,
        record: row.id("record")?,
        userid: row.id("userid")?,
        name: written.name,
        found_at: row.optional_moment("left_at")?,
        unsure: row.get::<i64>("doubtful")? != 0,
        answer: row.optional_word("removal_answer")?,
        waits: row.get::<i64>("waits")? != 0,
    })
}

/// Writes a person's decision on the line of a removed member. The line's stamp changes with it, so that a plan made
/// before becomes outdated. Returns false if there was nothing to decide.
pub(super) async fn answer(
    store: &Sqlite,
    tenant: &TenantId,
    member: &MemberKey,
    answer: RemovalAnswer,
) -> Result<bool, StoreError> {
    let mut writing = store.writing(WHAT).await?;
    let line = ledger::line(&mut writing, tenant, member).await?;
    let Some(line) = line.filter(|line| line.state == MemberState::Removed) else { return Ok(false) };
    let line = LedgerEntry { removal_answer: Some(answer), ..line };
    sqlx::query("UPDATE member SET removal_answer = $3, stamp = $4 WHERE tenant = $1 AND member_key = $2")
        .bind(tenant.as_str())
        .bind(member.as_str())
        .bind(answer.as_str())
        .bind(ledger::stamp(&line))
        .execute(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Write { what: WHAT, source })?;
    writing.commit(WHAT).await?;
    Ok(true)
}
