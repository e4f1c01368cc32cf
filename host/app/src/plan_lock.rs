//! One person at a time decides on a plan and carries it out.
//!
//! Between an approval and the moment at which the store says that the plan is being applied lie a queue and the
//! reading of a form. So the decision first claims the plan and only then reads its state; the claim travels with the
//! request and ends with it. A plan reported as rejected is therefore never applied, and none is requested twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ruzhi_model::{PlanId, RunId, TenantId};

type Key = (TenantId, PlanId);

/// The stage of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// A person is deciding.
    Decided,
    /// Approved, and waiting for its turn.
    Waits,
    /// Being carried out by this run.
    Runs(RunId),
}

/// The plans being decided on or carried out.
#[derive(Clone, Default)]
pub(crate) struct Claims(Arc<Mutex<HashMap<Key, Claimed>>>);

impl Claims {
    /// Claims a plan, or returns the stage of the existing claim.
    pub(crate) fn claim(&self, tenant: &TenantId, plan: &PlanId) -> Result<Claim, Claimed> {
        let key = (tenant.clone(), plan.clone());
        let mut all = self.lock();
        if let Some(claimed) = all.get(&key) {
            return Err(claimed.clone());
        }
        all.insert(key.clone(), Claimed::Decided);
        Ok(Claim { claims: self.clone(), key })
    }

    /// True if the plan is claimed.
    pub(crate) fn has(&self, tenant: &TenantId, plan: &PlanId) -> bool {
        self.lock().contains_key(&(tenant.clone(), plan.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Claimed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to decide on a plan and to carry it out, until it is dropped.
pub struct Claim {
    claims: Claims,
    key: Key,
}

impl Claim {
    /// The plan.
    pub fn plan(&self) -> &PlanId {
        &self.key.1
    }

    /// Its tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.key.0
    }

    /// Moves the claim to another stage.
    pub fn becomes(&self, claimed: Claimed) {
        self.claims.lock().insert(self.key.clone(), claimed);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.key);
    }
}
