//! Constants that several of the languages share.

/// The target a Rust guest is compiled for.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";
/// Maximum size of a project's manifest, in bytes.
pub(super) const MOST_BYTES: u64 = 1 << 20;
