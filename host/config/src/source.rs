//! The text of one configuration file: location of a byte, displayable part of a line, problems found.
//!
//! A file can hold a secret by mistake, and a problem shows its line. So the places that may hold one are known
//! before the first problem is reported (`masks`), and are displayed as one `*` per character, which keeps columns
//! correct.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::diagnostics::Diagnostic;
use super::fingerprint::Fingerprint;
use ruzhi_files::file::UnfitFile;
use ruzhi_message::{Problem, Severity};
use ruzhi_model::Text;

/// Words that make a line of a file with broken syntax suspected of holding a secret.
const SENSITIVE: &[&str] = &["secret", "key", "token", "passw", "pwd", "robot"];
/// Characters a Chinese input method produces instead of TOML's punctuation.
const CHINESE_MARKS: &[char] = &[
    '“', '”', '‘', '’', '\u{ff02}', '\u{ff1d}', '\u{ff0c}', '、', '【', '】', '\u{ff3b}', '\u{ff3d}',
    '\u{ff5b}', '\u{ff5d}', '\u{3000}',
];
/// A run of this many letters and digits in a file with broken syntax may be a secret.
const SECRET_LENGTH: usize = 20;

/// Maximum number of syntax errors reported per file; a file with more is hardly TOML.
const SYNTAX_ERRORS: usize = 20;

/// Maximum number of problems listed per file; the rest are only counted. Listing one takes a pass over the file, and
/// a person corrects the first before reading the hundredth.
const MOST_PROBLEMS: usize = 100;

/// A longer line, in bytes, is not displayed.
const LONGEST_LINE: usize = 64 << 10;

/// A longer message, in characters, is cut.
const LONGEST_TEXT: usize = 2_000;

/// A file being read.
pub(super) struct SourceFile<'a> {
    /// The file's folder, the base of relative paths in the file.
    pub(super) folder: PathBuf,
    name: PathBuf,
    text: &'a str,
    /// Offsets of its line ends.
    ends: Vec<usize>,
    masks: Ranges,
    broken: bool,
    problems: RefCell<Vec<Problem>>,
    untold: Cell<UnlistedProblems>,
    secret_files: RefCell<Fingerprint>,
}

impl<'a> SourceFile<'a> {
    /// `name` is the file's name in messages; `masks` are the bytes never to be displayed.
    pub(super) fn new(path: &Path, name: &Path, text: &'a str, masks: Vec<Range<usize>>) -> Self {
        Self {
            folder: path.parent().unwrap_or(Path::new("")).to_owned(),
            name: PathBuf::from(name.to_string_lossy().into_owned()),
            text,
            ends: text.match_indices('\n').map(|(at, _)| at).collect(),
            masks: Ranges::of(masks),
            broken: false,
            problems: RefCell::new(Vec::new()),
            untold: Cell::default(),
            secret_files: RefCell::default(),
        }
    }

