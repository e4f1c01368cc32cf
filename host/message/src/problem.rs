//! Problems: the file, the fault, and how both are displayed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use serde::{Deserialize, Serialize};

use crate::sanitize::steers;
use ruzhi_model::{Lang, Text};

/// Characters marked at most: a marked place is shown whole, while the rest of a long line is cut.
const MARKED: u32 = 80;

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
        let (level, name) = match (self.severity, lang) {
            (Severity::Error, Lang::En) => (Level::ERROR, "error"),
            (Severity::Error, Lang::Zh) => (Level::ERROR, "错误"),
            (Severity::Warning, Lang::En) => (Level::WARNING, "warning"),
            (Severity::Warning, Lang::Zh) => (Level::WARNING, "警告"),
        };
        let hint = match lang {
            Lang::En => "hint",
            Lang::Zh => "提示",
        };
        let title = level.with_name(name).primary_title(printable(self.text.in_lang(lang)));
        let mut group = title.element(self.place());
        if let Some(text) = &self.hint {
            group = group.element(Level::HELP.with_name(hint).message(printable(text.in_lang(lang))));
        }
        let mut drawn = Renderer::plain().render(&[group]);
        if lang == Lang::Zh {
            // The library writes a half-width colon after a level's name.
            for name in [name, hint] {
                drawn = drawn.replacen(&format!("{name}: "), &format!("{name}："), 1);
            }
        }
        drawn.push('\n');
        drawn
    }

    /// The marked line, or only its place if the line is not shown.
    fn place(&self) -> Element<'static> {
        let file = printable(&self.file.display().to_string());
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        if let (Some(line), Some(source)) = (self.line, &self.source_line) {
            let source = printable(source);
            let byte =
                |character: usize| source.char_indices().nth(character).map_or(source.len(), |(at, _)| at);
            let first = number(self.column.unwrap_or(1).saturating_sub(1));
            let marked = byte(first)..byte(first.saturating_add(number(self.width.min(MARKED))));
            let annotation = AnnotationKind::Primary.span(marked);
            return Snippet::source(source).line_start(number(line)).path(file).annotation(annotation).into();
        }
        let mut origin = Origin::path(file);
        if let Some(line) = self.line {
            origin = origin.line(number(line));
        }
        if let Some(column) = self.column {
            origin = origin.char_column(number(column));
        }
        origin.into()
    }
}

/// A text without characters that would steer a terminal; each is replaced by one character.
fn printable(text: &str) -> String {
    text.chars().map(|c| if steers(c) && c != '\t' { '\u{fffd}' } else { c }).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(source: &str, column: u32, width: u32, lang: Lang) -> String {
        let place = Problem {
            line: Some(7),
            column: Some(column),
            width,
            source_line: Some(source.to_owned()),
            ..Problem::with_file(
                Path::new("tenants/a.toml"),
                Text::new("no such value", "没有这个值"),
                Some(Text::new("write another", "请换一个")),
            )
        };
        place.render(lang)
    }

    #[test]
    fn the_caret_stands_beneath_its_place_whatever_stands_before_it() {
        for before in ["name = ", "名称 = ", "名称ａ𠮷 = ", "e\u{301} = ", "[flows]"] {
            let column = u32::try_from(before.chars().count()).unwrap() + 1;
            let shown = drawn(&format!("{before}\"值x\""), column, 4, Lang::Zh);
            let mut lines = shown.lines().skip_while(|line| !line.contains(" | ") || line.trim() == "|");
            let (line, marks) = (lines.next().unwrap(), lines.next().unwrap());
            let start = unicode_width::UnicodeWidthStr::width(line.split_once('"').unwrap().0);
            assert_eq!(marks.find('^'), Some(start), "{shown}");
            assert_eq!(marks.matches('^').count(), 5, "{shown}");
        }
    }

    #[test]
    fn a_problem_has_its_words_in_both_languages() {
        assert_eq!(
            drawn("a = 1", 5, 1, Lang::En),
            "error: no such value\n --> tenants/a.toml:7:5\n  |\n7 | a = 1\n  |     ^\n  |\n  = hint: write another\n"
        );
        assert!(drawn("a = 1", 5, 1, Lang::Zh).starts_with("错误：没有这个值\n"));
    }

    #[test]
    fn what_steers_a_terminal_is_not_shown() {
        let shown = drawn("a = \"\u{1b}[2J\u{202e}\"", 5, 8, Lang::En);
        assert!(!shown.chars().any(|c| steers(c) && c != '\n'), "{shown:?}");
    }
}
