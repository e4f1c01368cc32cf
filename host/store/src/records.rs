//! Records and their decisions.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::database::{Database, Db, ROWS, once};
use crate::row::{RowReader, json_text, number, word_of};
use ruzhi_model::{Context, Decision, Digest, FlowId, MemberKey, RecordId, RunId, SourceRecord, TenantId};
use ruzhi_plan::{Resolution, comparable_mobile};

const RECORDS: &str = "records";

/// Earlier knowledge of a record, before its row is fetched again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRecord {
    /// Digest of the row.
    pub content: Digest,
    /// Digest of the rules that decided.
    pub rules: Digest,
    /// Its batch failed, so it has no decision.
    pub failed: bool,
    /// The last complete collect did not find it.
    pub absent: bool,
    /// The time its row was last fetched with new content.
    pub fetched_at: DateTime<Utc>,
    /// The time of the row's last change as of then, by the service's clock.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A record that the last complete collect found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentRecord {
    /// Its id.
    pub id: RecordId,
    /// A collect that found it ended well.
    pub confirmed: bool,
}

/// The reason a complete collect did not find a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// It was deleted from the form.
    Gone,
    /// It is still in the form, but outside the filter.
    Elsewhere,
}

/// A fetched row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedRecord {
    /// The row as the guest sees it.
    pub record: SourceRecord,
    /// The time it was fetched.
    pub fetched_at: DateTime<Utc>,
    /// The time of its last change, by the service's clock, if the service gave it.
    pub updated_at: Option<DateTime<Utc>>,
    /// The run that fetched it.
    pub fetched_run: RunId,
}

/// A row with the decision on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The row's id.
    pub id: RecordId,
    /// The row, source fields only, as JSON text.
    pub content: String,
    /// Digest of the row.
    pub content_hash: Digest,
    /// The time it was fetched.
    pub fetched_at: DateTime<Utc>,
    /// The time of its last change, by the service's clock, if the service gave it.
    pub updated_at: Option<DateTime<Utc>>,
    /// The run that fetched it.
    pub fetched_run: RunId,
    /// The time it was decided.
    pub decided_at: DateTime<Utc>,
    /// Digest of guest and rules file.
    pub rules: Digest,
    /// The decision, or the reason there is none.
    pub resolution: Resolution,
    /// The guest's remarks.
    pub notes: Vec<String>,
    /// The context given to the guest.
    pub context: Context,
    /// The end of the decision's validity; none means it never expires.
    pub holds_until: Option<HoldsUntil>,
}

impl RecordRow {
    /// Digest of the decision: tells a changed decision from the same one.
    pub fn decision_hash(&self) -> Digest {
        match &self.resolution {
            Resolution::Decided(decision) => digest_of(decision),
            Resolution::Failed(reason) => Digest::of_parts([b"failed".as_slice(), reason.as_bytes()]),
        }
    }
}

/// The first moment at which a decision may change although the row is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldsUntil {
    /// The moment.
    pub at: DateTime<Utc>,
    /// The rules gave it. Where their contract cannot, it is the end of the day.
    pub stated: bool,
}

fn digest_of(decision: &Decision) -> Digest {
    // A decision is plain data and always has a JSON form.
    Digest::of(serde_json::to_vec(decision).unwrap_or_default())
}

/// The kind of a record's decision, in the column that decisions are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecordKind {
    /// Stored before this column, and not decided since.
    #[serde(rename = "")]
    Undecided,
    /// It could not be decided.
    Failed,
    Ignore,
    Reject,
    Leave,
    Upsert,
}

/// A record's claims, in the columns that claims are compared by.
struct RecordKeys {
    kind: RecordKind,
    member: Option<String>,
    mobile: Option<String>,
}

impl RecordKeys {
    fn of(resolution: &Resolution) -> Self {
        let (kind, member, mobile) = match resolution {
            Resolution::Failed(_) => (RecordKind::Failed, None, None),
            Resolution::Decided(Decision::Ignore(_)) => (RecordKind::Ignore, None, None),
            Resolution::Decided(Decision::Reject(_)) => (RecordKind::Reject, None, None),
            Resolution::Decided(Decision::Leave(userid)) => (RecordKind::Leave, Some(userid), None),
            Resolution::Decided(Decision::Upsert(member)) => (
                RecordKind::Upsert,
                Some(&member.userid),
                member.mobile.as_deref().filter(|mobile| !mobile.is_empty()),
            ),
        };
        Self {
            kind,
            member: member.map(|userid| MemberKey::of(userid).as_str().to_owned()),
            mobile: mobile.map(comparable_mobile),
        }
    }
}