    /// The file's text between two bytes.
    pub(super) fn slice(&self, at: Range<usize>) -> &'a str {
        self.text.get(at).unwrap_or_default()
    }

    /// The line a byte is on, counted from 1.
    pub(super) fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.ends.partition_point(|end| *end < offset) + 1).unwrap_or(u32::MAX)
    }

    pub(super) fn error(&self, at: Range<usize>, diagnostic: Diagnostic) {
        self.push(Severity::Error, Some(at), diagnostic);
    }

    pub(super) fn warning(&self, at: Range<usize>, diagnostic: Diagnostic) {
        self.push(Severity::Warning, Some(at), diagnostic);
    }

    /// An error of the file as a whole.
    pub(super) fn error_of_file(&self, diagnostic: Diagnostic) {
        self.push(Severity::Error, None, diagnostic);
    }

    /// Reports broken TOML: one problem per line, for one slip causes several errors of the parser.
    pub(super) fn syntax_errors(&mut self, errors: Vec<toml::de::Error>) {
        self.broken = true;
        let mut errors: Vec<_> =
            errors.into_iter().map(|error| (error.span().unwrap_or(0..0), error)).collect();
        errors.sort_by_key(|(at, _)| at.start);
        errors.dedup_by_key(|(at, _)| self.line(at.start));
        errors.truncate(SYNTAX_ERRORS);
        for (at, error) in errors {
            let message = error.message();
            let mut diagnostic =
                Diagnostic::new(format!("broken TOML: {message}"), format!("TOML 语法有误：{message}"));
            diagnostic.hint = self.syntax_hint(at.start, message);
            self.error(at, diagnostic);
        }
    }

    fn syntax_hint(&self, offset: usize, message: &str) -> Option<Text> {
        let (start, end) = self.line_bounds(offset);
        let line = self.slice(start..end);
        if let Some(found) = line.chars().find(|c| CHINESE_MARKS.contains(c)) {
            return Some(Text::new(
                format!("`{found}` is a Chinese punctuation mark; TOML wants \" ' = , [ ] {{ }}"),
                format!("`{found}` 是中文标点，TOML 只认英文的 \" ' = , [ ] {{ }}"),
            ));
        }
        if line.contains('\\') {
            return Some(Text::new(
                "a `\\` in \"…\" begins an escape; write the text in single quotes, '…', or a path with `/`",
                "双引号里的 `\\` 是转义符；请改用单引号 '…'，路径可用 `/`",
            ));
        }
        if message.contains("duplicate key") {
            return Some(Text::new(
                "a key or [table] may stand once; remove one, or write [[flows]] for one more flow",
                "同一个键或 [表] 只能写一次；请删去一个，要多一个同步流请写 [[flows]]",
            ));
        }
        message
            .contains("must be quoted")
            .then(|| Text::new("put the text in quotes: \"…\"", "文本要用英文引号括起来：\"…\""))
    }

    /// Notes that the file refers to a secret's file about to be read.
    pub(super) fn names_secret(&self, path: &Path) {
        self.secret_files.borrow_mut().note(path);
    }

    /// Notes that a secret's file did not respond.
    pub(super) fn secret_did_not_answer(&self, path: &Path) {
        self.secret_files.borrow_mut().did_not_answer(path);
    }

    /// A further problem is only counted, so its text need not be built.
    pub(super) fn is_full(&self) -> bool {
        self.problems.borrow().len() >= MOST_PROBLEMS
    }

    /// Counts an error that is not listed.
    pub(super) fn count_error(&self) {
        let UnlistedProblems { errors, warnings } = self.untold.get();
        self.untold.set(UnlistedProblems { errors: errors + 1, warnings });
    }

    /// The reported problems, and the state of the secrets' files before they were read.
    pub(super) fn into_findings(self) -> (Vec<Problem>, Fingerprint) {
        let mut problems = self.problems.take();
        let UnlistedProblems { errors, warnings } = self.untold.get();
        for (severity, many) in [(Severity::Error, errors), (Severity::Warning, warnings)] {
            if many == 0 {
                continue;
            }
            let text = Text::new(
                format!("{many} more problems of this file are not shown"),
                format!("此文件另有 {many} 个问题未列出"),
            );
            let hint = Text::new("correct these first", "请先修正已列出的问题");
            let mut problem = Problem::with_file(&self.name, text, Some(hint));
            problem.severity = severity;
            // Below the others.
            problem.line = Some(self.line(self.text.len()));
            problems.push(problem);
        }
        (problems, self.secret_files.into_inner())
    }

    fn push(&self, severity: Severity, at: Option<Range<usize>>, diagnostic: Diagnostic) {
        if self.is_full() {
            let UnlistedProblems { errors, warnings } = self.untold.get();
            self.untold.set(match severity {
                Severity::Error => UnlistedProblems { errors: errors + 1, warnings },
                Severity::Warning => UnlistedProblems { errors, warnings: warnings + 1 },
            });
            return;
        }
        let mut problem = Problem::with_file(&self.name, cut(diagnostic.text), diagnostic.hint.map(cut));
        problem.severity = severity;
        if let Some(at) = at {
            let (start, end) = self.line_bounds(at.start);
            let count =
                |range: Range<usize>| u32::try_from(self.slice(range).chars().count()).unwrap_or(u32::MAX);
            problem.line = Some(self.line(at.start));
            problem.column = Some(count(start..at.start.min(end)).saturating_add(1));
            problem.width = count(at.start..at.end.min(end)).max(1);
            problem.source_line = (end - start <= LONGEST_LINE).then(|| self.shown(start, end));
        }
        self.problems.borrow_mut().push(problem);
    }

    /// The bytes of the line a byte is on, without its end.
    fn line_bounds(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let before = self.text.get(..offset).unwrap_or_default();
        let mut start = before.rfind('\n').map_or(0, |at| at + 1);
        if start == 0 && self.text.starts_with('\u{feff}') {
            start = '\u{feff}'.len_utf8().min(offset);
        }
        let rest = self.text.get(offset..).unwrap_or_default();
        let end = rest.find('\n').map_or(self.text.len(), |at| offset + at);
        let end = if self.slice(start..end).ends_with('\r') { end - 1 } else { end };
        (start, end)
    }

    /// A line with everything that may be a secret written as `*`.
    fn shown(&self, start: usize, end: usize) -> String {
        let line = self.slice(start..end);
        let suspect = Ranges::of(if self.broken { suspects(line) } else { Vec::new() });
        line.char_indices()
            .map(|(at, c)| {
                let quiet = self.masks.contain(start + at) || suspect.contain(at);
                match c {
                    ' ' | '\t' | '"' | '\'' => c,
                    _ if quiet => '*',
                    _ => c,
                }
            })
            .collect()
    }
}

