//! Plans in the making.

use std::ops::Range;

use chrono::{DateTime, Utc};

use crate::database::{Database, Db, ROWS, once};
use crate::quarantine::QuarantineEntry;
use crate::row::{RowReader, json_text, number};
use crate::{StoreError, ledger, quarantine};
use ruzhi_model::{Digest, FlowId, Operation, OperationState, Origin, Rejection, RunId, TenantId};

const OPERATIONS: &str = "operations";

/// The plan ids of drafts: all begin with the start.
const DRAFTS: Range<&str> = "draft-".."draft.";

/// Operations and rejections of a plan in the making.
#[derive(Debug, Default)]
pub struct DraftPart {
    /// The place of the first operation.
    pub first: usize,
    /// The next operations, in order.
    pub operations: Vec<Operation>,
    /// Rejected records, each with the decision and the rules that are rejected.
    pub rejected: Vec<(Origin, Rejection, Digest, Digest)>,
    /// Records whose decision turned out to be carried out already, with the rules.
    pub confirmed: Vec<(Origin, Digest, Digest)>,
}

impl Database {
    /// Makes room for a plan's draft: removes the leftovers of drafts that never became plans.
    pub async fn draft_begin(&self, tenant: &TenantId, flow: &FlowId) -> Result<(), StoreError> {
        let mut transaction = self.begin(OPERATIONS).await?;
        sqlx::query("DELETE FROM operation WHERE tenant = $1 AND flow = $2 AND plan >= $3 AND plan < $4")
            .bind(tenant.as_str())
            .bind(flow.as_str())
            .bind(DRAFTS.start)
            .bind(DRAFTS.end)
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(OPERATIONS))?;
        transaction.commit(OPERATIONS).await
    }

    /// Stores the next part of a run's draft.
    pub async fn draft_put(
        &self,
        run: &RunId,
        tenant: &TenantId,
        part: &DraftPart,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let at = at.timestamp_millis();
        let draft = draft_of(run);
        let mut transaction = self.begin(OPERATIONS).await?;
        let numbered: Vec<_> = (part.first..).zip(&part.operations).collect();
        for chunk in numbered.chunks(ROWS) {
            let mut query = sqlx::QueryBuilder::<Db>::new(
                "INSERT INTO operation (tenant, plan, place, flow, record, member_key, kind, operation, state, \
                 planned_at) ",
            );
            query.push_values(chunk, |mut row, (place, operation)| {
                row.push_bind(tenant.as_str())
                    .push_bind(draft.as_str())
                    .push_bind(number(*place))
                    .push_bind(operation.flow.as_str())
                    .push_bind(operation.record.as_str())
                    .push_bind(operation.userid.key().as_str().to_owned())
                    .push_bind(operation.kind.as_str())
                    .push_bind(json_text(operation))
                    .push_bind(OperationState::Planned.as_str())
                    .push_bind(at);
            });
            query.push(" ON CONFLICT (tenant, plan, place) DO UPDATE SET operation = excluded.operation");
            once(&mut query)
                .execute(&mut *transaction.connection)
                .await
                .map_err(StoreError::write(OPERATIONS))?;
        }
        let entries: Vec<QuarantineEntry<'_>> = part
            .rejected
            .iter()
            .map(|(origin, rejection, decision, rules)| QuarantineEntry {
                flow: &origin.flow,
                record: &origin.record,
                rejection,
                decision,
                rules,
            })
            .collect();
        quarantine::put_entries(&mut transaction, tenant, &entries, at).await?;
        let confirmed: Vec<_> = part.confirmed.iter().map(|(origin, d, rules)| (origin, d, rules)).collect();
        ledger::confirm(&mut transaction, &confirmed).await?;
        transaction.commit(OPERATIONS).await
    }

    /// An operation of a run's draft.
    pub async fn draft_operation_find(
        &self,
        run: &RunId,
        tenant: &TenantId,
        place: usize,
    ) -> Result<Option<Operation>, StoreError> {
        let row =
            sqlx::query("SELECT operation FROM operation WHERE tenant = $1 AND plan = $2 AND place = $3")
                .bind(tenant.as_str())
                .bind(draft_of(run))
                .bind(number(place))
                .fetch_optional(&self.pool)
                .await
                .map_err(StoreError::read(OPERATIONS))?;
        row.map(|row| RowReader { row: &row, what: OPERATIONS }.json("operation")).transpose()
    }
}

/// The plan id of a draft's operations while the plan is being made.
pub(crate) fn draft_of(run: &RunId) -> String {
    format!("{}{run}", DRAFTS.start)
}
