//! The pages as people have them: a real browser over a real `ruzhi serve`, the simulator behind it.
//!
//! Stories are told in both languages, on a desk's screen and on a phone's. What is looked at is what a person sees and
//! what the services then hold.

mod accessible;
mod browser;
mod driver;
mod every;
mod keyboard;
mod office;
mod story;
