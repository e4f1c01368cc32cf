//! Records, their decisions, and the quarantine.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::values::{Reading, json_text, number};
use super::{
    Absence, Db, FetchedRecord, KnownRecord, PresentRecord, ROWS, RecordRow, RecordTrace, RejectRow, Sqlite,
    StoreError, Writing, once, plans,
};
use ruzhi_model::{
    Decision, Digest, FlowId, MemberKey, RecordId, Refusal, RefusedBy, SourceRecord, TenantId, UniqueField,
    WaitsFor,
};
use ruzhi_plan::{Resolution, StoredRefusal, comparable_mobile};

const WHAT: &str = "records";
const QUARANTINE: &str = "the quarantine";

fn read(source: sqlx::Error) -> StoreError {
    StoreError::Read { what: WHAT, source }
}

pub(super) async fn known(
    store: &Sqlite,
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
        for row in &once(&mut query).fetch_all(&store.pool).await.map_err(read)? {
            let row = Reading { row, what: WHAT };
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

pub(super) async fn stale(
    store: &Sqlite,
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
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    rows.iter().map(|row| fetched(&Reading { row, what: WHAT })).collect()
}

pub(super) fn fetched(row: &Reading<'_>) -> Result<FetchedRecord, StoreError> {
    Ok(FetchedRecord {
        record: SourceRecord { id: row.get("id")?, json: row.get("content")? },
        fetched_at: row.moment("fetched_at")?,
        updated_at: row.optional_moment("updated_at")?,
        fetched_run: row.id("fetched_run")?,
    })
}

pub(super) async fn put(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    records: &[RecordRow],
) -> Result<(), StoreError> {
    let mut writing = store.writing(WHAT).await?;
    for chunk in records.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "INSERT INTO record (tenant, flow, id, content, content_hash, fetched_at, fetched_run, decided_at, \
             rules, decision, failure, decision_hash, notes, kind, member_key, mobile_key, stamp, context, \
             holds_until, told, timezone, updated_at) ",
        );
        query.push_values(chunk, |mut row, record| {
            let (decision, failure) = match &record.resolution {
                Resolution::Decided(decision) => (Some(json_text(decision)), None),
                Resolution::Failed(reason) => (None, Some(reason.as_str())),
            };
            let decision_hash = record.decision_hash();
            let claim = Claim::of(&record.resolution);
            let parts = [flow.as_str(), record.id.as_str(), decision_hash.as_str(), record.rules.as_str()];
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
                .push_bind(claim.kind)
                .push_bind(claim.member)
                .push_bind(claim.mobile)
                .push_bind(stamp)
                .push_bind(json_text(&record.context))
                .push_bind(record.holds_until.map(|until| until.at.timestamp_millis()))
                .push_bind(i64::from(record.holds_until.is_some_and(|until| until.told)))
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
             context = excluded.context, holds_until = excluded.holds_until, told = excluded.told, \
             timezone = excluded.timezone, updated_at = excluded.updated_at, absent = 0",
        );
        once(&mut query)
            .execute(&mut *writing.transaction)
            .await
            .map_err(|source| StoreError::Write { what: WHAT, source })?;
    }
    writing.commit(WHAT).await
}

/// A record's claims, in the columns that claims are compared by.
struct Claim {
    kind: &'static str,
    member: Option<String>,
    mobile: Option<String>,
}

impl Claim {
    fn of(resolution: &Resolution) -> Self {
        let (kind, member, mobile) = match resolution {
            Resolution::Failed(_) => ("failed", None, None),
            Resolution::Decided(Decision::Ignore(_)) => ("ignore", None, None),
            Resolution::Decided(Decision::Reject(_)) => ("reject", None, None),
            Resolution::Decided(Decision::Leave(userid)) => ("leave", Some(userid), None),
            Resolution::Decided(Decision::Upsert(member)) => {
                ("upsert", Some(&member.userid), member.mobile.as_deref().filter(|mobile| !mobile.is_empty()))
            }
        };
        Self {
            kind,
            member: member.map(|userid| MemberKey::of(userid).as_str().to_owned()),
            mobile: mobile.map(comparable_mobile),
        }
    }
}

/// The userid of an upsert.
pub(super) fn upserted(resolution: &Resolution) -> Option<&str> {
    match resolution {
        Resolution::Decided(Decision::Upsert(member)) => Some(&member.userid),
        _ => None,
    }
}

/// The records after one id and up to another that the last complete collect found.
pub(super) async fn present(
    store: &Sqlite,
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
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: WHAT };
            Ok(PresentRecord { id: row.id("id")?, confirmed: row.get::<i64>("confirmed")? != 0 })
        })
        .collect()
}

/// A page of the rows that the last complete collect found.
pub(super) async fn page(
    store: &Sqlite,
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
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: WHAT };
            Ok(SourceRecord { id: row.get("id")?, json: row.get("content")? })
        })
        .collect()
}

