//! The pages as people use them: a real browser over a real `ruzhi serve`, with the simulator behind it.
//!
//! Stories run in both languages, on a desktop screen and on a phone's. They check the visible page and the state of
//! the services afterwards.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an unexpected value fails the test"
)]

mod accessible;
mod browser;
mod driver;
mod every;
mod keyboard;
mod office;
mod story;
