//! An input of the import.

use super::error::SourcePlace;

/// A text and its name.
#[derive(Debug)]
pub(super) struct Document<'t> {
    pub(super) name: &'t str,
    pub(super) text: &'t str,
}

impl Document<'_> {
    pub(super) fn place(&self, at: usize) -> SourcePlace {
        SourcePlace::of(self.name, self.text, at)
    }
}
