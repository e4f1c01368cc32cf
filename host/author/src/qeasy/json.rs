//! JSON as people paste it: in its original order, each value with its place.
//!
//! Text from a chat, a word processor or a wiki has typographic quotes, comments, or one comma too many. If only one
//! meaning is possible it is accepted, and the place is kept in [`Reader::quirks`] to be reported. Ambiguous text is
//! a [`Slip`]: a key that occurs twice with two values, or a number out of range.

/// Maximum nesting of objects and lists. Metadata has about six levels; the limit keeps the stack small and a search
/// through hostile text short.
const DEEPEST: usize = 48;

/// A value and the offset of its first byte.
#[derive(Debug, Clone)]
pub(super) struct JsonNode {
    pub(super) at: usize,
    pub(super) kind: JsonKind,
}

/// The kinds of values.
#[derive(Debug, Clone)]
pub(super) enum JsonKind {
    Null,
    Bool(bool),
    /// As written; `serde_json` parses it too.
    Number(String),
    Text(String),
    List(Vec<JsonNode>),
    Object(Vec<JsonMember>),
}

/// A key of an object and its value.
#[derive(Debug, Clone)]
pub(super) struct JsonMember {
    pub(super) key: String,
    pub(super) at: usize,
    pub(super) value: JsonNode,
}

/// Accepted deviations from JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quirk {
    Comment,
    TrailingComma,
    ChineseMark,
    RepeatedKey,
}

/// The reason a text cannot be parsed, and the byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slip {
    pub(super) at: usize,
    pub(super) what: SlipKind,
}

/// The problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SlipKind {
    /// The text ends in the middle.
    End,
    /// Something else belongs here.
    Wanted(&'static str, &'static str),
    /// A text in single quotes.
    SingleQuote,
    /// A line break or control character within a text.
    RawControl,
    /// An invalid escape after `\`.
    Escape,
    /// A number out of range.
    Number,
    /// A key that occurs twice with two values.
    TwoValues(String),
    /// Too many levels.
    TooDeep,
}

