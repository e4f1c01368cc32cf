//! The bytes of all rules that were ever live.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::StoreError;
use crate::database::Database;
use crate::row::RowReader;
use crate::transaction::Transaction;
use ruzhi_model::Digest;

const ARTIFACTS: &str = "components and rules files";

/// The bytes of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifacts {
    /// The component.
    pub component: Vec<u8>,
    /// The rules file's text, empty if the flow has none.
    pub config: String,
}

impl Artifacts {
    /// Names both together; decisions are marked with it.
    pub fn rules(&self) -> Digest {
        Digest::of_rules(&Digest::of(&self.component), &self.config)
    }
}

impl Database {
    /// The bytes of a component and a rules file that were live once. Bytes that do not match their digest are damage.
    pub async fn artifacts_find(&self, component: &Digest, config: &Digest) -> Result<Artifacts, StoreError> {
        let config_bytes = self.artifact_find(config).await?;
        let config = String::from_utf8(config_bytes).map_err(|_| damaged(config))?;
        Ok(Artifacts { component: self.artifact_find(component).await?, config })
    }

    async fn artifact_find(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let row = sqlx::query("SELECT content FROM artifact WHERE digest = $1")
            .bind(digest.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::read(ARTIFACTS))?;
        let row = row.ok_or_else(|| damaged(digest))?;
        let content: String = RowReader { row: &row, what: ARTIFACTS }.get("content")?;
        let bytes = STANDARD.decode(content).map_err(|_| damaged(digest))?;
        if Digest::of(&bytes) == *digest { Ok(bytes) } else { Err(damaged(digest)) }
    }
}

pub(crate) async fn put_artifact(
    transaction: &mut Transaction<'_>,
    digest: &Digest,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let known = sqlx::query("SELECT 1 FROM artifact WHERE digest = $1")
        .bind(digest.as_str())
        .fetch_optional(&mut *transaction.connection)
        .await
        .map_err(StoreError::read(ARTIFACTS))?;
    if known.is_some() {
        return Ok(());
    }
    sqlx::query("INSERT INTO artifact (digest, content) VALUES ($1, $2)")
        .bind(digest.as_str())
        .bind(STANDARD.encode(bytes))
        .execute(&mut *transaction.connection)
        .await
        .map_err(StoreError::write(ARTIFACTS))?;
    Ok(())
}

fn damaged(digest: &Digest) -> StoreError {
    StoreError::Value { what: ARTIFACTS, value: digest.to_string() }
}
