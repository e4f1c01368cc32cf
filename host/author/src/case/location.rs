//! Locates a key or an element in a case's text: for messages with a line, and to let `--bless` replace one value and
//! leave the rest as written.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// A text known to be one JSON object.
pub(super) struct KeyLocations<'a> {
    text: &'a str,
    keys: Vec<(String, Range<usize>)>,
}

impl<'a> KeyLocations<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut cursor = JsonCursor { text, at: 0 };
        let mut keys = Vec::new();
        cursor.skip("{");
        while let Some((key, _)) = cursor.next::<String>() {
            cursor.skip(":");
            let Some((_, place)) = cursor.next::<IgnoredAny>() else { break };
            keys.push((key, place));
            cursor.skip(",");
        }
        Self { text, keys }
    }

    /// The value of a key of the object.
    pub(super) fn of_key(&self, key: &str) -> Option<Range<usize>> {
        self.keys.iter().find(|(known, _)| known == key).map(|(_, place)| place.clone())
    }

    /// An element of the list under a key, counted from 0.
    pub(super) fn of_element(&self, key: &str, element: usize) -> Option<Range<usize>> {
        let mut cursor = JsonCursor { text: self.text, at: self.of_key(key)?.start };
        cursor.skip("[");
        for _ in 0..element {
            cursor.next::<IgnoredAny>()?;
            cursor.skip(",");
        }
        cursor.next::<IgnoredAny>().map(|(_, place)| place)
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }
}

struct JsonCursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> JsonCursor<'a> {
    /// Skips white space, and the sign if present.
    fn skip(&mut self, sign: &str) {
        self.blank();
        if self.rest().starts_with(sign) {
            self.at += sign.len();
        }
        self.blank();
    }

    fn next<T: Deserialize<'a>>(&mut self) -> Option<(T, Range<usize>)> {
        let start = self.at;
        let mut values = Deserializer::from_str(self.rest()).into_iter::<T>();
        let value = values.next()?.ok()?;
        self.at = start + values.byte_offset();
        Some((value, start..self.at))
    }

    fn blank(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
}
