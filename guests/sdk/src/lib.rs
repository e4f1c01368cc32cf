//! What a mapping guest of ruzhi is written with, and the WeCom field rules both sides of the sandbox share.
//!
//! A guest implements [`Mapping`] and says `ruzhi_guest::export!(ItsType);`. On `wasm32` that makes the component's
//! exports; elsewhere it makes nothing, and [`describe`] and [`decide`] run the same code natively, for tests. The
//! host uses [`rule::check`] and [`contract`].
//!
//! `contract` imports nothing of this crate; `fault` and `text` only that; the modules of a field (`mobile`, `email`,
//! `department`, `date`, `value`) those; `rule` the fields; `record` and `mapping` everything.

pub mod component;
pub mod contract;
pub mod date;
pub mod department;
pub mod email;
pub mod fault;
pub mod mapping;
pub mod mobile;
mod normal;
pub mod panic;
pub mod record;
mod row;
pub mod rule;
#[cfg(test)]
mod testing;
pub mod text;
pub mod value;
pub mod zone;

pub use contract::{
    Context, Decision, Description, GuestError, Member, Membership, Outcome, SourceRecord, Violation,
};
pub use fault::Fault;
pub use mapping::{Clock, Mapping, decide, describe};
pub use record::{Problems, Record};
