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
mod claims;
mod counts;
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
pub use counts::Counts;
pub use draft::{AdoptBy, Draft, DriftSettle, Plan, Purpose};
pub use effect::effect;
pub use guard::{Guard, GuardReason, GuardVerdict, Lately, OVER_TIME, Span};
pub use planner::{Considered, PASSES, Planner, Standing};
pub use reasons::unknown_leader;
pub use render::{Rendering, masked};
pub use waves::Order;
pub use waves::freed;
pub use world::{
    Candidate, Claimant, Directory, Duplicates, Existing, Holder, Leader, Leaver, Policy, RecordState,
    Removed, Resolution, Scope, StoredRefusal, Survey, Totals, Wants, comparable_mobile,
};
