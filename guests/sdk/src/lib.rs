//! The SDK for writing ruzhi mapping guests, and the WeCom field rules shared by both sides of the sandbox.
//!
//! A guest implements [`Mapping`] and calls `ruzhi_guest::export!(ItsType);`. On `wasm32` that generates the
//! component's exports; elsewhere it generates nothing, and [`describe`] and [`decide`] run the same code natively,
//! for tests. The host uses [`rule::check`] and [`contract`].
//!
//! `contract` and `mask` import nothing from this crate; `fault` and `text` import only these; the modules of a field
//! (`mobile`, `email`, `department`, `date`, `value`) and `note` import those; `clock` imports the dates; `rule`
//! imports the fields; `record` and `mapping` import everything.

pub mod clock;
pub mod component;
pub mod contract;
pub mod date;
pub mod department;
pub mod email;
pub mod fault;
pub mod mapping;
pub mod mask;
pub mod mobile;
mod normal;
pub mod note;
pub mod panic;
pub mod record;
mod row;
pub mod rule;
#[cfg(test)]
mod testing;
pub mod text;
pub mod value;
pub mod zone;

pub use clock::{Clock, Now, Today};
pub use contract::{
    Context, Decision, Description, GuestError, Member, Membership, Outcome, SourceRecord, Text, Violation,
};
pub use fault::Fault;
pub use mapping::{Mapping, decide, describe};
pub use record::{Problems, Record};
