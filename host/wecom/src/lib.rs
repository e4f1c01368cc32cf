//! The client of WeCom's directory API.
//!
//! Every call takes one path ([`call`]): the API must not be parked, a slot of its rate windows and a place among the
//! calls in flight are taken, the access token is at hand, the call is sent, and the answer is judged by its errcode
//! alone through one table ([`errcode`]). What the table calls transient is tried again there; the rest comes back.
//!
//! A write gives a [`Verdict`], never an error: what became of one member is a result. When an answer was lost the
//! write may have been done all the same; that doubt is carried along and shows in the verdict (`maybe_ours`,
//! [`Verdict::Lost`], [`Answer::in_doubt`]), since only the caller can ask the directory or knows its own ledger.
//!
//! Many creates and updates may go as CSV files ([`sheets`], [`Client::write_sheet`]): a file is written by one job, and
//! each of its rows is judged as a call of its own would be. What the file cannot say goes singly.
//!
//! Rates belong to the corp, not to a client: every client of a corp is made with the same [`Rates`].
//!
//! Token and secret travel in URLs. No URL leaves this module except as [`RedactedUrl`], error texts are cleaned of
//! both, and the token's type cannot be printed.

mod api;
mod batch;
mod call;
mod client;
mod errcode;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod in_flight;
mod lane;
mod rates;
mod redact;
mod sheet;
mod token;
mod transport;
mod write;

#[cfg(test)]
mod tests;

pub use client::{Client, Listed, Settings};
pub use errcode::{Blame, Class, Meaning, blame, class, meaning};
pub use error::{Error, Failure};
pub use rates::{Limits, Rates};
pub use redact::RedactedUrl;
pub use sheet::{BatchRow, Sheet, Sheets, sheets};
pub use write::{Answer, Attempt, Verdict, Write, holder, is_not_found};