impl Database {
    /// Earlier knowledge of these records of a flow.
    pub async fn records_find(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, KnownRecord>, StoreError> {
        let mut known = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new(
                "SELECT id, content_hash, rules, failure, absent, fetched_at, updated_at FROM record",
            );
            only_ids(&mut query, tenant, flow, chunk);
            for row in &once(&mut query).fetch_all(&self.pool).await.map_err(StoreError::read(RECORDS))? {
                let row = RowReader { row, what: RECORDS };
                let failure: Option<String> = row.get("failure")?;
                known.insert(
                    row.id("id")?,
                    KnownRecord {
                        content: row.id("content_hash")?,
                        rules: row.id("rules")?,
                        failed: failure.is_some(),
                        absent: row.get::<i64>("absent")? != 0,
                        fetched_at: row.moment("fetched_at")?,
                        updated_at: row.optional_moment("updated_at")?,
                    },
                );
            }
        }
        Ok(known)
    }

    /// Up to `most` stored records after `after`, in order of id, that were decided before a moment, by other rules
    /// than `rules`, in another zone than `timezone` or without success.
    pub async fn records_list_stale(
        &self,
        (tenant, flow): (&TenantId, &FlowId),
        rules: &Digest,
        timezone: &str,
        decided_before: DateTime<Utc>,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<FetchedRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, content, fetched_at, updated_at, fetched_run FROM record WHERE tenant = $1 AND flow = $2 AND id > $3 \
             AND absent = 0 AND decided_at < $4 AND (rules <> $5 OR timezone <> $6 OR failure IS NOT NULL) ORDER BY id LIMIT $7",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(after.map_or("", RecordId::as_str))
        .bind(decided_before.timestamp_millis())
        .bind(rules.as_str())
        .bind(timezone)
        .bind(number(most))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(RECORDS))?;
        rows.iter().map(|row| fetched_record(&RowReader { row, what: RECORDS })).collect()
    }

    /// Stores records with their decisions.
    pub async fn records_put(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        records: &[RecordRow],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin(RECORDS).await?;
        for chunk in records.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new(
                "INSERT INTO record (tenant, flow, id, content, content_hash, fetched_at, fetched_run, decided_at, \
                 rules, decision, failure, decision_hash, notes, kind, member_key, mobile_key, stamp, context, \
                 holds_until, stated, timezone, updated_at) ",
            );
            query.push_values(chunk, |mut row, record| {
                let (decision, failure) = match &record.resolution {
                    Resolution::Decided(decision) => (Some(json_text(decision)), None),
                    Resolution::Failed(reason) => (None, Some(reason.as_str())),
                };
                let decision_hash = record.decision_hash();
                let keys = RecordKeys::of(&record.resolution);
                let parts =
                    [flow.as_str(), record.id.as_str(), decision_hash.as_str(), record.rules.as_str()];
                let stamp = Digest::of_parts(parts.map(str::as_bytes)).stamp();
                row.push_bind(tenant.as_str())
                    .push_bind(flow.as_str())
                    .push_bind(record.id.as_str())
                    .push_bind(record.content.as_str())
                    .push_bind(record.content_hash.as_str())
                    .push_bind(record.fetched_at.timestamp_millis())
                    .push_bind(record.fetched_run.as_str())
                    .push_bind(record.decided_at.timestamp_millis())
                    .push_bind(record.rules.as_str())
                    .push_bind(decision)
                    .push_bind(failure)
                    .push_bind(String::from(decision_hash))
                    .push_bind(json_text(&record.notes))
                    .push_bind(word_of(&keys.kind))
                    .push_bind(keys.member)
                    .push_bind(keys.mobile)
                    .push_bind(stamp)
                    .push_bind(json_text(&record.context))
                    .push_bind(record.holds_until.map(|until| until.at.timestamp_millis()))
                    .push_bind(i64::from(record.holds_until.is_some_and(|until| until.stated)))
                    .push_bind(record.context.timezone.as_str())
                    .push_bind(record.updated_at.map(|at| at.timestamp_millis()));
            });
            query.push(
                " ON CONFLICT (tenant, flow, id) DO UPDATE SET content = excluded.content, \
                 content_hash = excluded.content_hash, fetched_at = excluded.fetched_at, \
                 fetched_run = excluded.fetched_run, decided_at = excluded.decided_at, rules = excluded.rules, \
                 decision = excluded.decision, failure = excluded.failure, \
                 decision_hash = excluded.decision_hash, notes = excluded.notes, kind = excluded.kind, \
                 member_key = excluded.member_key, mobile_key = excluded.mobile_key, stamp = excluded.stamp, \
                 context = excluded.context, holds_until = excluded.holds_until, stated = excluded.stated, \
                 timezone = excluded.timezone, updated_at = excluded.updated_at, absent = 0",
            );
            once(&mut query)
                .execute(&mut *transaction.connection)
                .await
                .map_err(StoreError::write(RECORDS))?;
        }
        transaction.commit(RECORDS).await
    }

    /// The records after one id and up to another that the last complete collect of a flow found, in order.
    pub async fn records_list_present(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        after: Option<&RecordId>,
        until: Option<&RecordId>,
    ) -> Result<Vec<PresentRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, confirmed FROM record WHERE tenant = $1 AND flow = $2 AND absent = 0 AND id > $3 \
             AND ($4 = '' OR id <= $4) ORDER BY id",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(after.map_or("", RecordId::as_str))
        .bind(until.map_or("", RecordId::as_str))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(RECORDS))?;
        rows.iter()
            .map(|row| {
                let row = RowReader { row, what: RECORDS };
                Ok(PresentRecord { id: row.id("id")?, confirmed: row.get::<i64>("confirmed")? != 0 })
            })
            .collect()
    }

    /// Notes that a complete collect did not find these records: their claims no longer count.
    pub async fn records_mark_absent(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        absence: Absence,
        ids: &[RecordId],
    ) -> Result<(), StoreError> {
        let absent = match absence {
            Absence::Gone => "1",
            Absence::Elsewhere => "2",
        };
        let mut transaction = self.begin(RECORDS).await?;
        for chunk in ids.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE record SET absent = ");
            query.push(absent);
            only_ids(&mut query, tenant, flow, chunk);
            once(&mut query)
                .execute(&mut *transaction.connection)
                .await
                .map_err(StoreError::write(RECORDS))?;
        }
        transaction.commit(RECORDS).await
    }

    /// A page of the rows that the last complete collect found, in the order of their ids.
    pub async fn records_list(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<SourceRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, content FROM record WHERE tenant = $1 AND flow = $2 AND absent = 0 AND id > $3 \
             ORDER BY id LIMIT $4",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(after.map_or("", RecordId::as_str))
        .bind(number(most))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(RECORDS))?;
        rows.iter()
            .map(|row| {
                let row = RowReader { row, what: RECORDS };
                Ok(SourceRecord { id: row.get("id")?, json: row.get("content")? })
            })
            .collect()
    }

    /// The number of rows that the last complete collect found.
    pub async fn records_count(&self, tenant: &TenantId, flow: &FlowId) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS records FROM record WHERE tenant = $1 AND flow = $2 AND absent = 0",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .fetch_one(&self.pool)
        .await
        .map_err(StoreError::read(RECORDS))?;
        RowReader { row: &row, what: RECORDS }.count("records")
    }
}

pub(crate) fn fetched_record(row: &RowReader<'_>) -> Result<FetchedRecord, StoreError> {
    Ok(FetchedRecord {
        record: SourceRecord { id: row.get("id")?, json: row.get("content")? },
        fetched_at: row.moment("fetched_at")?,
        updated_at: row.optional_moment("updated_at")?,
        fetched_run: row.id("fetched_run")?,
    })
}

/// The userid of an upsert.
pub(crate) fn upserted(resolution: &Resolution) -> Option<&str> {
    match resolution {
        Resolution::Decided(Decision::Upsert(member)) => Some(&member.userid),
        _ => None,
    }
}

fn only_ids(query: &mut sqlx::QueryBuilder<Db>, tenant: &TenantId, flow: &FlowId, ids: &[RecordId]) {
    query.push(" WHERE tenant = ").push_bind(tenant.as_str().to_owned());
    query.push(" AND flow = ").push_bind(flow.as_str().to_owned()).push(" AND id IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(id.as_str().to_owned());
    }
    query.push(")");
}
