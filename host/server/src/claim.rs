//! A plan is decided on and carried out by one person at a time.
//!
//! Between a yes and the moment at which the store says that the plan is being applied lie a queue and the reading of a
//! form. Whoever says yes or no claims the plan first, and looks at how it stands only then; the claim goes with what they
//! ask for and ends with it. So nobody is told that a plan is rejected which is then applied, and none is asked for twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ruzhi_model::{PlanId, RunId, TenantId};

type Key = (TenantId, PlanId);

/// What is being done about a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claimed {
    /// Somebody says yes or no.
    Decided,
    /// It is to be carried out, and waits for its turn.
    Waits,
    /// This run carries it out.
    Runs(RunId),
}

/// The plans about which something is being done.
#[derive(Clone, Default)]
pub(super) struct Claims(Arc<Mutex<HashMap<Key, Claimed>>>);

impl Claims {
    /// Claims a plan, or tells what is being done about it already.
    pub(super) fn claim(&self, tenant: &TenantId, plan: &PlanId) -> Result<Claim, Claimed> {
        let key = (tenant.clone(), plan.clone());
        let mut all = self.lock();
        if let Some(claimed) = all.get(&key) {
            return Err(claimed.clone());
        }
        all.insert(key.clone(), Claimed::Decided);
        Ok(Claim { claims: self.clone(), key })
    }

    /// Whether something is being done about a plan.
    pub(super) fn has(&self, tenant: &TenantId, plan: &PlanId) -> bool {
        self.lock().contains_key(&(tenant.clone(), plan.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Claimed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to decide on a plan and to carry it out, until it is dropped.
pub(super) struct Claim {
    claims: Claims,
    key: Key,
}

impl Claim {
    /// The plan.
    pub(super) fn plan(&self) -> &PlanId {
        &self.key.1
    }

    /// The tenant it is of.
    pub(super) fn tenant(&self) -> &TenantId {
        &self.key.0
    }

    /// Says how far it has come.
    pub(super) fn becomes(&self, claimed: Claimed) {
        self.claims.lock().insert(self.key.clone(), claimed);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.key);
    }
}
