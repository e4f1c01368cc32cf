//! Problems of values, before it is known where the values stand.

use ruzhi_message::Problem;
use ruzhi_model::Text;

/// Puts problems in the order a person reads files in.
pub(super) fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| {
        (&a.file, a.line, a.column, &a.text.en).cmp(&(&b.file, b.line, b.column, &b.text.en))
    });
}

/// A problem with a value, before it is known where the value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diagnostic {
    pub(super) text: Text,
    pub(super) hint: Option<Text>,
}

impl Diagnostic {
    pub(super) fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { text: Text::new(en, zh), hint: None }
    }

    pub(super) fn hint(mut self, en: impl Into<String>, zh: impl Into<String>) -> Self {
        self.hint = Some(Text::new(en, zh));
        self
    }
}
