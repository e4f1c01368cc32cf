//! The quarantine: rejected records with their reasons.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::StoreError;
use crate::database::{Database, Db, ROWS, once};
use crate::row::{RowReader, json_text};
use crate::transaction::Transaction;
use ruzhi_model::{
    Decision, Digest, FlowId, RecordId, RejectedBy, Rejection, TenantId, UniqueField, WaitsFor,
};
use ruzhi_plan::StoredRejection;

const QUARANTINE: &str = "the quarantine";

/// An entry of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The record.
    pub record: RecordId,
    /// The reason.
    pub rejection: Rejection,
    /// The row, as JSON text.
    pub content: Option<String>,
    /// The time it was first rejected.
    pub first_seen: DateTime<Utc>,
    /// The time it was last seen rejected.
    pub last_seen: DateTime<Utc>,
}

/// A filter of the quarantine, by tenant, flow and record.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuarantineFilter<'a> {
    /// Of this tenant.
    pub tenant: Option<&'a TenantId>,
    /// Of this flow.
    pub flow: Option<&'a FlowId>,
    /// This record alone.
    pub record: Option<&'a RecordId>,
    /// Words, each of which occurs in the record's id, its reasons, its row or its decision. The result may include
    /// entries that lack them.
    pub words: &'a [String],
    /// With the rows.
    pub rows: bool,
    /// Those after this one.
    pub after: Option<(&'a TenantId, &'a FlowId, &'a RecordId)>,
    /// At most so many; none means all.
    pub most: Option<u32>,
}

/// An entry of the quarantine, with the decision on its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineDetail {
    /// The entry; its row only if it was asked for.
    pub reject: QuarantineRow,
    /// The decision; only if rows were asked for.
    pub decision: Option<Decision>,
}

/// A record's entry in the quarantine, to be written.
pub(crate) struct QuarantineEntry<'a> {
    pub(crate) flow: &'a FlowId,
    pub(crate) record: &'a RecordId,
    pub(crate) rejection: &'a Rejection,
    pub(crate) decision: &'a Digest,
    pub(crate) rules: &'a Digest,
}

impl Database {
    /// The reasons of those of these records of a flow that are in quarantine.
    pub(crate) async fn quarantine_find(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        ids: &[RecordId],
    ) -> Result<HashMap<RecordId, StoredRejection>, StoreError> {
        let mut rejections = HashMap::new();
        for chunk in ids.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new(
                "SELECT record, rejected_by, violations, errcode, held_by, waits_for, tries, retry_at, decision_hash, rules \
                 FROM quarantine WHERE tenant = ",
            );
            query.push_bind(tenant.as_str().to_owned()).push(" AND flow = ");
            query.push_bind(flow.as_str().to_owned()).push(" AND record IN (");
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(id.as_str().to_owned());
            }
            query.push(")");
            let rows = once(&mut query).fetch_all(&self.pool).await;
            for row in &rows.map_err(StoreError::read(QUARANTINE))? {
                let row = RowReader { row, what: QUARANTINE };
                let stored = StoredRejection {
                    rejection: rejection_of(&row)?,
                    decision: row.id("decision_hash")?,
                    rules: row.id("rules")?,
                };
                rejections.insert(row.id("record")?, stored);
            }
        }
        Ok(rejections)
    }

    /// The quarantine, with the rows.
    pub async fn quarantine_list(
        &self,
        tenant: Option<&TenantId>,
        flow: Option<&FlowId>,
    ) -> Result<Vec<QuarantineRow>, StoreError> {
        let filter = QuarantineFilter { tenant, flow, rows: true, ..QuarantineFilter::default() };
        let found = self.quarantine_list_details(&filter).await?;
        Ok(found.into_iter().map(|detail| detail.reject).collect())
    }

    /// The entries of the quarantine that a person wants to see.
    pub async fn quarantine_list_details(
        &self,
        wanted: &QuarantineFilter<'_>,
    ) -> Result<Vec<QuarantineDetail>, StoreError> {
        let rows = wanted.rows || !wanted.words.is_empty();
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "SELECT r.tenant AS tenant, r.flow AS flow, r.record AS record, r.rejected_by AS rejected_by, \
             r.violations AS violations, r.errcode AS errcode, r.held_by AS held_by, r.waits_for AS waits_for, \
             r.tries AS tries, r.retry_at AS retry_at, r.first_seen AS first_seen, \
             r.last_seen AS last_seen, ",
        );
        query.push(if rows {
            "s.content AS content, s.decision AS decision FROM quarantine r LEFT JOIN record s ON s.tenant = r.tenant \
             AND s.flow = r.flow AND s.id = r.record WHERE 1 = 1"
        } else {
            "NULL AS content, NULL AS decision FROM quarantine r WHERE 1 = 1"
        });
        if let Some(tenant) = wanted.tenant {
            query.push(" AND r.tenant = ").push_bind(tenant.as_str());
        }
        if let Some(flow) = wanted.flow {
            query.push(" AND r.flow = ").push_bind(flow.as_str());
        }
        if let Some(record) = wanted.record {
            query.push(" AND r.record = ").push_bind(record.as_str());
        }
        if let Some((tenant, flow, record)) = wanted.after {
            query.push(" AND (r.tenant, r.flow, r.record) > (").push_bind(tenant.as_str());
            query.push(", ").push_bind(flow.as_str()).push(", ").push_bind(record.as_str()).push(")");
        }
        for word in wanted.words {
            let like = format!("%{}%", escaped(&word.to_ascii_lowercase()));
            query.push(" AND (");
            for (place, column) in ["r.record", "r.violations", "s.content", "s.decision"].iter().enumerate()
            {
                query.push(if place > 0 { " OR LOWER(" } else { "LOWER(" }).push(column).push(") LIKE ");
                query.push_bind(like.clone()).push(" ESCAPE '\\'");
            }
            query.push(")");
        }
        query.push(" ORDER BY r.tenant, r.flow, r.record");
        if let Some(most) = wanted.most {
            query.push(" LIMIT ").push_bind(i64::from(most));
        }
        let found = once(&mut query).fetch_all(&self.pool).await;
        found
            .map_err(StoreError::read(QUARANTINE))?
            .iter()
            .map(|row| {
                let row = RowReader { row, what: QUARANTINE };
                let record: RecordId = row.id("record")?;
                Ok(QuarantineDetail {
                    reject: QuarantineRow {
                        tenant: row.id("tenant")?,
                        flow: row.id("flow")?,
                        record,
                        rejection: rejection_of(&row)?,
                        content: row.get("content")?,
                        first_seen: row.moment("first_seen")?,
                        last_seen: row.moment("last_seen")?,
                    },
                    decision: row.optional_json("decision")?,
                })
            })
            .collect()
    }
}

