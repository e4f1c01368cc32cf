//! Everything known of a record.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::StoreError;
use crate::database::Database;
use crate::operations::OperationRow;
use crate::quarantine::{QuarantineFilter, QuarantineRow};
use crate::row::RowReader;
use ruzhi_model::{Context, Decision, Digest, FlowId, MemberKey, RecordId, RunId, TenantId};

const RECORDS: &str = "records";

/// Everything known of a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordTrace {
    /// Its flow.
    pub flow: FlowId,
    /// The record.
    pub record: RecordId,
    /// The row, as JSON text.
    pub content: String,
    /// The time its row was fetched.
    pub fetched_at: DateTime<Utc>,
    /// The run that fetched it.
    pub fetched_run: RunId,
    /// The time it was decided.
    pub decided_at: DateTime<Utc>,
    /// The rules that decided it.
    pub rules: Digest,
    /// The decision.
    pub decision: Option<Decision>,
    /// The reason there is none.
    pub failure: Option<String>,
    /// The guest's remarks.
    pub notes: Vec<String>,
    /// The context given to the guest; none for a decision older than this field.
    pub context: Option<Context>,
    /// The end of the decision's validity; none means it never expires.
    pub holds_until: Option<DateTime<Utc>>,
    /// The reason it is in quarantine.
    pub rejection: Option<QuarantineRow>,
    /// Its operations, oldest first.
    pub operations: Vec<OperationRow>,
    /// Members it owns: key and state.
    pub members: Vec<(MemberKey, String)>,
}

impl Database {
    /// Everything known of a record.
    pub async fn record_trace(
        &self,
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
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(RECORDS))?;
        let mut traces = Vec::new();
        for row in &rows {
            let row = RowReader { row, what: RECORDS };
            let flow: FlowId = row.id("flow")?;
            let decision: Option<String> = row.get("decision")?;
            let entry = QuarantineFilter {
                tenant: Some(tenant),
                flow: Some(&flow),
                record: Some(id),
                rows: true,
                ..QuarantineFilter::default()
            };
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
                context: if row.get::<String>("context")?.is_empty() {
                    None
                } else {
                    Some(row.json("context")?)
                },
                holds_until: row.optional_moment("holds_until")?,
                rejection: self
                    .quarantine_list_details(&entry)
                    .await?
                    .into_iter()
                    .next()
                    .map(|detail| detail.reject),
                operations: self.operations_list_of_record(tenant, &flow, id).await?,
                members: self.ledger_list_of_record(tenant, &flow, id).await?,
                flow,
            });
        }
        Ok(traces)
    }

    async fn ledger_list_of_record(
        &self,
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
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(RECORDS))?;
        rows.iter()
            .map(|row| {
                let row = RowReader { row, what: "the ledger" };
                let userid: String = row.get("userid")?;
                Ok((MemberKey::of(&userid), row.get("state")?))
            })
            .collect()
    }
}
