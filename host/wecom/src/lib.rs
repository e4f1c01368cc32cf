//! The client of WeCom's directory API.
//!
//! Every call takes one path ([`call`]): the API must not be parked, a slot of its rate windows and a place among the
//! calls in flight are taken, the access token is obtained, the call is sent, and the answer is judged by its errcode
//! alone through one table ([`errcode`]). Errors that the table calls transient are retried there; the others are
//! returned.
//!
//! A write returns a [`Verdict`], never an error: the outcome for one member is a result. If an answer was lost, the
//! write may have been done all the same; that doubt shows in the verdict (`maybe_ours`, [`Verdict::Lost`],
//! [`Answer::in_doubt`]), since only the caller can check the directory or knows its own ledger.
//!
//! Many creates and updates may go as CSV files ([`sheets`], [`Client::write_sheet`]): one job writes a file, and
//! each of its rows is judged like a separate call. Writes that a file cannot express are made singly.
//!
//! Rates belong to the corp, not to a client: all clients of a corp are created with the same [`Rates`].
//!
//! Token and secret travel in URLs. A URL leaves this module only as [`RedactedUrl`], error texts are cleaned of
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
