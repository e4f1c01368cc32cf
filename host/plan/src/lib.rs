//! Plans: the operations to be done, as data.
//!
//! [`Planner`] is a fold without side effects: first over the totals of all records (a [`Survey`]), then over each
//! record that may ask for something (a [`Candidate`]), with the directory's ids, the policy and the moment. It
//! considers every stored decision of the tenant, not only the rows that changed: a write that failed yesterday is
//! simply planned again, and planning an unchanged world gives the same plan with the same hash. Operations leave it
//! one by one, so a plan of a hundred thousand is never held in memory. Applying a plan leaves no choice open.
//!
//! Plans that do not come from decisions ([`adopt`], [`revert`], [`drift`]) are made of the same operations, and pass
//! the same guard.

pub mod adopt;
mod body;
mod change;
mod conflicts;
mod context;
mod counts;
mod disposition;
mod draft;
pub mod drift;
mod effect;
mod guard;
mod planner;
mod reasons;
mod render;
pub mod revert;
mod upsert;
mod waves;
mod world;

#[cfg(any(test, feature = "testing"))]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "for tests alone")]
pub mod testing;
#[cfg(test)]
mod tests;

pub use body::create as whole_body;
pub use conflicts::ClaimedField;
pub use counts::Counts;
pub use disposition::{Disposition, RecordPlan};
pub use draft::{AdoptBy, Draft, DriftResolution, Plan, Purpose, PurposeKind};
pub use effect::effect;
pub use guard::{Guard, GuardLimit, GuardReason, GuardVerdict, LeaverWindow, OVER_TIME, RecentLeavers};
pub use planner::{PASSES, Planner};
pub use reasons::unknown_leader;
pub use render::PlanRenderer;
pub use waves::OperationOrder;
pub use waves::freed;
pub use world::{
    Candidate, Claimant, Directory, DuplicatePolicy, ExistingPolicy, Holder, Leader, Leaver, MemberClaim,
    Policy, RecordState, RemovedPolicy, Resolution, Scope, StoredRejection, Survey, Totals,
    comparable_mobile,
};
