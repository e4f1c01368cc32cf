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
mod failure;
mod judge;
mod last_words;
mod library;
mod limits;
mod loader;
mod mapper;
mod rehearsal;
mod screening;

pub use cache::{Cache, user_folder};
pub use engine::{Engine, WASMTIME};
pub use error::{BatchError, LoadError};
pub use library::Library;
pub use limits::Limits;
pub use loader::{Component, Inspection, with_contract_version};
pub use mapper::{BATCH, Guest, Measured};
pub use rehearsal::{Rehearsal, Rules as Rehearsed, answer as answer_rehearsal};
