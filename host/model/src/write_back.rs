//! The fields that take the outcome of a row.

use super::text::Lang;

/// The fields of a form that take the outcome of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBack {
    /// A field of one line or of several: the outcome of the row, in words.
    pub outcome: String,
    /// A field of date and time: the time of the outcome.
    pub at: Option<String>,
    /// The language of the text.
    pub lang: Lang,
}
