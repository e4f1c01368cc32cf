//! The live rules of a flow, and their replacement.
//!
//! A flow's rules are a component and a rules file. Those the store names as the flow's latest activation are live, and
//! the store keeps the bytes of all earlier ones. The tenant's files only offer rules: once they hold something new, or
//! a person brings rules from elsewhere, the new rules are checked, compiled and tried on every stored record beside
//! the live ones, and only then become the latest activation, in one transaction. Until then, and if anything fails on
//! the way, the live rules stay live. A run reads them once, when it begins, and keeps them: so rules change between
//! runs and never within one.
//!
//! `comparison` is pure; `trial` decides stored records with two guests, `replay` one record once more with its former
//! guest; `activation` does the rest.

mod activation;
mod comparison;
mod error;
mod first_use;
mod flow_rules;
mod replay;
mod report;
#[cfg(test)]
mod tests;
mod trial;

pub use activation::{ActivationResult, ActiveRules, ChangeAuthor};
pub use comparison::{Basis, DecisionKind, Difference, FieldDifference};
pub use error::ActivationError;
pub use first_use::this_process;
pub use flow_rules::FlowRules;
pub use replay::Replay;
pub use trial::Trial;
