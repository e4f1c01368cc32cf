//! Members who were removed by hand, and a person's decision about each.

use chrono::{DateTime, Utc};

use crate::database::{Database, Db, once};
use crate::row::{DbRow, RowReader, number};
use crate::{StoreError, drift_checks, ledger};
use ruzhi_model::{FlowId, LedgerEntry, MemberKey, MemberState, RecordId, RemovalAnswer, TenantId, UserId};

const LEDGER: &str = "the ledger";

/// A filter of members who were removed by hand, by tenant and account.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemovalFilter<'a> {
    /// Of this tenant.
    pub tenant: Option<&'a TenantId>,
    /// Of this flow.
    pub flow: Option<&'a FlowId>,
    /// Owned by this record.
    pub record: Option<&'a RecordId>,
    /// Only those who wait for a person.
    pub waiting: bool,
    /// Only those behind this account; of one tenant.
    pub after: Option<&'a MemberKey>,
    /// At most so many.
    pub most: usize,
}

/// A member who was removed by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow whose record owns the member.
    pub flow: FlowId,
    /// The record that owns the member.
    pub record: RecordId,
    /// The account.
    pub userid: UserId,
    /// The name as it was written last.
    pub name: String,
    /// The time the removal was found.
    pub found_at: Option<DateTime<Utc>>,
    /// Only one listing has shown the removal: the member may still turn up.
    pub unsure: bool,
    /// The person's decision.
    pub answer: Option<RemovalAnswer>,
    /// The record wants the member back, and a person has to decide.
    pub waits: bool,
}

/// The condition that a line of the ledger, `m`, waits for a person.
pub(crate) const WAITS: &str = "m.state = 'removed' AND m.removal_answer IS NULL AND EXISTS (SELECT 1 FROM quarantine q \
                                WHERE q.tenant = m.tenant AND q.flow = m.flow AND q.record = m.record \
                                AND q.waits_for = 'person')";

impl Database {
    /// Members who were removed by hand, by tenant and account.
    pub async fn removals_list(&self, wanted: &RemovalFilter<'_>) -> Result<Vec<RemovalRow>, StoreError> {
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
        let found = once(&mut query).fetch_all(&self.pool).await;
        found.map_err(StoreError::read(LEDGER))?.iter().map(removed_row).collect()
    }

    /// Stores a person's decision about a member who was removed by hand; a later one replaces an earlier one. Returns
    /// false, and stores nothing, if the member's line is not one of a removed member.
    /// The line's stamp changes with it, so that a plan made before becomes outdated.
    pub async fn removal_answer(
        &self,
        tenant: &TenantId,
        member: &MemberKey,
        answer: RemovalAnswer,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin(LEDGER).await?;
        let line = ledger::line(&mut transaction, tenant, member).await?;
        let Some(line) = line.filter(|line| line.state == MemberState::Removed) else { return Ok(false) };
        let line = LedgerEntry { removal_answer: Some(answer), ..line };
        sqlx::query(
            "UPDATE member SET removal_answer = $3, stamp = $4 WHERE tenant = $1 AND member_key = $2",
        )
        .bind(tenant.as_str())
        .bind(member.as_str())
        .bind(answer.as_str())
        .bind(ledger::stamp(&line))
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(LEDGER))?;
        if answer == RemovalAnswer::Release {
            drift_checks::release(&mut transaction, tenant, member).await?;
        }
        transaction.commit(LEDGER).await?;
        Ok(true)
    }
}

fn removed_row(row: &DbRow) -> Result<RemovalRow, StoreError> {
    let row = RowReader { row, what: LEDGER };
    let written: ruzhi_model::Member = row.json("written")?;
    Ok(RemovalRow {
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
