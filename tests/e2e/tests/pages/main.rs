//! The pages as people have them: a real browser over a real `ruzhi serve`, the simulator behind it.
//!
//! Stories are told in both languages, on a desk's screen and on a phone's. What is looked at is what a person sees and
//! what the services then hold.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it does not expect fails"
)]

mod accessible;
mod browser;
mod driver;
mod every;
mod keyboard;
mod office;
mod story;
