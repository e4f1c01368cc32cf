//! The report of a failure.

use serde::{Deserialize, Serialize};

use ruzhi_files::open_files;
use ruzhi_model::Text;

use crate::exit;
use crate::problem::Problems;

/// The kind of a failure, for those who answer a program: the exit code does not tell these apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReportKind {
    /// None of the others: the exit code says enough.
    #[default]
    Plain,
    /// The person's role does not allow it.
    Forbidden,
    /// The thing named does not exist.
    Unknown,
    /// The state of the thing named does not allow it, or no longer does.
    Conflict,
    /// A part of ruzhi does not work at present.
    Unavailable,
}

/// A failure, its subject and the next step.
///
/// A terminal is told the command, a page the button or the page: where they differ, a report has a hint for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Report(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Parts {
    exit: u8,
    #[serde(skip)]
    kind: ReportKind,
    code: String,
    #[serde(rename = "message")]
    text: Text,
    causes: Vec<String>,
    hint: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page_hint: Option<Text>,
    problems: Option<Problems>,
}

impl Report {
    pub fn new(exit: u8, code: impl Into<String>, text: Text, hint: Option<Text>) -> Self {
        let (code, kind, causes) = (code.into(), ReportKind::default(), Vec::new());
        Self(Box::new(Parts { exit, kind, code, text, causes, hint, page_hint: None, problems: None }))
    }

    /// The command line makes an impossible request.
    pub fn usage(text: Text, hint: Text) -> Self {
        Self::new(exit::USAGE, "usage", text, Some(hint))
    }

    /// The machine failed to carry out an operation.
    pub fn io(en: &str, zh: &str, error: &dyn std::error::Error) -> Self {
        Self::new(exit::FAILED, "io", Text::new(format!("cannot {en}"), format!("无法{zh}")), None)
            .because(error)
    }

    /// The same, blamed on too many open files if they caused it: the store only says that it cannot be opened, and
    /// its own hint would send people to check the disk.
    #[must_use]
    pub fn unless_too_many_files(self, error: &(dyn std::error::Error + 'static)) -> Self {
        if self.exit() == exit::FAILED && open_files::are_too_many(error) {
            return self.hinting(open_files::advice());
        }
        self
    }

    /// The exit code.
    pub fn exit(&self) -> u8 {
        self.0.exit
    }

    /// Its kind.
    pub fn kind(&self) -> ReportKind {
        self.0.kind
    }

    /// The same, of a kind.
    #[must_use]
    pub fn of_kind(mut self, kind: ReportKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// A stable code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The failure and its subject.
    pub fn text(&self) -> &Text {
        &self.0.text
    }

    /// Its causes, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// The next step at a terminal.
    pub fn hint(&self) -> Option<&Text> {
        self.0.hint.as_ref()
    }

    /// The next step on a page.
    pub fn page_hint(&self) -> Option<&Text> {
        self.0.page_hint.as_ref().or(self.0.hint.as_ref())
    }

    /// The problems in the configuration files.
    pub fn problems(&self) -> Option<&Problems> {
        self.0.problems.as_ref()
    }

    /// Adds an error and its causes. Only texts are kept, so nothing can print more than they say.
    pub fn because(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.0.causes.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// The same with another hint.
    pub fn hinting(mut self, hint: Text) -> Self {
        self.0.hint = Some(hint);
        self.0.page_hint = None;
        self
    }

    /// The same with a hint of its own for a page, if there is one.
    #[must_use]
    pub fn on_page(mut self, hint: Option<Text>) -> Self {
        self.0.page_hint = hint;
        self
    }

    /// Adds what is behind an error, without the error itself.
    #[must_use]
    pub fn behind(self, error: &dyn std::error::Error) -> Self {
        match error.source() {
            Some(source) => self.because(source),
            None => self,
        }
    }
}

impl From<Problems> for Report {
    fn from(problems: Problems) -> Self {
        let text = Text::new("the configuration is not valid", "配置有误");
        let mut report = Self::new(exit::USAGE, "config", text, None);
        report.0.problems = Some(problems);
        report
    }
}
