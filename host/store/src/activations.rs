//! The live rules of each flow and their history.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::artifacts::Artifacts;
use crate::database::Database;
use crate::row::{RowReader, number, word_of};
use crate::{StoreError, artifacts};
use ruzhi_model::{Digest, FlowId, Label, TenantId};

const ACTIVATIONS: &str = "the history of activations";

/// The way rules became live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivationKind {
    /// Nothing was live before.
    First,
    /// The tenant's files were replaced.
    File,
    /// A person activated them.
    Activate,
    /// A person rolled back to them.
    Rollback,
}

impl ActivationKind {
    /// The word for a person.
    pub fn label(self) -> Label {
        match self {
            Self::First => Label::new("the first", "首次上线"),
            Self::File => Label::new("files exchanged", "文件更换"),
            Self::Activate => Label::new("activated", "人工上线"),
            Self::Rollback => Label::new("rolled back", "回退"),
        }
    }
}

/// Rules that went live in a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ActivationRow {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// From 1 on, without a gap; the greatest of a flow is live.
    pub number: u64,
    /// The time of activation.
    pub at: DateTime<Utc>,
    /// The person or process that activated them.
    pub who: String,
    /// Their reason, in their words.
    pub why: Option<String>,
    /// The way they became live.
    pub kind: ActivationKind,
    /// The guest's name, as it describes itself.
    pub name: String,
    /// The guest's version.
    pub version: String,
    /// Digest of the component.
    pub component: Digest,
    /// Digest of the rules file's text.
    pub config: Digest,
    /// Digest of both, which marks the decisions.
    pub rules: Digest,
    /// Digest of the tenant's files at the time: once they differ, they are tried.
    pub offered: Digest,
    /// Stored records they were tried on.
    pub compared: u64,
    /// Of these, records whose person they treat differently.
    pub changed: u64,
    /// A person approved more changes than the flow's limit allows.
    pub approved: bool,
}

impl Database {
    /// Makes rules live: stores the activation and its bytes if its number is the flow's next. Returns whether it was.
    pub async fn activation_put(
        &self,
        activation: &ActivationRow,
        artifacts: &Artifacts,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin(ACTIVATIONS).await?;
        let row = sqlx::query(
            "SELECT COALESCE(MAX(number), 0) AS latest FROM activation WHERE tenant = $1 AND flow = $2",
        )
        .bind(activation.tenant.as_str())
        .bind(activation.flow.as_str())
        .fetch_one(&mut *transaction.connection)
        .await
        .map_err(StoreError::read(ACTIVATIONS))?;
        let latest = RowReader { row: &row, what: ACTIVATIONS }.count("latest")?;
        if latest + 1 != activation.number {
            return Ok(false);
        }
        artifacts::put_artifact(&mut transaction, &activation.component, &artifacts.component).await?;
        artifacts::put_artifact(&mut transaction, &activation.config, artifacts.config.as_bytes()).await?;
        sqlx::query(
            "INSERT INTO activation (tenant, flow, number, at, who, why, kind, name, version, component, config, \
             rules, offered, compared, changed, approved) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(activation.tenant.as_str())
        .bind(activation.flow.as_str())
        .bind(i64::try_from(activation.number).unwrap_or(i64::MAX))
        .bind(activation.at.timestamp_millis())
        .bind(activation.who.as_str())
        .bind(activation.why.as_deref())
        .bind(word_of(&activation.kind))
        .bind(activation.name.as_str())
        .bind(activation.version.as_str())
        .bind(activation.component.as_str())
        .bind(activation.config.as_str())
        .bind(activation.rules.as_str())
        .bind(activation.offered.as_str())
        .bind(i64::try_from(activation.compared).unwrap_or(i64::MAX))
        .bind(i64::try_from(activation.changed).unwrap_or(i64::MAX))
        .bind(i64::from(activation.approved))
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(ACTIVATIONS))?;
        transaction.commit(ACTIVATIONS).await?;
        Ok(true)
    }

    /// The latest activations of a flow, newest first: the first is live.
    pub async fn activations_list(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        most: usize,
    ) -> Result<Vec<ActivationRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM activation WHERE tenant = $1 AND flow = $2 ORDER BY number DESC LIMIT $3",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(number(most))
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(ACTIVATIONS))?;
        rows.iter().map(|row| activation_row(&RowReader { row, what: ACTIVATIONS })).collect()
    }

    /// The newest activation of these very rules in a flow.
    pub async fn activation_find(
        &self,
        tenant: &TenantId,
        flow: &FlowId,
        rules: &Digest,
    ) -> Result<Option<ActivationRow>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM activation WHERE tenant = $1 AND flow = $2 AND rules = $3 ORDER BY number DESC LIMIT 1",
        )
        .bind(tenant.as_str())
        .bind(flow.as_str())
        .bind(rules.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::read(ACTIVATIONS))?;
        row.map(|row| activation_row(&RowReader { row: &row, what: ACTIVATIONS })).transpose()
    }

    /// The components that are live in any flow, or have been since a moment.
    pub async fn components_list_live(&self, since: DateTime<Utc>) -> Result<BTreeSet<Digest>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT a.component AS component FROM activation a WHERE NOT EXISTS (SELECT 1 FROM activation n \
             WHERE n.tenant = a.tenant AND n.flow = a.flow AND n.number = a.number + 1 AND n.at < $1)",
        )
        .bind(since.timestamp_millis())
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::read(ACTIVATIONS))?;
        rows.iter().map(|row| RowReader { row, what: ACTIVATIONS }.id("component")).collect()
    }
}

fn activation_row(row: &RowReader<'_>) -> Result<ActivationRow, StoreError> {
    let at: DateTime<Utc> = row.moment("at")?;
    Ok(ActivationRow {
        tenant: row.id("tenant")?,
        flow: row.id("flow")?,
        number: row.count("number")?,
        at,
        who: row.get("who")?,
        why: row.get("why")?,
        kind: row.word("kind")?,
        name: row.get("name")?,
        version: row.get("version")?,
        component: row.id("component")?,
        config: row.id("config")?,
        rules: row.id("rules")?,
        offered: row.id("offered")?,
        compared: row.count("compared")?,
        changed: row.count("changed")?,
        approved: row.get::<i64>("approved")? != 0,
    })
}
