//! HTML pages, rendered from the desk's answers.
//!
//! A page is a function of a [`View`] (visitor, language, time) and of the desk's answer. It performs no queries, so
//! every page can be rendered from fixed data. A form posts and is answered by a redirect, so going back or reloading
//! repeats nothing. Pages work without a script; a small one keeps numbers and times current. Text written by people
//! (names, rows, reasons) is escaped and placed in `bdi` or `code`, so that right-to-left letters do not reorder the
//! text around it.

mod alarms;
mod asset;
mod audit;
mod chart;
mod charts;
mod drift;
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
