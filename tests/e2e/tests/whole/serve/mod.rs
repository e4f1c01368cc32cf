//! Promises about a running `ruzhi serve`.

mod alerts;
mod beside;
mod connections;
mod files;
mod hooks;
pub(crate) mod schedule;
mod shutdown;
mod signals;
mod soak;
mod store;