/// How many rows the last complete collect found.
pub(super) async fn count(store: &Sqlite, tenant: &TenantId, flow: &FlowId) -> Result<u64, StoreError> {
    let row =
        sqlx::query("SELECT COUNT(*) AS records FROM record WHERE tenant = $1 AND flow = $2 AND absent = 0")
            .bind(tenant.as_str())
            .bind(flow.as_str())
            .fetch_one(&store.pool)
            .await
            .map_err(read)?;
    Reading { row: &row, what: WHAT }.count("records")
}

pub(super) async fn mark_absent(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    absence: Absence,
    ids: &[RecordId],
) -> Result<(), StoreError> {
    let absent = match absence {
        Absence::Gone => "1",
        Absence::Elsewhere => "2",
    };
    let mut writing = store.writing(WHAT).await?;
    for chunk in ids.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE record SET absent = ");
        query.push(absent);
        only_ids(&mut query, tenant, flow, chunk);
        once(&mut query)
            .execute(&mut *writing.transaction)
            .await
            .map_err(|source| StoreError::Write { what: WHAT, source })?;
    }
    writing.commit(WHAT).await
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

/// The reasons of those of these records of a flow that are in quarantine.
pub(super) async fn stored_refusals(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    ids: &[RecordId],
) -> Result<HashMap<RecordId, StoredRefusal>, StoreError> {
    let mut refusals = HashMap::new();
    for chunk in ids.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "SELECT record, refused_by, violations, errcode, held_by, waits_for, tries, retry_at, decision_hash, rules \
             FROM refusal WHERE tenant = ",
        );
        query.push_bind(tenant.as_str().to_owned()).push(" AND flow = ");
        query.push_bind(flow.as_str().to_owned()).push(" AND record IN (");
        let mut list = query.separated(", ");
        for id in chunk {
            list.push_bind(id.as_str().to_owned());
        }
        query.push(")");
        let rows = once(&mut query).fetch_all(&store.pool).await;
        for row in &rows.map_err(|source| StoreError::Read { what: QUARANTINE, source })? {
            let row = Reading { row, what: QUARANTINE };
            let stored = StoredRefusal {
                refusal: refusal(&row)?,
                decision: row.id("decision_hash")?,
                rules: row.id("rules")?,
            };
            refusals.insert(row.id("record")?, stored);
        }
    }
    Ok(refusals)
}

pub(super) fn refusal(row: &Reading<'_>) -> Result<Refusal, StoreError> {
    let by: RefusedBy = row.word("refused_by")?;
    Ok(Refusal {
        by,
        violations: row.json("violations")?,
        errcode: row.get("errcode")?,
        held_by: row.optional_id("held_by")?,
        waits_for: row.word("waits_for")?,
        tries: u32::try_from(row.count("tries")?).unwrap_or(u32::MAX),
        retry_at: row.optional_moment("retry_at")?,
    })
}

/// A record's entry in the quarantine, to be written.
pub(super) struct Entry<'a> {
    pub(super) flow: &'a FlowId,
    pub(super) record: &'a RecordId,
    pub(super) refusal: &'a Refusal,
    pub(super) decision: &'a Digest,
    pub(super) rules: &'a Digest,
}

pub(super) async fn put_refusals(
    writing: &mut Writing<'_>,
    tenant: &TenantId,
    entries: &[Entry<'_>],
    at: i64,
) -> Result<(), StoreError> {
    for chunk in entries.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "INSERT INTO refusal (tenant, flow, record, refused_by, violations, errcode, held_by, waits_for, tries, \
             retry_at, decision_hash, rules, first_seen, last_seen) ",
        );
        query.push_values(chunk, |mut row, entry| {
            row.push_bind(tenant.as_str())
                .push_bind(entry.flow.as_str())
                .push_bind(entry.record.as_str())
                .push_bind(entry.refusal.by.as_str())
                .push_bind(json_text(&entry.refusal.violations))
                .push_bind(entry.refusal.errcode)
                .push_bind(entry.refusal.held_by.as_ref().map(|holder| holder.as_str()))
                .push_bind(entry.refusal.waits_for.as_str())
                .push_bind(i64::from(entry.refusal.tries))
                .push_bind(entry.refusal.retry_at.map(|at| at.timestamp_millis()))
                .push_bind(entry.decision.as_str())
                .push_bind(entry.rules.as_str())
                .push_bind(at)
                .push_bind(at);
        });
        query.push(
            " ON CONFLICT (tenant, flow, record) DO UPDATE SET refused_by = excluded.refused_by, \
             violations = excluded.violations, errcode = excluded.errcode, held_by = excluded.held_by, \
             waits_for = excluded.waits_for, tries = excluded.tries, retry_at = excluded.retry_at, \
             decision_hash = excluded.decision_hash, rules = excluded.rules, last_seen = excluded.last_seen",
        );
        once(&mut query)
            .execute(&mut *writing.transaction)
            .await
            .map_err(|source| StoreError::Write { what: QUARANTINE, source })?;
    }
    Ok(())
}

