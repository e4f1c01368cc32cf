//! The ledger: the last written state of each member.

use std::collections::{HashMap, HashSet};

use crate::StoreError;
use crate::database::{Database, Db, ROWS, once};
use crate::row::{DbRow, RowReader, json_text, number};
use crate::transaction::Transaction;
use ruzhi_model::{
    Digest, DigestOfParts, FlowId, LedgerEntry, MemberKey, Origin, RecordId, RemovalAnswer, TenantId, UserId,
};
use ruzhi_plan::comparable_mobile;

const LEDGER: &str = "the ledger";

/// Every column an entry is read from.
const COLUMNS: &str = "SELECT tenant, userid, flow, record, decided_key, written, state, left_at, doubtful, \
                       decision_hash, rules, kept, removal_answer FROM member WHERE tenant IN (";

impl Database {
    /// The ledger's lines of these members, across some tenants.
    pub async fn ledger_find(
        &self,
        tenants: &[TenantId],
        keys: &[MemberKey],
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        self.ledger_find_by(tenants, "member_key", keys).await
    }

    /// A page of the ledger of some tenants, in the order of the accounts.
    pub async fn ledger_list(
        &self,
        tenants: &[TenantId],
        after: Option<&MemberKey>,
        most: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let mut query = of_tenants(tenants);
        query.push(" AND member_key > ").push_bind(after.map_or("", MemberKey::as_str).to_owned());
        query.push(" ORDER BY member_key, tenant LIMIT ").push_bind(number(most));
        let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(LEDGER))?;
        rows.iter().map(ledger_entry).collect()
    }

    async fn ledger_find_by(
        &self,
        tenants: &[TenantId],
        column: &'static str,
        keys: &[MemberKey],
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let mut entries = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(ROWS) {
            let mut query = of_tenants(tenants);
            query.push(" AND ").push(column).push(" IN (");
            let mut list = query.separated(", ");
            for key in chunk {
                list.push_bind(key.as_str().to_owned());
            }
            query.push(")");
            let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(LEDGER))?;
            entries.extend(rows.iter().map(ledger_entry).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(entries)
    }

    /// The line of each member a decision names. If two tenants have one, a member in the directory takes precedence
    /// over one that is not, and `own` over another tenant.
    pub(crate) async fn ledger_find_decided_as(
        &self,
        own: &TenantId,
        tenants: &[TenantId],
        keys: &[MemberKey],
    ) -> Result<HashMap<MemberKey, LedgerEntry>, StoreError> {
        let mut best: HashMap<MemberKey, LedgerEntry> = HashMap::new();
        let rank = |entry: &LedgerEntry| (entry.exists(), entry.owner.tenant == *own);
        for entry in self.ledger_find_by(tenants, "decided_key", keys).await? {
            match best.get(&entry.decided_as) {
                Some(other) if rank(other) >= rank(&entry) => {}
                _ => drop(best.insert(entry.decided_as.clone(), entry)),
            }
        }
        Ok(best)
    }

    /// These members, as far as some tenants' ledgers have them in the directory.
    pub(crate) async fn ledger_find_existing(
        &self,
        tenants: &[TenantId],
        keys: &[MemberKey],
    ) -> Result<HashSet<MemberKey>, StoreError> {
        let lines = self.ledger_find(tenants, keys).await?;
        Ok(lines.iter().filter(|line| line.exists()).map(|line| line.userid.key()).collect())
    }

    /// Members in the directory that these records own, each with the account its decisions name.
    pub(crate) async fn ledger_list_owned(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        records: &[RecordId],
    ) -> Result<Vec<(RecordId, UserId, MemberKey)>, StoreError> {
        let mut owned = Vec::new();
        for chunk in records.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new(
                "SELECT record, userid, decided_key FROM member WHERE state = 'active' AND tenant = ",
            );
            query.push_bind(tenant.as_str().to_owned()).push(" AND flow = ");
            query.push_bind(flow.as_str().to_owned()).push(" AND record IN (");
            let mut list = query.separated(", ");
            for record in chunk {
                list.push_bind(record.as_str().to_owned());
            }
            query.push(") ORDER BY record, member_key");
            for row in &once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(LEDGER))? {
                let row = RowReader { row, what: LEDGER };
                let decided: String = row.get("decided_key")?;
                owned.push((row.id("record")?, row.id("userid")?, MemberKey::of(&decided)));
            }
        }
        Ok(owned)
    }

    /// A page of a tenant's leavers, in the order of their accounts: those disabled at a moment or before, and those
    /// that WeCom may not have disabled.
    pub(crate) async fn ledger_list_leavers(
        &self,
        tenant: &TenantId,
        left_until: i64,
        after: Option<&MemberKey>,
        most: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let mut query = of_tenants(std::slice::from_ref(tenant));
        query.push(" AND state = 'left' AND (left_at IS NULL OR left_at <= ").push_bind(left_until);
        query.push(") AND member_key > ").push_bind(after.map_or("", MemberKey::as_str).to_owned());
        query.push(" ORDER BY member_key LIMIT ").push_bind(number(most));
        let rows = once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(LEDGER))?;
        rows.iter().map(ledger_entry).collect()
    }
}

