//! What went wrong, to what, and what to do next: one type for whoever shows it, a terminal, a page or a program.
//!
//! Every module has errors of its own, one variant for each operation; this is what they become where a person reads them.

use serde::Serialize;

use crate::activation::ActivationError;
use crate::config::{Problems, TargetError, Unguarded};
use crate::guest::{BuildError, CaseError, LoadError};
use crate::model::Text;
use crate::open_files;
use crate::store::StoreError;
use crate::sync::{RunError, WriteBackFault};

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
    fn unless_too_many_files(self, error: &(dyn std::error::Error + 'static)) -> Self {
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

    fn behind(self, error: &dyn std::error::Error) -> Self {
        match error.source() {
            Some(source) => self.because(source),
            None => self,
        }
    }
}

impl From<Unguarded> for Failure {
    fn from(unguarded: Unguarded) -> Self {
        Self::new(exit::USAGE, "server.open", unguarded.text(), Some(unguarded.hint()))
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

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            // Only a person can say which file is the right one; a service is not started again before.
            StoreError::Names { .. } | StoreError::Log { .. } | StoreError::Exchanged { .. } => exit::USAGE,
            _ => exit::FAILED,
        };
        Self::new(exit, error.code(), error.text(), Some(error.hint()))
            .behind(&error)
            .unless_too_many_files(&error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let exit = match error {
            RunError::NotApproved { .. } | RunError::Rejected { .. } => exit::HELD,
            RunError::NoSuchPlan { .. } => exit::USAGE,
            _ => exit::FAILED,
        };
        Self::new(exit, error.code(), error.text(), Some(error.hint()))
            .behind(&error)
            .unless_too_many_files(&error)
    }
}

impl From<WriteBackFault> for Failure {
    fn from(fault: WriteBackFault) -> Self {
        let exit = match fault {
            WriteBackFault::ReadsItself { .. } | WriteBackFault::Same { .. } => exit::USAGE,
            WriteBackFault::Missing { .. } | WriteBackFault::Unwritable { .. } => exit::FAILED,
        };
        Self::new(exit, fault.code(), fault.text(), Some(fault.hint()))
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let exit = match error {
            // Nothing in the files is wrong.
            LoadError::Rehearsal { .. } | LoadError::TriedElsewhere => exit::FAILED,
            _ => exit::USAGE,
        };
        Self::new(exit, error.code(), error.text(), Some(error.hint()))
            .behind(&error)
            .unless_too_many_files(&error)
    }
}

impl From<ActivationError> for Failure {
    fn from(error: ActivationError) -> Self {
        match error {
            ActivationError::Load(error) => error.into(),
            ActivationError::Store(error) => error.into(),
            error => {
                let exit = match error {
                    ActivationError::TooMuch { .. } => exit::HELD,
                    ActivationError::Unknown { .. }
                    | ActivationError::Ambiguous { .. }
                    | ActivationError::Pinned { .. } => exit::USAGE,
                    _ => exit::FAILED,
                };
                Self::new(exit, error.code(), error.text(), Some(error.hint())).behind(&error)
            }
        }
    }
}

impl From<CaseError> for Failure {
    fn from(error: CaseError) -> Self {
        Self::new(exit::USAGE, error.code(), error.text(), Some(error.hint())).behind(&error)
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let text = Text::new(error.to_string(), format!("无法构建规则组件：{error}"));
        Self::new(exit::FAILED, error.code(), text, Some(error.hint())).behind(&error)
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        Self::new(exit::USAGE, "target", error.text(), Some(error.hint()))
    }
}
