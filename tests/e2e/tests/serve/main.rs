//! What a person who leaves `ruzhi serve` running is promised, seen from outside.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect fails"
)]

mod hooks;
mod alarms;
mod schedule;
mod shutdown;
mod signals;
#[path = "../whole/site.rs"]
mod site;
