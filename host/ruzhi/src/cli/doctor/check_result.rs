//! The result of a check.

use std::fmt;

use serde::Serialize;

use ruzhi_message::Report;
use ruzhi_model::Text;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    Warn,
    Fail,
}

/// One check and its result.
#[derive(Debug, Serialize)]
pub(super) struct CheckResult {
    /// The name of the check, such as `wecom` or `disk`.
    pub(super) check: &'static str,
    /// The subject: a tenant, or a tenant and its flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) of: Option<String>,
    pub(super) level: Level,
    /// A stable code of the problem, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    pub(super) message: Text,
    pub(super) causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<Text>,
}

impl CheckResult {
    pub(super) fn new(check: &'static str, level: Level, message: Text) -> Self {
        Self { check, of: None, level, code: None, message, causes: Vec::new(), hint: None }
    }

    pub(super) fn ok(check: &'static str, message: Text) -> Self {
        Self::new(check, Level::Ok, message)
    }

    pub(super) fn warn(check: &'static str, message: Text, hint: Text) -> Self {
        Self { hint: Some(hint), ..Self::new(check, Level::Warn, message) }
    }

    pub(super) fn fail(check: &'static str, message: Text, hint: Text) -> Self {
        Self { hint: Some(hint), ..Self::new(check, Level::Fail, message) }
    }

    pub(super) fn of_report(check: &'static str, failure: &Report) -> Self {
        Self {
            code: Some(failure.code().to_owned()),
            causes: failure.causes().to_vec(),
            hint: failure.hint().cloned(),
            ..Self::new(check, Level::Fail, failure.text().clone())
        }
    }

    pub(super) fn of(self, whose: impl fmt::Display) -> Self {
        Self { of: Some(whose.to_string()), ..self }
    }
}
