//! The outcome of each record, and the one last written to its form.

use chrono::{DateTime, Utc};

use super::records::refusal;
use super::values::{Reading, number};
use super::{Db, ROWS, Sqlite, StoreError, once};
use crate::{DueWriteBack, WriteBackScope, WrittenBack};
use ruzhi_model::{Decision, FlowId, MemberState, Origin, RecordId, TenantId};

const WHAT: &str = "what was written back";

fn read(source: sqlx::Error) -> StoreError {
    StoreError::Read { what: WHAT, source }
}

/// A page of the records whose basis differs from the one last written to the form, in the order of their ids. Skipped
/// are records that have never been written back and have no outcome yet.
pub(super) async fn due(
    store: &Sqlite,
    scope: &WriteBackScope<'_>,
    after: Option<&RecordId>,
    most: usize,
) -> Result<Vec<DueWriteBack>, StoreError> {
    // The member is the one the record names, regardless of its owner, if it is as this record wants it.
    let rows = sqlx::query(
        "SELECT x.* FROM (SELECT y.*, $3 || '|' || y.kind || '|' || y.member || '|' || y.waits || '|' || y.refusal \
           AS basis FROM (SELECT r.id AS id, r.kind AS kind, \
             COALESCE((SELECT m.state FROM member m WHERE m.tenant = r.tenant AND m.decided_key = r.member_key \
               AND m.doubtful = 0 AND ((r.kind = 'leave' AND m.state <> 'active') \
                 OR (r.kind = 'upsert' AND m.state = 'active' AND m.decision_hash = r.decision_hash)) \
               ORDER BY m.state LIMIT 1), '') AS member, \
             CASE WHEN EXISTS (SELECT 1 FROM operation o WHERE o.tenant = r.tenant AND o.flow = r.flow \
               AND o.record = r.id AND o.plan = $4) THEN '1' ELSE '' END AS waits, \
             COALESCE(COALESCE(CAST(f.errcode AS TEXT), '') || f.violations, '') AS refusal, \
             f.refused_by AS refused_by, f.violations AS violations, f.errcode AS errcode, f.held_by AS held_by, \
             f.waits_for AS waits_for, f.tries AS tries, f.retry_at AS retry_at, \
             w.basis AS was, w.digest AS digest, COALESCE(w.failures, 0) AS failures \
           FROM record r \
           LEFT JOIN refusal f ON f.tenant = r.tenant AND f.flow = r.flow AND f.record = r.id \
           LEFT JOIN write_back w ON w.tenant = r.tenant AND w.flow = r.flow AND w.record = r.id \
           WHERE r.tenant = $1 AND r.flow = $2 AND r.absent = 0 AND r.id > $5) y) x \
         WHERE (x.was IS NULL AND (x.member <> '' OR x.waits <> '' OR x.refusal <> '')) OR x.was <> x.basis \
         ORDER BY x.id LIMIT $6",
    )
    .bind(scope.tenant.as_str())
    .bind(scope.flow.as_str())
    .bind(scope.settings.as_str())
    .bind(scope.held.map_or("", |plan| plan.as_str()))
    .bind(after.map_or("", RecordId::as_str))
    .bind(number(most))
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    rows.iter()
        .map(|row| {
            let row = Reading { row, what: WHAT };
            let member: String = row.get("member")?;
            let written: Option<String> = row.get("digest")?;
            let violations: Option<String> = row.get("violations")?;
            let refusal = match violations {
                Some(_) => Some(refusal(&row)?),
                None => None,
            };
            Ok(DueWriteBack {
                record: row.id("id")?,
                ignored: row.get::<String>("kind")? == "ignore",
                member: if member.is_empty() { None } else { Some(row.word::<MemberState>("member")?) },
                refusal,
                waits: !row.get::<String>("waits")?.is_empty(),
                basis: row.get("basis")?,
                written: written.filter(|digest| !digest.is_empty()).map(|_| row.id("digest")).transpose()?,
                failures: u32::try_from(row.count("failures")?).unwrap_or(u32::MAX),
            })
        })
        .collect()
}

pub(super) async fn put(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    written: &[WrittenBack],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut writing = store.writing(WHAT).await?;
    for chunk in written.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "INSERT INTO write_back (tenant, flow, record, basis, digest, written_at, failures) ",
        );
        query.push_values(chunk, |mut row, written| {
            row.push_bind(tenant.as_str())
                .push_bind(flow.as_str())
                .push_bind(written.record.as_str())
                .push_bind(written.basis.as_str())
                .push_bind(written.digest.as_ref().map_or("", |digest| digest.as_str()))
                .push_bind(at.timestamp_millis())
                .push_bind(i64::from(written.failures));
        });
        query.push(
            " ON CONFLICT (tenant, flow, record) DO UPDATE SET basis = excluded.basis, \
             digest = excluded.digest, written_at = excluded.written_at, failures = excluded.failures",
        );
        once(&mut query)
            .execute(&mut *writing.transaction)
            .await
            .map_err(|source| StoreError::Write { what: WHAT, source })?;
    }
    writing.commit(WHAT).await
}

/// The name on another record, across some tenants, that claims the same mobile number or account as this one.
pub(super) async fn rival(
    store: &Sqlite,
    tenants: &[TenantId],
    origin: &Origin,
    of_mobile: bool,
) -> Result<Option<String>, StoreError> {
    let column = if of_mobile { "mobile_key" } else { "member_key" };
    let mut query = sqlx::QueryBuilder::<Db>::new(
        "SELECT o.decision AS decision FROM record r, record o WHERE r.tenant = ",
    );
    query.push_bind(origin.tenant.as_str().to_owned());
    query.push(" AND r.flow = ").push_bind(origin.flow.as_str().to_owned());
    query.push(" AND r.id = ").push_bind(origin.record.as_str().to_owned());
    query.push(" AND o.").push(column).push(" = r.").push(column);
    query.push(" AND o.absent = 0 AND o.kind = 'upsert' AND o.decision IS NOT NULL AND o.tenant IN (");
    let mut list = query.separated(", ");
    for tenant in tenants {
        list.push_bind(tenant.as_str().to_owned());
    }
    query.push(") AND NOT (o.tenant = r.tenant AND o.flow = r.flow AND o.id = r.id) ORDER BY o.id LIMIT 1");
    let row = once(&mut query).fetch_optional(&store.pool).await.map_err(read)?;
    row.map(|row| {
        let decision: Decision = Reading { row: &row, what: WHAT }.json("decision")?;
        Ok(match decision {
            Decision::Upsert(member) => Some(member.name),
            _ => None,
        })
    })
    .transpose()
    .map(Option::flatten)
}
