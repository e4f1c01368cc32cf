//! The client of 简道云's (JianDaoYun's) form API, and its queries.
//!
//! A form is read in pages by cursor: rows are ordered by id, and the last id of a page requests the next.
//! The service has no success envelope, answers every business error with HTTP 400, and ignores unknown keys. So a
//! success is a 2xx with the expected shape and nothing else, and a filter or request with an unknown key is rejected
//! here, before the service silently answers with every row of the form.
//!
//! A page is either complete or an error. No failure becomes an empty page.

mod attempt;
mod body;
mod client;
mod code;
mod error;
mod filter;
mod form;
#[cfg(fuzzing)]
pub mod fuzzing;
mod transport;

#[cfg(test)]
mod tests;

pub use client::{FormClient, FormClientSettings};
pub use error::{FormError, FormErrorClass, FormFailure};
pub use filter::{FilterError, FilterProblem, RowFilter};
pub use form::{ApiVersion, ApiVersionError, FormAddress, FormRow, FormWidget, RowQuery};