/// Number of problems found and not listed.
#[derive(Clone, Copy, Default)]
struct UnlistedProblems {
    errors: usize,
    warnings: usize,
}

/// Parts of a text, sorted and not nested: a file may have as many as it has bytes.
struct Ranges(Vec<Range<usize>>);

impl Ranges {
    fn of(mut parts: Vec<Range<usize>>) -> Self {
        parts.sort_by_key(|part| part.start);
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(parts.len());
        for part in parts {
            match ranges.last_mut() {
                Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
                _ => ranges.push(part),
            }
        }
        Self(ranges)
    }

    fn contain(&self, at: usize) -> bool {
        let after = self.0.partition_point(|range| range.start <= at);
        after.checked_sub(1).and_then(|last| self.0.get(last)).is_some_and(|range| range.contains(&at))
    }
}

/// A text that quotes a file, cut to the length of a message.
fn cut(text: Text) -> Text {
    let cut = |text: String| match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    };
    Text { en: cut(text.en), zh: cut(text.zh) }
}

/// The parts of an unparsable line that may hold a secret.
fn suspects(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (key, _) = line.split_once('=').unwrap_or((line, ""));
    let lower = key.to_lowercase();
    if SENSITIVE.iter().any(|word| lower.contains(word)) || lower.trim() == "url" {
        found.push(key.len() + 1..line.len());
    }
    let mut run = 0..0;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/') {
            run.end = at + 1;
        } else {
            if run.len() >= SECRET_LENGTH {
                found.push(run.clone());
            }
            run = at + c.len_utf8()..at + c.len_utf8();
        }
    }
    found
}

/// An error of the system as a message.
pub(super) fn io_text(error: &std::io::Error) -> Text {
    if let Some(unfit) = UnfitFile::of(error) {
        return unfit.text();
    }
    match error.kind() {
        std::io::ErrorKind::NotFound => Text::new("it does not exist", "不存在"),
        std::io::ErrorKind::PermissionDenied => {
            Text::new("ruzhi may not read it: permission denied", "没有读取权限")
        }
        std::io::ErrorKind::IsADirectory => Text::new("it is a folder, not a file", "这是文件夹，不是文件"),
        std::io::ErrorKind::NotADirectory => Text::new("it is a file, not a folder", "这是文件，不是文件夹"),
        _ => Text::new(error.to_string(), error.to_string()),
    }
}
