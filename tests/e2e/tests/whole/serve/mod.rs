//! What a person who leaves `ruzhi serve` running is promised.

mod alarms;
mod connections;
mod files;
mod hooks;
pub(crate) mod schedule;
mod shutdown;
mod signals;
mod soak;
mod store;
