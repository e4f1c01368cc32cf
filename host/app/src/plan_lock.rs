//! One person at a time decides on a plan and carries it out.
//!
//! Between an approval and the moment at which the store says that the plan is being applied lie a queue and the
//! reading of a form. So the decision first locks the plan and only then reads its state; the lock travels with the
//! request and ends with it. A plan reported as rejected is therefore never applied, and none is requested twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ruzhi_model::{PlanId, RunId, TenantId};

type PlanKey = (TenantId, PlanId);

/// The state of a locked plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanLockState {
    /// A person is deciding.
    Deciding,
    /// Approved, and waiting for its turn.
    Queued,
    /// Being carried out by this run.
    Running(RunId),
}

/// The locked plans: those being decided on or carried out.
#[derive(Clone, Default)]
pub(crate) struct PlanLocks(Arc<Mutex<HashMap<PlanKey, PlanLockState>>>);

impl PlanLocks {
    /// Locks a plan, or returns the state of the existing lock.
    pub(crate) fn lock_plan(&self, tenant: &TenantId, plan: &PlanId) -> Result<PlanLock, PlanLockState> {
        let key = (tenant.clone(), plan.clone());
        let mut all = self.all();
        if let Some(state) = all.get(&key) {
            return Err(state.clone());
        }
        all.insert(key.clone(), PlanLockState::Deciding);
        Ok(PlanLock { locks: self.clone(), key })
    }

    /// True if the plan is locked.
    pub(crate) fn has(&self, tenant: &TenantId, plan: &PlanId) -> bool {
        self.all().contains_key(&(tenant.clone(), plan.clone()))
    }

    fn all(&self) -> MutexGuard<'_, HashMap<PlanKey, PlanLockState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to decide on a plan and to carry it out, until it is dropped.
pub struct PlanLock {
    locks: PlanLocks,
    key: PlanKey,
}

impl PlanLock {
    /// The plan.
    pub fn plan(&self) -> &PlanId {
        &self.key.1
    }

    /// Its tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.key.0
    }

    /// Sets the state of the lock.
    pub fn set_state(&self, state: PlanLockState) {
        self.locks.all().insert(self.key.clone(), state);
    }
}

impl Drop for PlanLock {
    fn drop(&mut self) {
        self.locks.all().remove(&self.key);
    }
}
