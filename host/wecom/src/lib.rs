//! The client of WeCom's directory API.
//!
//! Every call takes one path ([`dispatch`]): the API must not be parked, a slot of its rate windows and a place among the
//! calls in flight are taken, the access token is obtained, the call is sent, and the answer is judged by its errcode
//! alone through one table ([`errcode`]). Errors that the table calls transient are retried there; the others are
//! returned.
//!
//! A write returns a [`WriteVerdict`], never an error: the outcome for one member is a result. If an answer was lost, the
//! write may have been done all the same; that doubt shows in the verdict (`maybe_ours`, [`WriteVerdict::Lost`],
//! [`WriteAnswer::in_doubt`]), since only the caller can check the directory or knows its own ledger.
//!
//! Many creates and updates may go as CSV files ([`csv_files`], [`WecomClient::write_csv_file`]): one job writes a file, and
//! each of its rows is judged like a separate call. Writes that a file cannot express are made singly.
//!
//! Rates belong to the corp, not to a client: all clients of a corp are created with the same [`Rates`].
//!
//! Token and secret travel in URLs. A URL leaves this module only as [`RedactedUrl`], error texts are cleaned of
//! both, and the token's type cannot be printed.

mod api;
mod api_limiter;
mod attempt;
mod client;
mod concurrency;
mod csv;
mod csv_job;
mod dispatch;
mod errcode;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod rates;
mod redact;
mod token;
mod transport;
mod write;

#[cfg(test)]
mod tests;

pub use self::csv::{BatchRow, CsvDivision, CsvFile, csv_files};
pub use attempt::CallAttempt;
pub use client::{ListedMember, WecomClient, WecomClientSettings};
pub use errcode::{Blame, ErrcodeClass, ErrcodeMeaning, blame, class, meaning};
pub use error::{WecomError, WecomFailure};
pub use rates::{RateLimits, Rates};
pub use redact::RedactedUrl;
pub use write::{MemberWrite, WriteAnswer, WriteVerdict, holder, is_not_found};
