//! What a person who runs ruzhi is promised, seen from outside.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect fails"
)]

mod bad_input;
mod crash;
mod faults;
mod founding;
mod guard;
mod kill;
mod main_job;
mod reliability;
mod secrets;
