//! The outcome of each record, and the one last written to its form.

use chrono::{DateTime, Utc};

use crate::database::{Database, Db, ROWS, once};
use crate::records::RecordKind;
use crate::row::{RowReader, number};
use crate::{StoreError, quarantine};
use ruzhi_model::{Decision, Digest, FlowId, MemberState, Origin, PlanId, RecordId, Rejection, TenantId};

const WRITE_BACK: &str = "what was written back";

/// The records to look at.
#[derive(Debug, Clone, Copy)]
pub struct WriteBackScope<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The flow.
    pub flow: &'a FlowId,
    /// Digest of the target fields and the language: under another one everything is written again.
    pub settings: &'a Digest,
    /// The plan that waits for a person: records that it has operations for wait with it.
    pub held: Option<&'a PlanId>,
}

/// A record whose outcome differs from the one last written to its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueWriteBack {
    /// The record.
    pub record: RecordId,
    /// Its decision asks for nothing in the directory.
    pub ignored: bool,
    /// The state of its member, if that is what the record wants.
    pub member: Option<MemberState>,
    /// The reason it is in quarantine.
    pub rejection: Option<Rejection>,
    /// Its operation waits for a person.
    pub waits: bool,
    /// The basis of the text: while it stays the same, so does the text.
    pub basis: String,
    /// Digest of the text last written to the form.
    pub written: Option<Digest>,
    /// Failed attempts since then.
    pub failures: u32,
}

/// An outcome written to a form for a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBackRow {
    /// The record.
    pub record: RecordId,
    /// The basis of the text; a value other than any basis is tried again.
    pub basis: String,
    /// Digest of the text; none if there is none.
    pub digest: Option<Digest>,
    /// Failed attempts since then.
    pub failures: u32,
}

impl Database {
    /// A page of the flow's records whose outcome differs from the one last written to the form, in the order of their
    /// ids. Skipped are records that have never been written back and have no outcome yet.
    pub async fn write_backs_list_due(
        &self,
        scope: &WriteBackScope<'_>,
        after: Option<&RecordId>,
        most: usize,
    ) -> Result<Vec<DueWriteBack>, StoreError> {
        // The member is the one the record names, regardless of its owner, if it is as this record wants it.
        let rows = sqlx::query(
            "SELECT x.* FROM (SELECT y.*, $3 || '|' || y.kind || '|' || y.member || '|' || y.waits || '|' || y.rejection \
               AS basis FROM (SELECT r.id AS id, r.kind AS kind, \
                 COALESCE((SELECT m.state FROM member m WHERE m.tenant = r.tenant AND m.decided_key = r.member_key \
                   AND m.doubtful = 0 AND ((r.kind = 'leave' AND m.state <> 'active') \
                     OR (r.kind = 'upsert' AND m.state = 'active' AND m.decision_hash = r.decision_hash)) \
                   ORDER BY m.state LIMIT 1), '') AS member, \
                 CASE WHEN EXISTS (SELECT 1 FROM operation o WHERE o.tenant = r.tenant AND o.flow = r.flow \
                   AND o.record = r.id AND o.plan = $4) THEN '1' ELSE '' END AS waits, \
                 COALESCE(COALESCE(CAST(f.errcode AS TEXT), '') || f.violations, '') AS rejection, \
                 f.rejected_by AS rejected_by, f.violations AS violations, f.errcode AS errcode, f.held_by AS held_by, \
                 f.waits_for AS waits_for, f.tries AS tries, f.retry_at AS retry_at, \
                 w.basis AS was, w.digest AS digest, COALESCE(w.failures, 0) AS failures \
               FROM record r \
               LEFT JOIN quarantine f ON f.tenant = r.tenant AND f.flow = r.flow AND f.record = r.id \
               LEFT JOIN write_back w ON w.tenant = r.tenant AND w.flow = r.flow AND w.record = r.id \
               WHERE r.tenant = $1 AND r.flow = $2 AND r.absent = 0 AND r.id > $5) y) x \
             WHERE (x.was IS NULL AND (x.member <> '' OR x.waits <> '' OR x.rejection <> '')) OR x.was <> x.basis \
             ORDER BY x.id LIMIT $6",
        )
        .bind(scope.tenant.as_str())
        .bind(scope.flow.as_str())
        .bind(scope.settings.as_str())
        .bind(scope.held.map_or("", |plan| plan.as_str()))
        .bind(after.map_or("", RecordId::as_str))
        .bind(number(most))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(WRITE_BACK))?;
        rows.iter()
            .map(|row| {
                let row = RowReader { row, what: WRITE_BACK };
                let member: String = row.get("member")?;
                let written: Option<String> = row.get("digest")?;
                let violations: Option<String> = row.get("violations")?;
                let rejection = match violations {
                    Some(_) => Some(quarantine::rejection_of(&row)?),
                    None => None,
                };
                Ok(DueWriteBack {
                    record: row.id("id")?,
                    ignored: row.word::<RecordKind>("kind")? == RecordKind::Ignore,
                    member: if member.is_empty() { None } else { Some(row.word::<MemberState>("member")?) },
                    rejection,
                    waits: !row.get::<String>("waits")?.is_empty(),
                    basis: row.get("basis")?,
                    written: written
                        .filter(|digest| !digest.is_empty())
                        .map(|_| row.id("digest"))
                        .transpose()?,
                    failures: u32::try_from(row.count("failures")?).unwrap_or(u32::MAX),
                })
            })
            .collect()
    }

    /// Stores the outcomes written to a flow's form.
    pub async fn write_backs_put(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        written: &[WriteBackRow],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin(WRITE_BACK).await?;
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
                .execute(&mut *transaction.connection)
                .await
                .map_err(StoreError::write(WRITE_BACK))?;
        }
        transaction.commit(WRITE_BACK).await
    }

    /// The name on another record of these tenants that claims the same mobile number or account as this one.
    pub async fn record_find_rival(
        &self,
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
        query.push(
            ") AND NOT (o.tenant = r.tenant AND o.flow = r.flow AND o.id = r.id) ORDER BY o.id LIMIT 1",
        );
        let row = once(&mut query).fetch_optional(&self.pool).await.map_err(StoreError::read(WRITE_BACK))?;
        row.map(|row| {
            let decision: Decision = RowReader { row: &row, what: WRITE_BACK }.json("decision")?;
            Ok(match decision {
                Decision::Upsert(member) => Some(member.name),
                _ => None,
            })
        })
        .transpose()
        .map(Option::flatten)
    }
}
