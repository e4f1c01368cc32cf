//! The client of 简道云's (JianDaoYun's) form API, and the query it sends.
//!
//! A form is read in pages by cursor: rows come in the order of their ids, and the last id of a page asks for the next.
//! The service has no success envelope, answers every business error with HTTP 400, and ignores what it does not
//! know; so a success is a 2xx with the expected shape and nothing else, and a filter or request with an unknown key
//! is refused here, before the service silently answers with every row there is.
//!
//! A page either comes whole or is an error. Nothing here turns a failure into an empty page.

mod client;
mod code;
mod error;
mod filter;
mod form;
#[cfg(fuzzing)]
pub mod fuzzing;
mod request;
mod transport;

#[cfg(test)]
mod tests;

pub use client::{Client, Settings};
pub use error::{Class, Error, Failure};
pub use filter::{Filter, FilterError, FilterProblem};
pub use form::{Api, ApiError, Form, Query, Row, Widget};
pub use request::{Request, RequestError, parse_fields};
