//! What a person who leaves `ruzhi serve` running is promised.

mod alarms;
mod connections;
mod hooks;
mod schedule;
mod shutdown;
mod signals;
mod soak;
