//! Problems: the file, the fault, and how both are displayed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use ruzhi_model::{Lang, Text};

/// Longer source lines are cut around the marked place.
const SHOWN: usize = 140;
/// Characters of a cut line before the marked place.
const BEFORE: usize = 40;

/// The effect of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but deserves attention.
    Warning,
}

/// One problem at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The effect on the load.
    pub severity: Severity,
    /// The file, relative to the configuration's folder.
    pub file: PathBuf,
    /// Counted from 1.
    pub line: Option<u32>,
    /// In characters, counted from 1.
    pub column: Option<u32>,
    /// Number of characters marked; 1 if only a point is known.
    pub width: u32,
    /// The line as in the file, with every secret written as `*`.
    pub source_line: Option<String>,
    /// The problem, naming the value.
    pub text: Text,
    /// The remedy.
    pub hint: Option<Text>,
}

impl Problem {
    /// A problem with a file or folder as a whole.
    pub fn with_file(file: &Path, text: Text, hint: Option<Text>) -> Self {
        Self {
            severity: Severity::Error,
            // Lossy, since a name that is not Unicode could not be written as JSON.
            file: PathBuf::from(file.to_string_lossy().into_owned()),
            line: None,
            column: None,
            width: 1,
            source_line: None,
            text,
            hint,
        }
    }

    /// The problem as displayed: message, place, marked line, hint. Ends with a line feed.
    pub fn render(&self, lang: Lang) -> String {
        let label = match (self.severity, lang) {
            (Severity::Error, Lang::En) => "error: ",
            (Severity::Error, Lang::Zh) => "错误：",
            (Severity::Warning, Lang::En) => "warning: ",
            (Severity::Warning, Lang::Zh) => "警告：",
        };
        let hint_label = match lang {
            Lang::En => "hint: ",
            Lang::Zh => "提示：",
        };
        let mut out = format!("{label}{}\n", printable(self.text.in_lang(lang)));
        let file = self.file.display();
        let number = self.line.map(|line| line.to_string()).unwrap_or_default();
        let gutter = number.len().max(1);
        match (self.line, self.column) {
            (Some(line), Some(column)) => {
                let _ = writeln!(out, "{:gutter$}--> {file}:{line}:{column}", "");
            }
            (Some(line), None) => {
                let _ = writeln!(out, "{:gutter$}--> {file}:{line}", "");
            }
            _ => {
                let _ = writeln!(out, "{:gutter$}--> {file}", "");
            }
        }
        if let Some(source) = &self.source_line {
            let column = self.column.unwrap_or(1).saturating_sub(1) as usize;
            let (shown, marks) = marked(&printable(source), column, self.width as usize);
            let _ = write!(out, "{:gutter$} |\n{number:>gutter$} | {shown}\n{:gutter$} | {marks}\n", "", "");
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "{:gutter$} = {hint_label}{}", "", printable(hint.in_lang(lang)));
        }
        out
    }
}

/// A text without characters that would steer a terminal; each is replaced by one character.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// The part of a line to show, and the line of carets beneath it.
fn marked(source: &str, column: usize, width: usize) -> (String, String) {
    let length = source.chars().count();
    let start = if length > SHOWN { column.saturating_sub(BEFORE).min(length - SHOWN) } else { 0 };
    let (cut_before, cut_after) = (start > 0, start + SHOWN < length);
    let part: String = source.chars().skip(start).take(SHOWN).collect();
    let column = column - start;

    let mut marks = String::new();
    if cut_before {
        marks.push(' ');
    }
    // Wide characters are replaced by a wide space and tabs by themselves, to keep the carets beneath their place.
    marks.extend(part.chars().chain(std::iter::repeat(' ')).take(column).map(|c| match c {
        '\t' => '\t',
        '\u{1100}'.. => '\u{3000}',
        _ => ' ',
    }));
    let room = part.chars().count().saturating_sub(column).max(1);
    let under = part.chars().skip(column).chain(std::iter::repeat(' ')).take(width.clamp(1, room));
    for c in under {
        marks.push_str(if c >= '\u{1100}' { "^^" } else { "^" });
    }
    let dots = |cut: bool| if cut { "…" } else { "" };
    (format!("{}{part}{}", dots(cut_before), dots(cut_after)), marks)
}

/// All problems of a configuration; at least one of `list` is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the configuration cannot be used: {} problem(s)", list.len())]
pub struct Problems {
    /// By file, then by place.
    pub list: Vec<Problem>,
}

impl Problems {
    /// The errors of each file.
    pub fn errors_by_file(&self) -> Vec<(&Path, Vec<&Problem>)> {
        let mut files: Vec<(&Path, Vec<&Problem>)> = Vec::new();
        for problem in self.list.iter().filter(|problem| problem.severity == Severity::Error) {
            match files.last_mut() {
                Some((file, errors)) if *file == problem.file => errors.push(problem),
                _ => files.push((&problem.file, vec![problem])),
            }
        }
        files
    }
}

impl Problems {
    /// All problems in one language, a blank line after each, and a last line that counts them.
    pub fn render(&self, lang: Lang) -> String {
        let mut out = String::new();
        for problem in &self.list {
            out.push_str(&problem.render(lang));
            out.push('\n');
        }
        let count = |severity| self.list.iter().filter(|p| p.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        match lang {
            Lang::En => {
                let many = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
                let _ = write!(out, "{}", many(errors, "error"));
                if warnings > 0 {
                    let _ = write!(out, ", {}", many(warnings, "warning"));
                }
                out.push_str(" in the configuration; nothing was done\n");
            }
            Lang::Zh => {
                let _ = write!(out, "配置中有 {errors} 个错误");
                if warnings > 0 {
                    let _ = write!(out, "、{warnings} 个警告");
                }
                out.push_str("，未执行任何操作\n");
            }
        }
        out
    }
}
