//! What a person looks at: HTML, drawn here, of what the desk tells.
//!
//! A page is a function of a [`View`] (who looks, in which language, when) and of the desk's answer; it asks nothing
//! itself, so every page can be drawn from fixed data. Forms post and are led on by a redirect, so that going back and
//! loading again repeat nothing. A page needs no script; one small one keeps numbers and times true while it is looked
//! at. What is written by people (names, rows, reasons) stands in `bdi` or `code`: it is escaped, and no letter of
//! another direction moves what is beside it.

mod alarms;
mod asset;
mod audit;
mod chart;
mod charts;
mod flash;
mod given;
mod guests;
mod login;
mod moment;
mod overview;
mod part;
mod plan;
mod quarantine;
mod record;
mod route;
mod run;
mod runs;
mod settings;
mod shell;
#[cfg(test)]
mod tests;
mod trouble;
mod view;
mod words;

pub(super) use login::page as login_page;
pub use route::routes;
pub(super) use trouble::at_the_door;
