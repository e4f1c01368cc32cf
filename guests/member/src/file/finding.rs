//! The problems of a rules file, and an object reader that collects them.

use std::fmt::Display;

use ruzhi_guest::GuestError;
use ruzhi_guest::contract::Text;
use ruzhi_guest::fault::{MESSAGE_MOST, cut, show};
use ruzhi_guest::zone::Zone;
use serde_json::{Map, Value};

use super::zone_named;

/// A problem in a rules file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where in the file, such as `request[2].min`; empty for the whole file.
    pub place: String,
    /// The problem and its remedy.
    pub text: Text,
}

/// The problems of a rules file, in file order.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A problem at a place such as `request[2]`.
    pub(super) fn add(&mut self, place: impl AsRef<str>, chinese: impl Display, english: impl Display) {
        self.add_text(place.as_ref(), Text::new(chinese.to_string(), english.to_string()));
    }

    pub(super) fn add_text(&mut self, place: &str, text: Text) {
        self.0.push(Finding { place: place.to_owned(), text });
    }

    pub(crate) fn into_vec(self) -> Vec<Finding> {
        self.0
    }

    pub(crate) fn into_error(self) -> GuestError {
        let count = self.0.len();
        let mut message = format!("规则文件有 {count} 处问题 / the rules file has {count} problem(s)");
        for Finding { place, text } in self.0 {
            message.push('\n');
            if !place.is_empty() {
                message.push_str(&place);
                message.push_str(": ");
            }
            message.push_str(&text.both());
        }
        GuestError { code: "config.invalid".to_owned(), message }
    }
}

/// An object of the file.
pub(super) struct Keys<'a, 'f> {
    fields: &'a Map<String, Value>,
    place: String,
    findings: &'f mut Findings,
}

impl<'a, 'f> Keys<'a, 'f> {
    pub(super) fn of(fields: &'a Map<String, Value>, place: String, findings: &'f mut Findings) -> Self {
        Keys { fields, place, findings }
    }

    /// The object at a place; a problem if the value is not an object.
    pub(super) fn read(value: &'a Value, place: String, findings: &'f mut Findings) -> Option<Self> {
        match value.as_object() {
            Some(fields) => Some(Keys { fields, place, findings }),
            None => {
                findings.add(&place, "应为 JSON 对象 {…}", "must be a JSON object {…}");
                None
            }
        }
    }

    /// Renames the place, once a better name is known.
    pub(super) fn rename(&mut self, place: String) {
        self.place = place;
    }

    pub(super) fn add(&mut self, key: &str, chinese: impl Display, english: impl Display) {
        let place = if key.is_empty() {
            self.place.clone()
        } else if self.place.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.place)
        };
        self.findings.add(place, chinese, english);
    }

    /// Reports each unknown key, with the nearest known one or with its text in `special`.
    pub(super) fn reject_unknown(&mut self, known: &[&str], special: &[(&str, &str, &str)]) {
        for key in self.fields.keys() {
            if known.contains(&key.as_str()) {
                continue;
            }
            if let Some((_, chinese, english)) = special.iter().find(|(name, ..)| name == key) {
                self.add(key, chinese, english);
                continue;
            }
            match nearest(key, known) {
                Some(near) => self.add(
                    key,
                    format_args!("不认识的键，是否想写 {near}？"),
                    format_args!("unknown key. Did you mean {near}?"),
                ),
                None => self.add(
                    key,
                    format_args!("不认识的键，请删除；可用的键：{}", known.join("、")),
                    format_args!("unknown key. Remove it; known are {}", known.join(", ")),
                ),
            }
        }
    }

    /// The value of a key; `null` counts as an absent key.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn typed<T>(
        &mut self,
        key: &str,
        read: impl Fn(&'a Value) -> Option<T>,
        chinese: &str,
        english: &str,
    ) -> Option<T> {
        let value = self.get(key)?;
        let typed = read(value);
        if typed.is_none() {
            self.add(key, format_args!("应为{chinese}"), format_args!("must be {english}"));
        }
        typed
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.typed(key, |value| value.as_str().map(str::to_owned), "文本", "a text")
    }

    /// A text for people: one string for readers of both languages, `中文 / English`, or an object with both.
    pub(super) fn told(&mut self, key: &str) -> Option<Text> {
        let read = |value: &Value| {
            let Text { zh, en } = match value {
                Value::String(text) => Text::joined(text),
                Value::Object(both) if both.len() == 2 => {
                    Text::new(both.get("zh")?.as_str()?, both.get("en")?.as_str()?)
                }
                _ => return None,
            };
            Some(Text::new(cut(zh, MESSAGE_MOST), cut(en, MESSAGE_MOST)))
        };
        self.typed(key, read, "文本，或 {\"zh\": …, \"en\": …}", "a text, or {\"zh\": …, \"en\": …}")
    }

    /// `true`, `false`, or their text.
    pub(super) fn boolean(&mut self, key: &str) -> Option<bool> {
        let read = |value: &Value| value.as_bool().or_else(|| value.as_str()?.parse().ok());
        self.typed(key, read, " true 或 false", "true or false")
    }

    pub(super) fn list(&mut self, key: &str) -> Option<&'a Vec<Value>> {
        self.typed(key, Value::as_array, "列表 […]", "a list […]")
    }

    pub(super) fn object(&mut self, key: &str) -> Option<&'a Map<String, Value>> {
        self.typed(key, Value::as_object, "对象 {…}", "an object {…}")
    }

    /// A list of texts; numbers and booleans count as their text.
    pub(super) fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        let items = self.list(key)?;
        let texts: Option<Vec<String>> = items.iter().map(scalar_text).collect();
        if texts.is_none() {
            self.add(key, "应为文本的列表", "must be a list of texts");
        }
        texts
    }

    /// A text; a number or boolean counts as its text.
    pub(super) fn scalar(&mut self, key: &str) -> Option<String> {
        self.typed(key, scalar_text, "文本、数字或 true/false", "a text, a number, true or false")
    }

    pub(super) fn zone(&mut self, key: &str) -> Option<Zone> {
        let name = self.text(key)?;
        let place = if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) };
        zone_named(&name, &place, self.findings)
    }

    /// One of a few words, mapped to its meaning.
    pub(super) fn word<T: Clone>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| meaning.clone());
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.add(
                key,
                format_args!("{} 无效，可用的值：{}", show(&text), known.join("、")),
                format_args!("{} is not known; use one of {}", show(&text), known.join(", ")),
            );
        }
        found
    }

    /// A key of the platform whose only allowed value is ruzhi's own behaviour.
    pub(super) fn constant(&mut self, key: &str, allowed: &[&str]) {
        if let Some(text) = self.text(key)
            && !allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(&text))
        {
            self.add(
                key,
                format_args!("{} 不受支持，只能为 {}", show(&text), allowed.join("、")),
                format_args!("{} is not supported; it can only be {}", show(&text), allowed.join(", ")),
            );
        }
    }

    /// A part of this object, as an object of its own.
    pub(super) fn part(&mut self, key: &str) -> Option<Keys<'a, '_>> {
        let fields = self.object(key)?;
        Some(Keys { fields, place: format!("{}.{key}", self.place), findings: self.findings })
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => {
            ruzhi_guest::value::text(value).ok().map(|text| text.into_owned())
        }
        _ => None,
    }
}

/// The known word that a misspelling most likely means.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let distance =
        |known: &&str| strsim::osa_distance(&word.to_ascii_lowercase(), &known.to_ascii_lowercase());
    known.iter().copied().min_by_key(distance).filter(|near| distance(near) <= 1 + near.len() / 3)
}
