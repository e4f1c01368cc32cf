//! What is to be done, as data.
//!
//! [`draft`] is a pure function of the world (stored decisions and ledger), the directory's ids, the policy and the
//! moment. It considers every stored decision of the tenant, not only the rows that changed: a write that failed
//! yesterday is simply planned again, and planning an unchanged world gives the same plan with the same hash. Whoever
//! applies a plan has no choice left to make.

mod body;
mod claims;
mod counts;
mod guard;
mod planner;
mod render;
mod waves;
mod world;

#[cfg(test)]
mod tests;

pub use counts::Counts;
pub use guard::{Guard, GuardReason, GuardVerdict};
pub use planner::{Drafted, Plan, Standing, draft};
pub use render::{masked, render};
pub use world::{
    Directory, Duplicates, LedgerEntry, MemberState, Policy, RecordState, Resolution, StoredRefusal, World,
};