pub(crate) fn rejection_of(row: &RowReader<'_>) -> Result<Rejection, StoreError> {
    let by: RejectedBy = row.word("rejected_by")?;
    Ok(Rejection {
        by,
        violations: row.json("violations")?,
        errcode: row.get("errcode")?,
        held_by: row.optional_id("held_by")?,
        waits_for: row.word("waits_for")?,
        tries: u32::try_from(row.count("tries")?).unwrap_or(u32::MAX),
        retry_at: row.optional_moment("retry_at")?,
    })
}

pub(crate) async fn put_entries(
    transaction: &mut Transaction<'_>,
    tenant: &TenantId,
    entries: &[QuarantineEntry<'_>],
    at: i64,
) -> Result<(), StoreError> {
    for chunk in entries.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new(
            "INSERT INTO quarantine (tenant, flow, record, rejected_by, violations, errcode, held_by, waits_for, tries, \
             retry_at, decision_hash, rules, first_seen, last_seen) ",
        );
        query.push_values(chunk, |mut row, entry| {
            row.push_bind(tenant.as_str())
                .push_bind(entry.flow.as_str())
                .push_bind(entry.record.as_str())
                .push_bind(entry.rejection.by.as_str())
                .push_bind(json_text(&entry.rejection.violations))
                .push_bind(entry.rejection.errcode)
                .push_bind(entry.rejection.held_by.as_ref().map(|holder| holder.as_str()))
                .push_bind(entry.rejection.waits_for.as_str())
                .push_bind(i64::from(entry.rejection.tries))
                .push_bind(entry.rejection.retry_at.map(|at| at.timestamp_millis()))
                .push_bind(entry.decision.as_str())
                .push_bind(entry.rules.as_str())
                .push_bind(at)
                .push_bind(at);
        });
        query.push(
            " ON CONFLICT (tenant, flow, record) DO UPDATE SET rejected_by = excluded.rejected_by, \
             violations = excluded.violations, errcode = excluded.errcode, held_by = excluded.held_by, \
             waits_for = excluded.waits_for, tries = excluded.tries, retry_at = excluded.retry_at, \
             decision_hash = excluded.decision_hash, rules = excluded.rules, last_seen = excluded.last_seen",
        );
        once(&mut query)
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(QUARANTINE))?;
    }
    Ok(())
}

/// Releases every record of some tenants that waits for a value of this field: a member gave one up.
pub(crate) async fn release_waiting(
    transaction: &mut Transaction<'_>,
    tenants: &[TenantId],
    field: UniqueField,
) -> Result<(), StoreError> {
    let mut query = sqlx::QueryBuilder::<Db>::new("UPDATE quarantine SET retry_at = 0 WHERE waits_for = ");
    query.push_bind(WaitsFor::from(field).as_str()).push(" AND tenant IN (");
    let mut list = query.separated(", ");
    for tenant in tenants {
        list.push_bind(tenant.as_str().to_owned());
    }
    query.push(")");
    once(&mut query).execute(&mut *transaction.connection).await.map_err(StoreError::write(QUARANTINE))?;
    Ok(())
}

/// Takes records of a flow out of quarantine; rejections that hold nothing back stay.
pub(crate) async fn delete_entries(
    transaction: &mut Transaction<'_>,
    tenant: &TenantId,
    flow: &FlowId,
    records: &[&RecordId],
) -> Result<(), StoreError> {
    for chunk in records.chunks(ROWS) {
        let mut query = sqlx::QueryBuilder::<Db>::new("DELETE FROM quarantine WHERE tenant = ");
        query.push_bind(tenant.as_str().to_owned()).push(" AND flow = ").push_bind(flow.as_str().to_owned());
        query.push(" AND record IN (");
        let mut list = query.separated(", ");
        for record in chunk {
            list.push_bind(record.as_str().to_owned());
        }
        query.push(")");
        once(&mut query)
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(QUARANTINE))?;
    }
    Ok(())
}

/// Escapes a text for `LIKE`, so that no character is a wildcard.
fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
