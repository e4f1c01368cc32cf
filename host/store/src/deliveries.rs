//! Messages from the services, each taken once.

use chrono::{DateTime, Utc};

use crate::database::Database;
use crate::wakes::WakeKind;
use crate::{StoreError, wakes};
use ruzhi_model::{FlowId, TenantId};

const DELIVERIES: &str = "deliveries";

/// A message from a service, perhaps delivered more than once.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The sender and the receiver.
    pub source: &'a str,
    /// The names it is known by.
    pub names: &'a [String],
    /// The time it came.
    pub at: DateTime<Utc>,
    /// Deliveries that came before are forgotten.
    pub forget_before: DateTime<Utc>,
    /// The flow that it wakes, and the reason.
    pub wakes: Option<(&'a TenantId, &'a FlowId, WakeKind)>,
}

impl Database {
    /// Takes a delivery under all of its names, and forgets old ones. Returns true if it is new: none of its names was
    /// known. A new delivery is stored in one transaction with the wake it causes.
    pub async fn delivery_take(&self, delivery: &Delivery<'_>) -> Result<bool, StoreError> {
        let Delivery { source, names, at, forget_before, wakes: wake } = *delivery;
        let failed = StoreError::write(DELIVERIES);
        let mut transaction = self.begin(DELIVERIES).await?;
        sqlx::query("DELETE FROM delivery WHERE at < $1")
            .bind(forget_before.timestamp_millis())
            .execute(&mut *transaction.connection)
            .await
            .map_err(failed)?;
        let mut new = true;
        for name in names {
            let taken = sqlx::query(
                "INSERT INTO delivery (source, id, at) VALUES ($1, $2, $3) ON CONFLICT (source, id) DO NOTHING",
            )
            .bind(source)
            .bind(name.as_str())
            .bind(at.timestamp_millis())
            .execute(&mut *transaction.connection)
            .await
            .map_err(failed)?;
            new &= taken.rows_affected() > 0;
        }
        if let Some((tenant, flow, kind)) = wake.filter(|_| new) {
            wakes::put(&mut transaction, tenant, flow, kind, at).await?;
        }
        transaction.commit(DELIVERIES).await?;
        Ok(new)
    }
}
