//! The walk over a parsed file: sections, their known keys, and values with their locations.
//!
//! A reader asks a section for each of its keys. Every answer is an `Option`: `None` means that a problem was
//! reported and the reader goes on with the next key, so that one pass finds them all. Leaving out a key with a
//! default is not a problem; the three states (absent, wrong, good) are told apart here and nowhere else.

use std::ops::{Range, RangeInclusive};

use toml::de::{DeTable, DeValue};

use super::diagnostics::Diagnostic;
use super::source::SourceFile;
use super::suggest;

/// The keys of one table; `path` is its dotted name, empty for the top of the file.
pub(super) struct Shape {
    pub(super) path: &'static str,
    pub(super) keys: &'static [&'static str],
}

/// One table of a file.
#[derive(Clone)]
pub(super) struct Section<'a> {
    pub(super) file: &'a SourceFile<'a>,
    shapes: &'static [Shape],
    path: &'static str,
    body: SectionBody<'a>,
}

#[derive(Clone)]
enum SectionBody<'a> {
    Present {
        table: &'a DeTable<'a>,
        at: Range<usize>,
    },
    /// Absent: every key has its default.
    Absent,
    /// Already reported: its keys are not asked for.
    Broken,
}

/// One value of a file.
#[derive(Clone)]
pub(super) struct TomlEntry<'a> {
    pub(super) file: &'a SourceFile<'a>,
    /// The dotted name for messages.
    pub(super) name: String,
    pub(super) key_at: Range<usize>,
    pub(super) at: Range<usize>,
    pub(super) value: &'a DeValue<'a>,
}

impl<'a> Section<'a> {
    /// The top of a file.
    pub(super) fn root(file: &'a SourceFile<'a>, shapes: &'static [Shape], table: &'a DeTable<'a>) -> Self {
        Self::present(file, shapes, "", table, 0..0)
    }

    fn present(
        file: &'a SourceFile<'a>,
        shapes: &'static [Shape],
        path: &'static str,
        table: &'a DeTable<'a>,
        at: Range<usize>,
    ) -> Self {
        let section = Self { file, shapes, path, body: SectionBody::Present { table, at } };
        section.reject_unknown(table);
        section
    }

    /// The table `key`; all defaults if absent.
    pub(super) fn section(&self, key: &'static str) -> Self {
        match self.get(key) {
            Some(entry) => self.open(&entry, key),
            None if matches!(self.body, SectionBody::Broken) => self.with_body(key, SectionBody::Broken),
            None => self.with_body(key, SectionBody::Absent),
        }
    }

    /// The table `key`; a problem if absent. `example` shows what to write.
    pub(super) fn required_section(&self, key: &'static str, example: &str) -> Self {
        let section = self.section(key);
        if !matches!(section.body, SectionBody::Absent) {
            return section;
        }
        let title = section.title();
        self.report_missing(
            Diagnostic::new(format!("{title} is missing"), format!("缺少 {title}"))
                .hint(format!("add {example}"), format!("请加上 {example}")),
        );
        self.with_body(key, SectionBody::Broken)
    }

    /// The tables `[[key]]`. `None` if the key holds anything else.
    pub(super) fn sections(&self, key: &'static str) -> Option<Vec<Self>> {
        let Some(entry) = self.get(key) else { return Some(Vec::new()) };
        let path = self.child(key);
        match entry.value {
            DeValue::Array(items) => Some(
                items
                    .iter()
                    .map(|item| {
                        let element = TomlEntry { at: item.span(), value: item.get_ref(), ..entry.clone() };
                        self.open(&element, key)
                    })
                    .collect(),
            ),
            _ => {
                self.file.error(
                    entry.at.clone(),
                    Diagnostic::new(
                        format!("`{path}` must be a list of tables, found {}", kind(entry.value).0),
                        format!("`{path}` 应为表的列表，写成了{}", kind(entry.value).1),
                    )
                    .hint(format!("write `[[{path}]]`"), format!("请写成 `[[{path}]]`")),
                );
                None
            }
        }
    }

