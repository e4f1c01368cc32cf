//! Recognizes pushed rows that have already been read as they are.
//!
//! Writing the outcome of a row back into the form changes the row, and a service may push that as it pushes any other
//! change. So a row is reduced to the fields read by the flow's rules, as in a collect, and compared with the stored
//! row: a field that no rule reads wakes no flow, and the write-back never causes a run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ruzhi_app::LiveRuns;
use ruzhi_app::deployment::Deployment;
use ruzhi_guest_runtime::{ComponentRegistry, Guest, GuestLoadError};
use ruzhi_jiandaoyun::FormRow;
use ruzhi_model::{Digest, FlowId, TenantId};
use ruzhi_store::{ActivationRow, Artifacts, StoreError};
use ruzhi_sync::{Stage, visible};

/// The most rules remembered.
const KEPT: usize = 4096;

/// The fields read by rules, by the rules' digest: each guest is asked once.
#[derive(Clone, Default)]
pub(super) struct SourceFields(Arc<Mutex<HashMap<Digest, Arc<[String]>>>>);

impl SourceFields {
    /// Remembers the fields read by these rules.
    pub(super) fn keep(&self, rules: Digest, fields: Arc<[String]>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(rules, fields);
    }

    fn known(&self, rules: &Digest) -> Option<Arc<[String]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(rules).cloned()
    }

    /// The fields read by the live rules; none if the rules can no longer be loaded.
    async fn of(
        &self,
        deployment: &Deployment,
        live: &ActivationRow,
    ) -> Result<Option<Arc<[String]>>, StoreError> {
        if let Some(fields) = self.known(&live.rules) {
            return Ok(Some(fields));
        }
        let artifacts = deployment.store.artifacts_find(&live.component, &live.config).await?;
        let registry = Arc::clone(&deployment.registry);
        // A component not used by any run yet may have to be compiled.
        let read = tokio::task::spawn_blocking(move || read(&registry, artifacts)).await;
        let Ok(Ok(fields)) = read else { return Ok(None) };
        self.keep(live.rules.clone(), Arc::clone(&fields));
        Ok(Some(fields))
    }
}

fn read(registry: &ComponentRegistry, artifacts: Artifacts) -> Result<Arc<[String]>, GuestLoadError> {
    let guest = Guest::new(registry.load_bytes(&artifacts.component)?, artifacts.config)?;
    Ok(guest.description().source_fields.clone().into())
}

/// True if exactly this row is stored, and was decided by the live rules. A row without a decision, or one that had
/// left the form, is not known.
pub(super) async fn is_known(
    deployment: &Deployment,
    fields: &SourceFields,
    tenant: &TenantId,
    flow: &FlowId,
    row: FormRow,
) -> Result<bool, StoreError> {
    let store = &deployment.store;
    let stored = store.records_find(tenant, flow, std::slice::from_ref(&row.id)).await?;
    let Some(stored) = stored.get(&row.id).filter(|stored| !stored.failed && !stored.absent) else {
        return Ok(false);
    };
    let live = store.activations_list(tenant, flow, 1).await?;
    let Some(live) = live.first().filter(|live| live.rules == stored.rules) else { return Ok(false) };
    let Some(fields) = fields.of(deployment, live).await? else { return Ok(false) };
    Ok(Digest::of(visible(row, &fields)) == stored.content)
}

/// True if a run of the flow is reading the form. The stored rows are then older than those the run has read: a row
/// that was changed and changed back in between looks known, and is not.
pub(super) fn is_collecting(live: &LiveRuns, tenant: &TenantId, flow: &FlowId) -> bool {
    let reading = |stage| matches!(stage, Some(Stage::Settle | Stage::Collect));
    live.under_way()
        .iter()
        .any(|live| live.run.tenant == *tenant && live.run.flow == *flow && reading(live.stage))
}
