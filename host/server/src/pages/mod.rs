//! HTML pages, rendered from the answers of the use cases.
//!
//! A page is a function of a [`View`] (caller, language, time) and of a use case's answer. It performs no queries, so
//! every page can be rendered from fixed data. A form posts and is answered by a redirect, so going back or reloading
//! repeats nothing. Pages work without a script; a small one keeps numbers and times current. Text written by people
//! (names, rows, reasons) is escaped and placed in `bdi` or `code`, so that right-to-left letters do not reorder the
//! text around it.

mod alerts;
mod asset;
mod audit;
mod chart;
mod charts;
mod components;
mod drift;
pub(super) mod error_page;
mod extract;
mod flash;
mod labels;
mod layout;
pub(super) mod login;
mod overview;
mod plan;
mod quarantine;
mod record;
mod route;
mod rules;
mod run;
mod runs;
mod schedule;
mod settings;
#[cfg(test)]
mod tests;
mod time;
mod view;

pub use route::routes;
