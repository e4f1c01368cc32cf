//! What a person reads, in their language: results on standard output, failures on standard error.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use super::exit;
use crate::activation::ActivationError;
use crate::config::Problems;
use crate::guest::{BuildError, LoadError};
use crate::model::{Lang, Text};
use crate::store::StoreError;
use crate::sync::RunError;

/// Language and form of what is printed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Speech {
    pub(super) lang: Lang,
    pub(super) json: bool,
}

/// What went wrong, to what, and what to do next.
#[derive(Debug, Clone)]
pub(super) struct Failure(Box<Told>);

#[derive(Debug, Clone)]
struct Told {
    exit: u8,
    code: String,
    text: Text,
    causes: Vec<String>,
    hint: Option<Text>,
    problems: Option<Problems>,
}

impl Speech {
    pub(super) fn new(lang: Option<&str>, json: bool) -> Result<Self, Failure> {
        let lang = match lang {
            Some("en") => Lang::En,
            Some("zh") => Lang::Zh,
            Some(other) => {
                return Err(Failure::usage(
                    Text::new(
                        format!("`{other}` is not a language ruzhi speaks"),
                        format!("ruzhi 不支持语言“{other}”"),
                    ),
                    Text::new("use `--lang en` or `--lang zh`", "请使用 `--lang en` 或 `--lang zh`"),
                ));
            }
            None => {
                let said = ["LC_ALL", "LC_MESSAGES", "LANG"]
                    .iter()
                    .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
                if said.is_some_and(|said| said.to_ascii_lowercase().starts_with("zh")) {
                    Lang::Zh
                } else {
                    Lang::En
                }
            }
        };
        Ok(Self { lang, json })
    }

    /// One of two wordings.
    pub(super) fn say<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        if self.lang == Lang::Zh { zh } else { en }
    }

    /// Prints a line of data.
    pub(super) fn out(&self, line: impl Display) {
        // Whoever reads may have gone away, such as `head`; that is no fault of the command.
        drop(writeln!(anstream::stdout(), "{line}"));
    }

    /// Prints a line that is not data.
    pub(super) fn note(&self, line: impl Display) {
        drop(writeln!(anstream::stderr(), "{line}"));
    }

    /// Prints data as JSON.
    pub(super) fn json(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.out(text),
            Err(error) => self.note(format_args!("error: the answer cannot be written as JSON: {error}")),
        }
    }

    /// Prints a failure and gives its exit code.
    pub(super) fn fail(&self, failure: &Failure) -> ExitCode {
        if self.json {
            self.json(&json!({ "state": "failed", "error": self.failure_value(failure) }));
        }
        self.explain(failure);
        ExitCode::from(failure.0.exit)
    }

    /// Prints a failure.
    pub(super) fn explain(&self, failure: &Failure) {
        if let Some(problems) = &failure.0.problems {
            self.note(problems.render(self.lang).trim_end());
            return;
        }
        let error = self.say("error", "错误");
        self.note(format_args!("{error}[{}]: {}", failure.0.code, failure.0.text.in_lang(self.lang)));
        self.behind(failure);
    }

    fn behind(&self, failure: &Failure) {
        for cause in &failure.0.causes {
            self.note(format_args!("  {}: {cause}", self.say("because", "原因")));
        }
        if let Some(hint) = &failure.0.hint {
            self.note(format_args!("  {}: {}", self.say("hint", "提示"), hint.in_lang(self.lang)));
        }
    }

    /// Prints why something was left as it was; what was asked for is done all the same.
    pub(super) fn warn(&self, failure: &Failure, left: &str) {
        let warning = self.say("warning", "警告");
        self.note(format_args!(
            "{warning}[{}]: {left}: {}",
            failure.0.code,
            failure.0.text.in_lang(self.lang)
        ));
        self.behind(failure);
    }

    /// A failure as data.
    pub(super) fn failure_value(&self, failure: &Failure) -> serde_json::Value {
        json!({
            "code": failure.0.code,
            "message": failure.0.text,
            "causes": failure.0.causes,
            "hint": failure.0.hint,
            "problems": failure.0.problems,
        })
    }
}

impl Failure {
    pub(super) fn new(exit: u8, code: impl Into<String>, text: Text, hint: Option<Text>) -> Self {
        Self(Box::new(Told { exit, code: code.into(), text, causes: Vec::new(), hint, problems: None }))
    }

    /// The command line asks for what cannot be.
    pub(super) fn usage(text: Text, hint: Text) -> Self {
        Self::new(exit::USAGE, "usage", text, Some(hint))
    }

    /// The machine did not do what it was asked.
    pub(super) fn io(en: &str, zh: &str, error: &dyn std::error::Error) -> Self {
        Self::new(exit::FAILED, "io", Text::new(format!("cannot {en}"), format!("无法{zh}")), None)
            .because(error)
    }

    /// The exit code.
    pub(super) fn exit(&self) -> u8 {
        self.0.exit
    }

    /// Adds an error and what is behind it. Only texts are kept, so nothing can print more than they say.
    pub(super) fn because(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.0.causes.push(error.to_string());
            next = error.source();
        }
        self
    }

    /// The same with another word on what to do next.
    pub(super) fn hinting(mut self, hint: Text) -> Self {
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
        Self::new(exit::FAILED, error.code(), error.text(), Some(error.hint())).behind(&error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let exit = match error {
            RunError::NotApproved { .. } | RunError::Rejected { .. } => exit::HELD,
            RunError::NoSuchPlan { .. } => exit::USAGE,
            _ => exit::FAILED,
        };
        Self::new(exit, error.code(), error.text(), Some(error.hint())).behind(&error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::new(exit::USAGE, error.code(), error.text(), Some(error.hint())).behind(&error)
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

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let text = Text::new(error.to_string(), format!("无法构建规则组件：{error}"));
        Self::new(exit::FAILED, error.code(), text, Some(error.hint())).behind(&error)
    }
}

impl From<crate::config::TargetError> for Failure {
    fn from(error: crate::config::TargetError) -> Self {
        Self::new(exit::USAGE, "target", error.text(), Some(error.hint()))
    }
}
