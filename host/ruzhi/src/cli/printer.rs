//! Output in the user's language: results on standard output, failures on standard error.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use ruzhi_message::Report;
use ruzhi_model::{Label, Lang, Text};

/// Language and format of the output.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Printer {
    pub(super) lang: Lang,
    pub(super) json: bool,
}

impl Printer {
    pub(super) fn new(lang: Option<&str>, json: bool) -> Result<Self, Report> {
        let lang = match lang {
            Some("en") => Lang::En,
            Some("zh") => Lang::Zh,
            Some(other) => {
                return Err(Report::usage(
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

    /// The wording in the user's language.
    pub(super) fn text<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        if self.lang == Lang::Zh { zh } else { en }
    }

    /// The word in the reader's language.
    pub(super) fn word(self, label: Label) -> &'static str {
        label.in_lang(self.lang)
    }

    /// The mark between a word and what it says.
    pub(super) fn colon(self) -> &'static str {
        if self.lang == Lang::Zh { "：" } else { ": " }
    }

    /// The mark between the items of a list.
    pub(super) fn comma(self) -> &'static str {
        if self.lang == Lang::Zh { "，" } else { ", " }
    }

    /// Prints a line of data.
    pub(super) fn out(&self, line: impl Display) {
        // The reader may have closed the pipe, as `head` does; the command has not failed.
        drop(writeln!(anstream::stdout(), "{line}"));
    }

    /// Prints a line that is not data, on standard error.
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

    /// Prints a failure and returns its exit code.
    pub(super) fn fail(&self, report: &Report) -> ExitCode {
        if self.json {
            self.json(&json!({ "state": "failed", "error": self.report_value(report) }));
        }
        self.explain(report);
        ExitCode::from(report.exit())
    }

    /// Prints a failure.
    pub(super) fn explain(&self, report: &Report) {
        if let Some(problems) = report.problems() {
            self.note(problems.render(self.lang).trim_end());
            return;
        }
        let (error, colon) = (self.text("error", "错误"), self.colon());
        self.note(format_args!("{error}[{}]{colon}{}", report.code(), report.text().in_lang(self.lang)));
        self.behind(report);
    }

    fn behind(&self, report: &Report) {
        for cause in report.causes() {
            self.note(format_args!("  {}{}{cause}", self.text("because", "原因"), self.colon()));
        }
        if let Some(hint) = report.hint() {
            let (word, colon) = (self.text("hint", "提示"), self.colon());
            self.note(format_args!("  {word}{colon}{}", hint.in_lang(self.lang)));
        }
    }

    /// Prints why something was left undone; the command itself goes on.
    pub(super) fn warn(&self, report: &Report, left: &str) {
        let (warning, colon) = (self.text("warning", "警告"), self.colon());
        self.note(format_args!(
            "{warning}[{}]{colon}{left}{colon}{}",
            report.code(),
            report.text().in_lang(self.lang)
        ));
        self.behind(report);
    }

    /// A failure as data.
    pub(super) fn report_value(&self, report: &Report) -> serde_json::Value {
        json!(report)
    }
}
