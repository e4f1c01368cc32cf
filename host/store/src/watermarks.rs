//! How far the incremental collects of each flow have come.

use chrono::{DateTime, Utc};

use crate::StoreError;
use crate::database::Database;
use crate::row::RowReader;
use ruzhi_model::{Digest, FlowId, TenantId};

const WATERMARK: &str = "the watermark";

/// How far a flow has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    /// A moment of the service's clock: every change before it has been read. The year 1970 if no row was ever read.
    pub reached: DateTime<Utc>,
    /// Digest of the query: other fields or another filter need a full collect.
    pub query: Digest,
    /// The form that was read.
    pub form: String,
    /// Digest of the last query, if a collect since then had another query and did not end well.
    pub unfinished_query: Option<Digest>,
}

impl Watermark {
    /// True if no row was ever read.
    pub fn is_of_nothing(&self) -> bool {
        self.reached <= DateTime::UNIX_EPOCH
    }
}

impl Database {
    /// How far a flow's incremental collect has come.
    pub async fn watermark_find(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
    ) -> Result<Option<Watermark>, StoreError> {
        let row = sqlx::query(
            "SELECT reached, query, form, unfinished_query FROM watermark WHERE tenant = $1 AND flow = $2",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::read(WATERMARK))?;
        let Some(row) = row else { return Ok(None) };
        let row = RowReader { row: &row, what: WATERMARK };
        let unfinished_query: String = row.get("unfinished_query")?;
        Ok(Some(Watermark {
            reached: row.moment("reached")?,
            query: row.id("query")?,
            form: row.get("form")?,
            unfinished_query: if unfinished_query.is_empty() {
                None
            } else {
                Some(row.id("unfinished_query")?)
            },
        }))
    }

    /// Notes the query of a collect that is about to start: until the watermark moves, another query needs a complete
    /// collect.
    pub async fn watermark_set_unfinished_query(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        query: &Digest,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin(WATERMARK).await?;
        sqlx::query("UPDATE watermark SET unfinished_query = $3 WHERE tenant = $1 AND flow = $2")
            .bind(tenant.as_str())
            .bind(flow.as_str())
            .bind(query.as_str())
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(WATERMARK))?;
        transaction.commit(WATERMARK).await
    }

    /// Moves the watermark and confirms the flow's records.
    pub async fn watermark_put(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        watermark: &Watermark,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin(WATERMARK).await?;
        sqlx::query(
            "INSERT INTO watermark (tenant, flow, reached, query, form, unfinished_query) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (tenant, flow) DO UPDATE SET reached = excluded.reached, query = excluded.query, \
             form = excluded.form, unfinished_query = excluded.unfinished_query",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(watermark.reached.timestamp_millis())
        .bind(watermark.query.as_str())
        .bind(watermark.form.as_str())
        .bind(watermark.unfinished_query.as_ref().map_or("", Digest::as_str))
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(WATERMARK))?;
        sqlx::query("UPDATE record SET confirmed = 1 WHERE tenant = $1 AND flow = $2 AND confirmed = 0")
            .bind(tenant.as_str())
            .bind(flow.as_str())
            .execute(&mut *transaction.connection)
            .await
            .map_err(StoreError::write(WATERMARK))?;
        transaction.commit(WATERMARK).await
    }
}
