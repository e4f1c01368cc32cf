//! What went wrong, to what, and what to do next: one type for whoever shows it, a terminal, a page or a program.
//!
//! Every module has errors of its own, one variant for each operation; this is what they become where a person reads them.

mod problem;

use serde::Serialize;

pub use problem::{Problem, Problems, Severity};

use ruzhi_files::open_files;
use ruzhi_model::Text;

/// Exit codes: whose fault it is.
pub mod exit {
    /// Something was not done.
    pub const FAILED: u8 = 1;
    /// The command line, the configuration or the store's files are wrong: a person has to put them right first.
    pub const USAGE: u8 = 2;
    /// The guard wants a person.
    pub const HELD: u8 = 3;
}

/// What went wrong, to what, and what to do next.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Failure(Box<Told>);

#[derive(Debug, Clone, Serialize)]
struct Told {
    #[serde(skip)]
    exit: u8,
    code: String,
    #[serde(rename = "message")]
    text: Text,
    causes: Vec<String>,
    hint: Option<Text>,
    problems: Option<Problems>,
}

impl Failure {
    pub fn new(exit: u8, code: impl Into<String>, text: Text, hint: Option<Text>) -> Self {
        Self(Box::new(Told { exit, code: code.into(), text, causes: Vec::new(), hint, problems: None }))
    }

    /// The command line asks for what cannot be.
    pub fn usage(text: Text, hint: Text) -> Self {
        Self::new(exit::USAGE, "usage", text, Some(hint))
    }

    /// The machine did not do what it was asked.
    pub fn io(en: &str, zh: &str, error: &dyn std::error::Error) -> Self {
        Self::new(exit::FAILED, "io", Text::new(format!("cannot {en}"), format!("无法{zh}")), None)
            .because(error)
    }

    /// The same, blamed on too many open files where it is they that failed it: the store says no more than that it
    /// cannot be opened, and its own hint would send people to look at the disk.
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

    /// A stable code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What happened, to what.
    pub fn text(&self) -> &Text {
        &self.0.text
    }

    /// What is behind it, from the outside in.
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&Text> {
        self.0.hint.as_ref()
    }

    /// What is wrong in the files of the configuration.
    pub fn problems(&self) -> Option<&Problems> {
        self.0.problems.as_ref()
    }

    /// Adds an error and what is behind it. Only texts are kept, so nothing can print more than they say.
    pub fn because(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.0.causes.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// The same with another word on what to do next.
    pub fn hinting(mut self, hint: Text) -> Self {
        self.0.hint = Some(hint);
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

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let text = Text::new("the configuration is not valid", "配置有误");
        let mut failure = Self::new(exit::USAGE, "config", text, None);
        failure.0.problems = Some(problems);
        failure
    }
}
