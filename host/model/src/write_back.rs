//! Where the outcome of a row is written.

use crate::Lang;

/// The fields of a form that take the outcome of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBack {
    /// A field of one line or of several: what became of the row, in words.
    pub outcome: String,
    /// A field of date and time: since when.
    pub at: Option<String>,
    /// The language of the words.
    pub lang: Lang,
}
