//! The live rules of each flow, their history, and the bytes of all of them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use super::values::{Reading, number, word_of};
use super::{ActivationRow, Artifacts, Sqlite, StoreError, Writing};
use ruzhi_model::{Digest, FlowId, TenantId};

const WHAT: &str = "the history of activations";
const ARTIFACTS: &str = "components and rules files";

fn read(source: sqlx::Error) -> StoreError {
    StoreError::Read { what: WHAT, source }
}

/// Stores an activation with its bytes if it is the next of its flow. Returns whether it was.
pub(super) async fn put(
    store: &Sqlite,
    activation: &ActivationRow,
    artifacts: &Artifacts,
) -> Result<bool, StoreError> {
    let mut writing = store.writing(WHAT).await?;
    let row = sqlx::query(
        "SELECT COALESCE(MAX(number), 0) AS latest FROM activation WHERE tenant = $1 AND flow = $2",
    )
    .bind(activation.tenant.as_str())
    .bind(activation.flow.as_str())
    .fetch_one(&mut *writing.transaction)
    .await
    .map_err(read)?;
    let latest = Reading { row: &row, what: WHAT }.count("latest")?;
    if latest + 1 != activation.number {
        return Ok(false);
    }
    put_artifact(&mut writing, &activation.component, &artifacts.component).await?;
    put_artifact(&mut writing, &activation.config, artifacts.config.as_bytes()).await?;
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
    .execute(&mut *writing.transaction)
    .await
    .map_err(|source| StoreError::Write { what: WHAT, source })?;
    writing.commit(WHAT).await?;
    Ok(true)
}

async fn put_artifact(writing: &mut Writing<'_>, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
    let known = sqlx::query("SELECT 1 FROM artifact WHERE digest = $1")
        .bind(digest.as_str())
        .fetch_optional(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Read { what: ARTIFACTS, source })?;
    if known.is_some() {
        return Ok(());
    }
    sqlx::query("INSERT INTO artifact (digest, content) VALUES ($1, $2)")
        .bind(digest.as_str())
        .bind(STANDARD.encode(bytes))
        .execute(&mut *writing.transaction)
        .await
        .map_err(|source| StoreError::Write { what: ARTIFACTS, source })?;
    Ok(())
}

/// The activations of a flow, newest first.
pub(super) async fn page(
    store: &Sqlite,
    tenant: &TenantId,
    flow: &FlowId,
    most: usize,
) -> Result<Vec<ActivationRow>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM activation WHERE tenant = $1 AND flow = $2 ORDER BY number DESC LIMIT $3")
            .bind(tenant.as_str())
            .bind(flow.as_str())
            .bind(number(most))
            .fetch_all(&store.pool)
            .await
            .map_err(read)?;
    rows.iter().map(|row| activation(&Reading { row, what: WHAT })).collect()
}

/// The newest activation of these very rules in a flow.
pub(super) async fn of_rules(
    store: &Sqlite,
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
    .fetch_optional(&store.pool)
    .await
    .map_err(read)?;
    row.map(|row| activation(&Reading { row: &row, what: WHAT })).transpose()
}

/// The components of every activation that is the latest of its flow, or was succeeded since a moment.
pub(super) async fn live_components(
    store: &Sqlite,
    since: DateTime<Utc>,
) -> Result<BTreeSet<Digest>, StoreError> {
    let rows = sqlx::query(
        "SELECT DISTINCT a.component AS component FROM activation a WHERE NOT EXISTS (SELECT 1 FROM activation n \
         WHERE n.tenant = a.tenant AND n.flow = a.flow AND n.number = a.number + 1 AND n.at < $1)",
    )
    .bind(since.timestamp_millis())
    .fetch_all(&store.pool)
    .await
    .map_err(read)?;
    rows.iter().map(|row| Reading { row, what: WHAT }.id("component")).collect()
}

fn activation(row: &Reading<'_>) -> Result<ActivationRow, StoreError> {
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

/// The bytes of rules that were activated once. Bytes that do not match their digest are damage.
pub(super) async fn artifacts(
    store: &Sqlite,
    component: &Digest,
    config: &Digest,
) -> Result<Artifacts, StoreError> {
    let config_bytes = artifact(store, config).await?;
    let config = String::from_utf8(config_bytes).map_err(|_| damaged(config))?;
    Ok(Artifacts { component: artifact(store, component).await?, config })
}

async fn artifact(store: &Sqlite, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    let row = sqlx::query("SELECT content FROM artifact WHERE digest = $1")
        .bind(digest.as_str())
        .fetch_optional(&store.pool)
        .await
        .map_err(|source| StoreError::Read { what: ARTIFACTS, source })?;
    let row = row.ok_or_else(|| damaged(digest))?;
    let content: String = Reading { row: &row, what: ARTIFACTS }.get("content")?;
    let bytes = STANDARD.decode(content).map_err(|_| damaged(digest))?;
    if Digest::of(&bytes) == *digest { Ok(bytes) } else { Err(damaged(digest)) }
}

fn damaged(digest: &Digest) -> StoreError {
    StoreError::Value { what: ARTIFACTS, value: digest.to_string() }
}
