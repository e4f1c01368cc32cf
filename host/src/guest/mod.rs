//! Mapping guests: the only place that knows wasmtime.
//!
//! A guest is a component that imports nothing that can be called. The linker is empty and that is the whole policy:
//! there is nothing to deny, because nothing is offered. A batch is decided in an instance of its own, made for the
//! batch and dropped after it, so no state passes from one batch, flow or tenant to the next, and a trap costs one
//! batch. Memory, time, stack and the bytes that come back are bounded.
//!
//! What a guest answers is not believed: [`Guest::decide`] checks count, sizes and every hard WeCom constraint again,
//! with the same rules the guest was compiled with (`ruzhi_guest::rule`).

mod bindings;
mod build;
mod cache;
mod case;
mod engine;
mod error;
mod judge;
mod last_words;
mod library;
mod limits;
mod loader;
mod mapper;
mod project;
mod rehearsal;
mod screening;

pub use build::{BuildError, Built, Language, Toolchain, build};
pub use cache::Cache;
pub use case::{Case, CaseError, Difference, Finding, Trial};
pub use engine::Engine;
pub use error::{BatchError, LoadError};
pub use library::Library;
pub use limits::Limits;
pub use loader::{Component, Inspection};
pub use mapper::{BATCH, Guest, Measured};
pub use project::{NameError, ProjectName, project};
pub use rehearsal::{Rehearsal, Rules as Rehearsed, answer as answer_rehearsal};
