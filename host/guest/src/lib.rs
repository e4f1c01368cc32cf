//! Mapping guests: the only place that knows wasmtime.
//!
//! A guest is a component that imports nothing callable. The empty linker is the whole policy: nothing need be
//! denied, because nothing is offered. Each batch is decided in an instance of its own and dropped after it, so no
//! state passes from one batch, flow or tenant to the next, and a trap costs one batch. Memory, time, stack and the
//! size of answers are bounded.
//!
//! Answers of a guest are not trusted: [`Guest::decide`] checks count, sizes and every hard WeCom constraint again,
//! with the same rules the guest was compiled with (`ruzhi_guest::rule`).

mod bindings;
mod cache;
mod engine;
mod error;
mod guest;
mod limits;
mod loader;
mod panic_message;
mod registry;
mod rehearsal;
mod rehearsal_child;
mod report;
mod screening;
mod trap;
mod validate;

pub use cache::{Cache, user_folder};
pub use engine::{Engine, WASMTIME};
pub use error::{BatchError, GuestLoadError};
pub use guest::{BATCH, Guest, Measurement};
pub use limits::GuestLimits;
pub use loader::{Component, Inspection, with_contract_version};
pub use registry::ComponentRegistry;
pub use rehearsal::{Rehearsal, RehearsalRules};
pub use rehearsal_child::answer as answer_rehearsal;