/// Releases every record of some tenants that waits for a value of this field: a member gave one up.
pub(super) async fn wake_waiting(
    writing: &mut Writing<'_>,
    tenants: &[TenantId],
    field: UniqueField,
) -> Result<(), StoreError> {
    let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE refusal SET retry_at = 0 WHERE waits_for = ");
    query.push_bind(WaitsFor::from(field).as_str()).push(" AND tenant IN (");
    let mut list = query.separated(", ");
    for tenant in tenants {
        list.push_bind(tenant.as_str().to_owned());
    }
    query.push(")");
    once(&mut query)
        .execute(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Write { what: QUARANTINE, source })?;
    Ok(())
}

/// Takes records of a flow out of quarantine; rejections that hold nothing back stay.
pub(super) async fn drop_refusals(
    writing: &mut Writing<'_>,
    tenant: &TenantId,
    flow: &FlowId,
    records: &[&RecordId],
) -> Result<(), StoreError> {
    for chunk in records.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new("DELETE FROM refusal WHERE tenant = ");
        query.push_bind(tenant.as_str().to_owned()).push(" AND flow = ").push_bind(flow.as_str().to_owned());
        query.push(" AND record IN (");
        let mut list = query.separated(", ");
        for record in chunk {
            list.push_bind(record.as_str().to_owned());
        }
        query.push(")");
        once(&mut query)
            .execute(&mut *writing.transaction)
            .await
            .map_err(|source| StoreError::Write { what: QUARANTINE, source })?;
    }
    Ok(())
}

pub(super) async fn rejects(
    store: &Sqlite,
    tenant: Option<&TenantId>,
    flow: Option<&FlowId>,
    record: Option<&RecordId>,
) -> Result<Vec<RejectRow>, StoreError> {
    let read = |source| StoreError::Read { what: QUARANTINE, source };
    let rows = sqlx::query(
        "SELECT r.tenant AS tenant, r.flow AS flow, r.record AS record, r.refused_by AS refused_by, \
         r.violations AS violations, r.errcode AS errcode, r.held_by AS held_by, r.waits_for AS waits_for, r.tries AS tries, \
         r.retry_at AS retry_at, r.first_seen AS first_seen, \
         r.last_seen AS last_seen, s.content AS content FROM refusal r LEFT JOIN record s \
         ON s.tenant = r.tenant AND s.flow = r.flow AND s.id = r.record \
         WHERE ($1 = '' OR r.tenant = $1) AND ($2 = '' OR r.flow = $2) AND ($3 = '' OR r.record = $3) \
         ORDER BY r.tenant, r.flow, r.record",
    )
    .bind(tenant.map_or("", TenantId::as_str))
    .bind(flow.map_or("", FlowId::as_str))
    .bind(record.map_or("", RecordId::as_str))
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: QUARANTINE };
            Ok(RejectRow {
                tenant: row.id("tenant")?,
                flow: row.id("flow")?,
                record: row.id("record")?,
                refusal: refusal(&row)?,
                content: row.get("content")?,
                first_seen: row.moment("first_seen")?,
                last_seen: row.moment("last_seen")?,
            })
        })
        .collect()
}

pub(super) async fn trace(
    store: &Sqlite,
    tenant: &TenantId,
    flow: Option<&FlowId>,
    id: &RecordId,
) -> Result<Vec<RecordTrace>, StoreError> {
    let rows = sqlx::query(
        "SELECT flow, content, fetched_at, fetched_run, decided_at, rules, decision, failure, notes, \
         context, holds_until FROM record WHERE tenant = $1 AND id = $2 AND ($3 = '' OR flow = $3) ORDER BY flow",
    )
    .bind(tenant.as_str())
    .bind(id.as_str())
    .bind(flow.map_or("", FlowId::as_str))
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    let mut traces = Vec::new();
    for row in &rows {
        let row = Reading { row, what: WHAT };
        let flow: FlowId = row.id("flow")?;
        let decision: Option<String> = row.get("decision")?;
        traces.push(RecordTrace {
            record: id.clone(),
            content: row.get("content")?,
            fetched_at: row.moment("fetched_at")?,
            fetched_run: row.id("fetched_run")?,
            decided_at: row.moment("decided_at")?,
            rules: row.id("rules")?,
            decision: if decision.is_some() { Some(row.json("decision")?) } else { None },
            failure: row.get("failure")?,
            notes: row.json("notes")?,
            context: if row.get::<String>("context")?.is_empty() { None } else { Some(row.json("context")?) },
            holds_until: row.optional_moment("holds_until")?,
            refusal: rejects(store, Some(tenant), Some(&flow), Some(id)).await?.into_iter().next(),
            operations: plans::operations_of(store, tenant, &flow, id).await?,
            members: owned(store, tenant, &flow, id).await?,
            flow,
        });
    }
    Ok(traces)
}

async fn owned(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    id: &RecordId,
) -> Result<Vec<(MemberKey, String)>, StoreError> {
    let rows = sqlx::query(
        "SELECT userid, state FROM member WHERE tenant = $1 AND flow = $2 AND record = $3 ORDER BY userid",
    )
    .bind(tenant.as_str())
    .bind(flow.as_str())
    .bind(id.as_str())
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: "the ledger" };
            let userid: String = row.get("userid")?;
            Ok((MemberKey::of(&userid), row.get("state")?))
        })
        .collect()
}
