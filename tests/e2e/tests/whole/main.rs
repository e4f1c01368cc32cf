//! Promises to the people who run ruzhi, tested from outside.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an unexpected value fails the test"
)]

mod activation;
mod arrows;
mod bad_input;
mod batch;
mod blame;
mod cache;
mod cases;
mod disk;
mod dist;
mod doctor;
mod drift;
mod faults;
mod founding;
mod guard;
mod held;
mod import;
mod kill;
mod leavers;
mod lock;
mod logs;
mod main_job;
mod messages;
mod moments;
mod moves;
mod ownership;
mod places;
mod project;
mod reliability;
mod removed;
mod revert;
mod secrets;
mod serve;
mod service_clock;
mod site;
mod source;
mod terminal;
mod texts;
mod wall;
mod write_back;