impl JsonNode {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            JsonKind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text, or a number, `true` or `false` as its text.
    pub(super) fn scalar(&self) -> Option<String> {
        match &self.kind {
            JsonKind::Text(text) => Some(text.clone()),
            JsonKind::Number(number) => Some(number.clone()),
            JsonKind::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[JsonNode]> {
        match &self.kind {
            JsonKind::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn object(&self) -> Option<&[JsonMember]> {
        match &self.kind {
            JsonKind::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The value of a key, if this is an object that has it.
    pub(super) fn get(&self, key: &str) -> Option<&JsonNode> {
        self.object()?.iter().find(|member| member.key == key).map(|member| &member.value)
    }

    /// True for an empty value.
    pub(super) fn is_blank(&self) -> bool {
        match &self.kind {
            JsonKind::Null => true,
            JsonKind::Text(text) => text.trim().is_empty(),
            JsonKind::List(items) => items.is_empty(),
            JsonKind::Object(members) => members.is_empty(),
            JsonKind::Bool(_) | JsonKind::Number(_) => false,
        }
    }

    /// Moves everything in it to one byte: it was parsed from a text that begins there.
    pub(super) fn move_to(&mut self, at: usize) {
        self.at = at;
        match &mut self.kind {
            JsonKind::List(items) => items.iter_mut().for_each(|item| item.move_to(at)),
            JsonKind::Object(members) => members.iter_mut().for_each(|member| {
                member.at = at;
                member.value.move_to(at);
            }),
            _ => {}
        }
    }

    pub(super) fn json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            JsonKind::Null => Value::Null,
            JsonKind::Bool(value) => Value::Bool(*value),
            JsonKind::Number(number) => number.parse().map_or(Value::Null, Value::Number),
            JsonKind::Text(text) => Value::String(text.clone()),
            JsonKind::List(items) => items.iter().map(Self::json).collect(),
            JsonKind::Object(members) => {
                Value::Object(members.iter().map(|m| (m.key.clone(), m.value.json())).collect())
            }
        }
    }

    /// True if both are equal, regardless of place.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

/// Reads values from a text.
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    /// The keys of the outermost object read so far.
    pub(super) keys: Vec<String>,
    /// Accepted deviations from JSON, and their places.
    pub(super) quirks: Vec<(Quirk, usize)>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, at: usize) -> Self {
        Self { text, at, depth: 0, keys: Vec::new(), quirks: Vec::new() }
    }

    /// The current offset.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// A value with nothing behind it.
    pub(super) fn whole(&mut self) -> Result<JsonNode, Slip> {
        let node = self.value()?;
        self.space()?;
        match self.peek() {
            None => Ok(node),
            Some(_) => self.wanted("nothing more", "到此结束"),
        }
    }

    /// A value.
    pub(super) fn value(&mut self) -> Result<JsonNode, Slip> {
        self.space()?;
        let at = self.at;
        let kind = match self.peek() {
            Some('{') => self.deeper(Self::members)?,
            Some('[') => self.deeper(Self::items)?,
            Some(quote) if is_quote(quote) => JsonKind::Text(self.string()?),
            Some('\'' | '‘' | '’') => return self.slip(SlipKind::SingleQuote),
            Some(c) if c == '-' || c.is_ascii_digit() => self.number()?,
            Some(c) if c.is_ascii_alphabetic() => self.word()?,
            Some(_) => return self.wanted("a value", "一个值"),
            None => return self.slip(SlipKind::End),
        };
        Ok(JsonNode { at, kind })
    }

    fn deeper(&mut self, read: fn(&mut Self) -> Result<JsonKind, Slip>) -> Result<JsonKind, Slip> {
        if self.depth == DEEPEST {
            return self.slip(SlipKind::TooDeep);
        }
        self.depth += 1;
        let kind = read(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn members(&mut self) -> Result<JsonKind, Slip> {
        self.skip();
        let mut members: Vec<JsonMember> = Vec::new();
        let mut places = std::collections::HashMap::new();
        loop {
            self.space()?;
            let at = self.at;
            match self.peek() {
                Some('}') => {
                    self.skip();
                    return Ok(JsonKind::Object(members));
                }
                Some(quote) if is_quote(quote) => {}
                Some('\'' | '‘' | '’') => return self.slip(SlipKind::SingleQuote),
                Some(_) => return self.wanted("a key in quotes, or `}`", "带引号的键，或 `}`"),
                None => return self.slip(SlipKind::End),
            }
            let key = self.string()?;
            if self.depth == 1 {
                self.keys.push(key.clone());
            }
            self.space()?;
            match self.peek() {
                Some(':') => self.skip(),
                Some('\u{ff1a}') => self.quirk(Quirk::ChineseMark),
                Some(_) => return self.wanted("`:`", "`:`"),
                None => return self.slip(SlipKind::End),
            }
            let value = self.value()?;
            match places.get(&key).and_then(|index: &usize| members.get(*index)) {
                Some(earlier) if earlier.value.same(&value) => self.quirks.push((Quirk::RepeatedKey, at)),
                Some(_) => return Err(Slip { at, what: SlipKind::TwoValues(key) }),
                None => {
                    places.insert(key.clone(), members.len());
                    members.push(JsonMember { key, at, value });
                }
            }
            self.separator('}', "`,` or `}`", "`,` 或 `}`")?;
        }
    }

    fn items(&mut self) -> Result<JsonKind, Slip> {
        self.skip();
        let mut items = Vec::new();
        loop {
            self.space()?;
            if self.peek() == Some(']') {
                self.skip();
                return Ok(JsonKind::List(items));
            }
            items.push(self.value()?);
            self.separator(']', "`,` or `]`", "`,` 或 `]`")?;
        }
    }

    /// The comma between two items. One before the end is superfluous.
    fn separator(&mut self, end: char, en: &'static str, zh: &'static str) -> Result<(), Slip> {
        self.space()?;
        let comma = self.at;
        match self.peek() {
            Some(',') => self.skip(),
            Some('\u{ff0c}') => self.quirk(Quirk::ChineseMark),
            Some(found) if found == end => return Ok(()),
            Some(_) => return self.wanted(en, zh),
            None => return self.slip(SlipKind::End),
        }
        self.space()?;
        if self.peek() == Some(end) {
            self.quirks.push((Quirk::TrailingComma, comma));
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, Slip> {
        let Some(open) = self.peek() else { return self.slip(SlipKind::End) };
        let plain = open == '"';
        if plain {
            self.skip();
        } else {
            self.quirk(Quirk::ChineseMark);
        }
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return self.slip(SlipKind::End),
                Some('"') if plain => break,
                Some(quote) if !plain && is_quote(quote) => break,
                Some('\\') => text.push(self.escape()?),
                Some(c) if c < ' ' && c != '\t' => return self.slip(SlipKind::RawControl),
                Some(c) => {
                    text.push(c);
                    self.skip();
                }
            }
        }
        self.skip();
        Ok(text)
    }

    fn escape(&mut self) -> Result<char, Slip> {
        let at = self.at;
        let bad = Err(Slip { at, what: SlipKind::Escape });
        self.skip();
        let Some(letter) = self.peek() else { return self.slip(SlipKind::End) };
        self.skip();
        let c = match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let Some(first) = self.hex() else { return bad };
                let code = if (0xd800..0xdc00).contains(&first) {
                    if !self.rest().starts_with("\\u") {
                        return bad;
                    }
                    self.at += 2;
                    match self.hex() {
                        Some(second @ 0xdc00..=0xdfff) => {
                            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                        }
                        _ => return bad,
                    }
                } else {
                    first
                };
                return char::from_u32(code).ok_or(Slip { at, what: SlipKind::Escape });
            }
            _ => return bad,
        };
        Ok(c)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Result<JsonKind, Slip> {
        let start = self.at;
        let length = self
            .rest()
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E')))
            .unwrap_or(self.rest().len());
        let number = self.rest().get(..length).unwrap_or_default().to_owned();
        if number.parse::<serde_json::Number>().is_err() {
            return Err(Slip { at: start, what: SlipKind::Number });
        }
        self.at += length;
        Ok(JsonKind::Number(number))
    }

    fn word(&mut self) -> Result<JsonKind, Slip> {
        for (word, kind) in
            [("true", JsonKind::Bool(true)), ("false", JsonKind::Bool(false)), ("null", JsonKind::Null)]
        {
            let after = self.rest().strip_prefix(word);
            if after.is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')) {
                self.at += word.len();
                return Ok(kind);
            }
        }
        self.wanted("a value: a text needs quotes", "一个值：文本须加引号")
    }

    /// Skips white space and comments.
    fn space(&mut self) -> Result<(), Slip> {
        loop {
            match self.peek() {
                Some(c) if c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}') => self.skip(),
                Some('/') if self.rest().starts_with("//") => {
                    self.quirks.push((Quirk::Comment, self.at));
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                }
                Some('/') if self.rest().starts_with("/*") => {
                    self.quirks.push((Quirk::Comment, self.at));
                    match self.rest().find("*/") {
                        Some(end) => self.at += end + 2,
                        None => {
                            // The search has covered all of it.
                            let at = std::mem::replace(&mut self.at, self.text.len());
                            return Err(Slip { at, what: SlipKind::End });
                        }
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn quirk(&mut self, quirk: Quirk) {
        self.quirks.push((quirk, self.at));
        self.skip();
    }

    fn slip<T>(&self, what: SlipKind) -> Result<T, Slip> {
        Err(Slip { at: self.at, what })
    }

    fn wanted<T>(&self, en: &'static str, zh: &'static str) -> Result<T, Slip> {
        self.slip(SlipKind::Wanted(en, zh))
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '\u{ff02}')
}