    /// The value of `key`, if present.
    pub(super) fn get(&self, key: &str) -> Option<TomlEntry<'a>> {
        let SectionBody::Present { table, .. } = &self.body else { return None };
        let (key, value) = table.get_key_value(key)?;
        let name = if self.path.is_empty() {
            key.get_ref().to_string()
        } else {
            format!("{}.{}", self.path, key.get_ref())
        };
        Some(TomlEntry {
            file: self.file,
            name,
            key_at: key.span(),
            at: value.span(),
            value: value.get_ref(),
        })
    }

    /// The value of `key` converted by `read`, or the default.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        default: T,
        read: impl FnOnce(&TomlEntry<'a>) -> Option<T>,
    ) -> Option<T> {
        self.maybe(key, read).map(|value| value.unwrap_or(default))
    }

    /// The value of `key` converted by `read`; `Some(None)` if absent.
    pub(super) fn maybe<T>(
        &self,
        key: &str,
        read: impl FnOnce(&TomlEntry<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        match (&self.body, self.get(key)) {
            (SectionBody::Broken, _) => None,
            (_, None) => Some(None),
            (_, Some(entry)) => read(&entry).map(Some),
        }
    }

    /// The value of `key` converted by `read`; a problem if absent. `example` is the text to write after `key =`.
    pub(super) fn required<T>(
        &self,
        key: &str,
        example: &str,
        read: impl FnOnce(&TomlEntry<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.maybe(key, read)?;
        if value.is_none() {
            self.missing(key, example);
        }
        value
    }

    /// Reports that `key` is missing.
    pub(super) fn missing(&self, key: &str, example: &str) {
        let (en, zh) = self.place();
        self.report_missing(
            Diagnostic::new(format!("`{key}` is missing {en}"), format!("{zh}缺少 `{key}`"))
                .hint(format!("add `{key} = {example}`"), format!("请加上 `{key} = {example}`")),
        );
    }

    fn report_missing(&self, diagnostic: Diagnostic) {
        match &self.body {
            SectionBody::Present { at, .. } if !self.path.is_empty() => {
                self.file.error(at.clone(), diagnostic)
            }
            SectionBody::Present { .. } | SectionBody::Absent => self.file.error_of_file(diagnostic),
            SectionBody::Broken => {}
        }
    }

    /// The dotted path of a table within this one, as used by the shapes.
    fn child(&self, key: &'static str) -> &'static str {
        let is_child = |path: &str| match path.rsplit_once('.') {
            Some((parent, last)) => parent == self.path && last == key,
            None => self.path.is_empty() && path == key,
        };
        self.shapes.iter().map(|shape| shape.path).find(|path| is_child(path)).unwrap_or(key)
    }

    fn with_body(&self, key: &'static str, body: SectionBody<'a>) -> Self {
        Self { file: self.file, shapes: self.shapes, path: self.child(key), body }
    }

    fn open(&self, entry: &TomlEntry<'a>, key: &'static str) -> Self {
        match entry.value {
            DeValue::Table(table) => {
                Self::present(self.file, self.shapes, self.child(key), table, entry.at.clone())
            }
            other => {
                entry.wrong_type(("a table", "表"), other);
                self.with_body(key, SectionBody::Broken)
            }
        }
    }

    /// The table's header in a file.
    fn title(&self) -> String {
        if matches!(self.path, "flows" | "server.people") {
            format!("`[[{}]]`", self.path)
        } else {
            format!("`[{}]`", self.path)
        }
    }

    /// "in this table", in both languages.
    fn place(&self) -> (String, String) {
        if self.path.is_empty() {
            ("at the top of the file".to_owned(), "文件顶层".to_owned())
        } else {
            (format!("in {}", self.title()), format!("{} 中", self.title()))
        }
    }

    fn reject_unknown(&self, table: &DeTable<'_>) {
        let shape = |path: &str| self.shapes.iter().find(|shape| shape.path == path);
        let known = shape(self.path).map_or(&[][..], |shape| shape.keys);
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            if self.file.is_full() {
                self.file.count_error();
                continue;
            }
            let (en, zh) = self.place();
            let name = suggest::shortened(key.get_ref());
            let diagnostic =
                Diagnostic::new(format!("unknown key `{name}` {en}"), format!("{zh}没有 `{name}` 这个键"));
            let list = suggest::list(known.iter().copied());
            let elsewhere = self.shapes.iter().find(|other| other.keys.contains(&key.get_ref().as_ref()));
            let diagnostic = if let Some(near) = suggest::nearest(key.get_ref(), known.iter().copied()) {
                diagnostic.hint(
                    format!("did you mean `{near}`? Known here: {list}"),
                    format!("是否想写 `{near}`？此处可用：{list}"),
                )
            } else if let Some(other) = elsewhere {
                let (en, zh) = self.with_body_of(other.path).home();
                diagnostic.hint(
                    format!("it belongs {en}. Known here: {list}"),
                    format!("它应写在{zh}。此处可用：{list}"),
                )
            } else {
                diagnostic.hint(format!("known here: {list}"), format!("此处可用：{list}"))
            };
            self.file.error(key.span(), diagnostic);
        }
    }

    fn with_body_of(&self, path: &'static str) -> Self {
        Self { file: self.file, shapes: self.shapes, path, body: SectionBody::Absent }
    }

    /// The table in which a key of this one is to be written.
    fn home(&self) -> (String, String) {
        if self.path.is_empty() {
            (
                "at the top of the file, before the first `[table]`".to_owned(),
                "文件顶层、第一个 `[表]` 之前".to_owned(),
            )
        } else {
            (format!("in {}", self.title()), format!(" {} 中", self.title()))
        }
    }
}

impl<'a> TomlEntry<'a> {
    /// The value as text; a problem if it is anything else or empty.
    pub(super) fn text(&self) -> Option<&'a str> {
        let Some(text) = self.value.as_str() else {
            self.wrong_type(("text in quotes", "带引号的文本"), self.value);
            return None;
        };
        if text.trim().is_empty() {
            self.error(Diagnostic::new(format!("`{}` is empty", self.name), format!("`{}` 为空", self.name)));
            return None;
        }
        Some(text)
    }

    /// The text converted by `parse`.
    pub(super) fn parse<T>(&self, parse: impl FnOnce(&'a str) -> Result<T, Diagnostic>) -> Option<T> {
        self.good(parse(self.text()?))
    }

    /// The value of a result; a diagnostic is reported at this value, under its name.
    pub(super) fn good<T>(&self, result: Result<T, Diagnostic>) -> Option<T> {
        result
            .map_err(|mut diagnostic| {
                diagnostic.text.en = format!("`{}`: {}", self.name, diagnostic.text.en);
                diagnostic.text.zh = format!("`{}`：{}", self.name, diagnostic.text.zh);
                self.error(diagnostic);
            })
            .ok()
    }

    /// The value as a whole number within `range`.
    pub(super) fn whole(&self, range: RangeInclusive<u32>) -> Option<u32> {
        let Some(number) = self.value.as_integer() else {
            self.wrong_type(("a whole number", "整数"), self.value);
            return None;
        };
        let found = i128::from_str_radix(number.as_str(), number.radix()).ok();
        let found = found.and_then(|found| u32::try_from(found).ok()).filter(|found| range.contains(found));
        if found.is_none() {
            let (least, most) = (range.start(), range.end());
            self.error(Diagnostic::new(
                format!("`{}` must be from {least} to {most}, found {number}", self.name),
                format!("`{}` 应在 {least} 到 {most} 之间，写成了 {number}", self.name),
            ));
        }
        found
    }

    /// The value as a list of texts, each with its place.
    pub(super) fn texts(&self) -> Option<Vec<TomlEntry<'a>>> {
        let DeValue::Array(items) = self.value else {
            self.wrong_type(("a list of texts", "文本列表"), self.value);
            return None;
        };
        let entries: Vec<_> = items
            .iter()
            .map(|item| TomlEntry { at: item.span(), value: item.get_ref(), ..self.clone() })
            .collect();
        let good = entries.iter().filter(|entry| entry.text().is_some()).count();
        (good == entries.len()).then_some(entries)
    }

    pub(super) fn error(&self, diagnostic: Diagnostic) {
        self.file.error(self.at.clone(), diagnostic);
    }

    pub(super) fn wrong_type(&self, wanted: (&str, &str), found: &DeValue<'_>) {
        self.error(Diagnostic::new(
            format!("`{}` must be {}, found {}", self.name, wanted.0, kind(found).0),
            format!("`{}` 应为{}，写成了{}", self.name, wanted.1, kind(found).1),
        ));
    }

    /// The place where the decoded text begins in the file, if it stands there verbatim, as in `'''…'''`.
    pub(super) fn verbatim(&self) -> Option<usize> {
        let raw = self.file.slice(self.at.clone());
        let quote = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quote| raw.starts_with(quote))?;
        let inner = raw.get(quote.len()..raw.len().checked_sub(quote.len())?)?;
        let newline = match inner {
            _ if quote.len() == 1 => 0,
            _ if inner.starts_with("\r\n") => 2,
            _ if inner.starts_with('\n') => 1,
            _ => 0,
        };
        (inner.get(newline..) == self.value.as_str()).then_some(self.at.start + quote.len() + newline)
    }
}

/// The kind of a value, in both languages.
pub(super) fn kind(value: &DeValue<'_>) -> (&'static str, &'static str) {
    match value {
        DeValue::String(_) => ("text", "文本"),
        DeValue::Integer(_) => ("a whole number", "整数"),
        DeValue::Float(_) => ("a number with a fraction", "小数"),
        DeValue::Boolean(_) => ("true or false", "true/false"),
        DeValue::Datetime(_) => ("a date or time", "日期时间"),
        DeValue::Array(_) => ("a list", "列表"),
        DeValue::Table(_) => ("a table", "表"),
    }
}