fn ledger_entry(row: &DbRow) -> Result<LedgerEntry, StoreError> {
    let row = RowReader { row, what: LEDGER };
    let decision: String = row.get("decision_hash")?;
    Ok(LedgerEntry {
        userid: row.id("userid")?,
        owner: Origin { tenant: row.id("tenant")?, flow: row.id("flow")?, record: row.id("record")? },
        decided_as: MemberKey::of(&row.get::<String>("decided_key")?),
        written: row.json("written")?,
        state: row.word("state")?,
        left_at: row.optional_moment("left_at")?,
        doubtful: row.get::<i64>("doubtful")? != 0,
        carried_out: if decision.is_empty() { None } else { Some(row.id("decision_hash")?) },
        rules: row.id("rules")?,
        kept: row.json("kept")?,
        removal_answer: row.optional_word("removal_answer")?,
    })
}

/// Begins a query over the members of some tenants.
fn of_tenants(tenants: &[TenantId]) -> sqlx::QueryBuilder<Db> {
    let mut query = sqlx::QueryBuilder::<Db>::new(COLUMNS);
    let mut list = query.separated(", ");
    for tenant in tenants {
        list.push_bind(tenant.as_str().to_owned());
    }
    query.push(")");
    query
}

/// A member's line as seen inside a transaction.
pub(crate) async fn line(
    transaction: &mut Transaction<'_>,
    tenant: &TenantId,
    member: &MemberKey,
) -> Result<Option<LedgerEntry>, StoreError> {
    let mut query = of_tenants(std::slice::from_ref(tenant));
    query.push(" AND member_key = ").push_bind(member.as_str().to_owned());
    let row = once(&mut query)
        .fetch_optional(&mut *transaction.connection)
        .await
        .map_err(StoreError::read(LEDGER))?;
    row.as_ref().map(ledger_entry).transpose()
}

/// Hashes all of a line except the decision it carries out: a line that only learns of another decision is unchanged.
pub(crate) fn stamp(entry: &LedgerEntry) -> i64 {
    let mut digest = DigestOfParts::new();
    digest.json(&LedgerEntry { carried_out: None, rules: Digest::of(""), ..entry.clone() });
    digest.finish().stamp()
}

pub(crate) async fn put(
    transaction: &mut Transaction<'_>,
    lines: &[&LedgerEntry],
    at: i64,
) -> Result<(), StoreError> {
    for chunk in lines.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "INSERT INTO member (tenant, member_key, userid, flow, record, decided_key, written, state, left_at, \
             doubtful, decision_hash, rules, kept, removal_answer, mobile_key, stamp, written_at) ",
        );
        query.push_values(chunk, |mut row, entry| {
            let mobile = entry.written.mobile.as_deref().filter(|mobile| !mobile.is_empty());
            row.push_bind(entry.owner.tenant.as_str())
                .push_bind(entry.userid.key().as_str().to_owned())
                .push_bind(entry.userid.as_str())
                .push_bind(entry.owner.flow.as_str())
                .push_bind(entry.owner.record.as_str())
                .push_bind(entry.decided_as.as_str())
                .push_bind(json_text(&entry.written))
                .push_bind(entry.state.as_str())
                .push_bind(entry.left_at.map(|at| at.timestamp_millis()))
                .push_bind(i64::from(entry.doubtful))
                .push_bind(entry.carried_out.as_ref().map_or("", Digest::as_str))
                .push_bind(entry.rules.as_str())
                .push_bind(json_text(&entry.kept))
                .push_bind(entry.removal_answer.map(RemovalAnswer::as_str))
                .push_bind(mobile.map(comparable_mobile))
                .push_bind(stamp(entry))
                .push_bind(at);
        });
        query.push(
            " ON CONFLICT (tenant, member_key) DO UPDATE SET userid = excluded.userid, flow = excluded.flow, \
             record = excluded.record, decided_key = excluded.decided_key, written = excluded.written, \
             state = excluded.state, left_at = excluded.left_at, doubtful = excluded.doubtful, \
             decision_hash = excluded.decision_hash, rules = excluded.rules, kept = excluded.kept, \
             removal_answer = excluded.removal_answer, mobile_key = excluded.mobile_key, stamp = excluded.stamp, written_at = excluded.written_at",
        );
        once(&mut query).execute(&mut *transaction.connection).await.map_err(StoreError::write(LEDGER))?;
    }
    Ok(())
}

/// Removes the line of a member who moved to another tenant from the ledger of the former one.
pub(crate) async fn release(
    transaction: &mut Transaction<'_>,
    tenant: &TenantId,
    member: &MemberKey,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM member WHERE tenant = $1 AND member_key = $2")
        .bind(tenant.as_str())
        .bind(member.as_str())
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(LEDGER))?;
    Ok(())
}

/// Notes that the written values already carry out these decisions; the members do not change.
pub(crate) async fn confirm(
    transaction: &mut Transaction<'_>,
    confirmed: &[(&Origin, &Digest, &Digest)],
) -> Result<(), StoreError> {
    for (origin, decision, rules) in confirmed {
        sqlx::query(
            "UPDATE member SET decision_hash = $4, rules = $5 WHERE tenant = $1 AND flow = $2 AND record = $3 \
             AND state = 'active' AND doubtful = 0",
        )
        .bind(origin.tenant.as_str())
        .bind(origin.flow.as_str())
        .bind(origin.record.as_str())
        .bind(decision.as_str())
        .bind(rules.as_str())
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(LEDGER))?;
    }
    Ok(())
}
