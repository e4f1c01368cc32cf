//! Templates: `{field}`, `{field.part}`, text, and mixtures of them.
//!
//! A template of a single field keeps the field's JSON value, so that lists and objects survive. A mixture is text. A
//! part of a list is the list of the parts.

use std::borrow::Cow;

use ruzhi_guest::{Fault, Record, text, value};
use serde_json::Value;

use crate::target::Field;

/// An entry's `value`.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// The same for every row.
    Constant(Value),
    /// One field.
    Single(Path),
    /// Text and fields.
    Mixture(Vec<Piece>),
}

/// A piece of a mixture.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Literal text.
    Text(String),
    /// A field's text.
    Field(Path),
}

/// A field, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The form's field.
    pub field: String,
    parts: Vec<String>,
}

/// The reason why a text is not a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// An unmatched brace.
    Unbalanced,
    /// Nothing between the braces, or between two dots.
    EmptyName,
    /// A variable or function of the platform, which only its own engine can compute.
    Platform,
}

impl Piece {
    fn path(&self) -> Option<&Path> {
        match self {
            Piece::Field(path) => Some(path),
            Piece::Text(_) => None,
        }
    }
}

impl Path {
    /// Reads `field` or `field.part`.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let mut names = text.split('.').map(|name| name.trim().to_owned());
        let field = names.next().unwrap_or_default();
        let parts: Vec<String> = names.collect();
        if field.is_empty() || parts.iter().any(String::is_empty) {
            return Err(Mistake::EmptyName);
        }
        Ok(Path { field, parts })
    }

    /// The value in a row; null if there is none.
    pub fn get<'r>(&self, record: &'r Record<'_>) -> Cow<'r, Value> {
        static NULL: Value = Value::Null;
        let mut value = Cow::Borrowed(record.get(&self.field).unwrap_or(&NULL));
        for part in &self.parts {
            value = match value {
                Cow::Borrowed(value) => part_of(value, part),
                Cow::Owned(value) => Cow::Owned(part_of(&value, part).into_owned()),
            };
        }
        value
    }
}

fn part_of<'v>(value: &'v Value, part: &str) -> Cow<'v, Value> {
    static NULL: Value = Value::Null;
    match value {
        Value::Array(items) => match part.parse::<usize>() {
            Ok(index) => Cow::Borrowed(items.get(index).unwrap_or(&NULL)),
            Err(_) => Cow::Owned(items.iter().map(|item| part_of(item, part).into_owned()).collect()),
        },
        value => Cow::Borrowed(value.get(part).unwrap_or(&NULL)),
    }
}

impl Template {
    /// Reads a template.
    pub fn parse(source: &str) -> Result<Self, Mistake> {
        let function = ["_function", "_findCollection", "_mongoQuery"]
            .iter()
            .any(|name| source.trim_start().starts_with(name));
        if function {
            return Err(Mistake::Platform);
        }
        let mut pieces = Vec::new();
        let mut rest = source;
        while let Some((text, after)) = rest.split_once('{') {
            if text.contains('}') {
                return Err(Mistake::Unbalanced);
            }
            if after.starts_with('{') {
                return Err(Mistake::Platform);
            }
            let (name, after) = after.split_once('}').ok_or(Mistake::Unbalanced)?;
            if name.contains('{') {
                return Err(Mistake::Unbalanced);
            }
            if !text.is_empty() {
                pieces.push(Piece::Text(text.to_owned()));
            }
            pieces.push(Piece::Field(Path::parse(name)?));
            rest = after;
        }
        if rest.contains('}') {
            return Err(Mistake::Unbalanced);
        }
        if pieces.is_empty() {
            return Ok(Template::Constant(Value::String(rest.to_owned())));
        }
        // White space around the only field is a copy-and-paste slip.
        let is_slip = |piece: &Piece| matches!(piece, Piece::Text(text) if text.trim().is_empty());
        if pieces.iter().filter(|piece| !is_slip(piece)).count() == 1
            && rest.trim().is_empty()
            && let Some(Piece::Field(path)) = pieces.iter().find(|piece| !is_slip(piece))
        {
            return Ok(Template::Single(path.clone()));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Template::Mixture(pieces))
    }

    /// The paths it reads.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Template::Constant(_) => Vec::new(),
            Template::Single(path) => vec![path],
            Template::Mixture(pieces) => pieces.iter().filter_map(Piece::path).collect(),
        }
    }

    /// The single form field at fault for a wrong value, if there is one.
    pub fn only_field(&self) -> Option<&str> {
        let mut fields = self.paths().into_iter().map(|path| path.field.as_str());
        let first = fields.next()?;
        fields.all(|field| field == first).then_some(first)
    }

    /// The row's value for `field`, `None` if the form has none: if the only field is empty, or all fields of a
    /// mixture are, or any of them if the value is an identity. Placeholders skipped in a mixture are passed to
    /// `passed_over`.
    ///
    /// # Errors
    /// `value.shape` if a field of a mixture has no text, or no text that may be part of an identity.
    pub fn evaluate<'r>(
        &'r self,
        record: &'r Record<'_>,
        field: Field,
        mut passed_over: impl FnMut(&str),
    ) -> Result<Option<Cow<'r, Value>>, Fault> {
        let pieces = match self {
            Template::Constant(value) => return Ok(Some(Cow::Borrowed(value))),
            Template::Single(path) => {
                return Ok(Some(path.get(record)).filter(|value| !value::is_empty(value)));
            }
            Template::Mixture(pieces) => pieces,
        };
        let mut mixed = String::new();
        let (mut any, mut all) = (false, true);
        for piece in pieces {
            let path = match piece {
                Piece::Text(text) => {
                    mixed.push_str(text);
                    continue;
                }
                Piece::Field(path) => path,
            };
            let value = path.get(record);
            let nothing = if field.is_contact() { value::placeholder(&value) } else { None };
            if let Some(text) = &nothing {
                passed_over(text);
            }
            let filled = nothing.is_none() && !value::is_empty(&value);
            any |= filled;
            all &= filled;
            if filled {
                let text = if field.is_personal() { value::identity(&value)? } else { value::text(&value)? };
                mixed.push_str(&text::line(&text));
            }
        }
        let said = if field.is_identity() { all } else { any };
        Ok(said.then_some(Cow::Owned(Value::String(mixed))))
    }
}

#[cfg(test)]
mod tests {
    use ruzhi_guest::SourceRecord;
    use serde_json::json;

    use super::*;

    fn evaluate(template: &str, row: Value, whole: bool) -> Option<Value> {
        let field = if whole { Field::Userid } else { Field::Address };
        evaluate_for(field, template, row).unwrap()
    }

    fn evaluate_for(field: Field, template: &str, row: Value) -> Result<Option<Value>, Fault> {
        let source = SourceRecord { id: "1".into(), json: row.to_string() };
        let record = Record::parse(&source).unwrap();
        let value = Template::parse(template).unwrap().evaluate(&record, field, |_| {})?.map(Cow::into_owned);
        Ok(value)
    }

    #[test]
    fn part_of_an_identity_is_no_more_than_the_whole() {
        let row = json!({"n": 1002.0, "b": false, "f": 1001.5, "o": {"id": "x"}, "m": {"username": "lisi", "name": "李四"}});
        assert_eq!(evaluate("E{n}", row.clone(), true), Some(json!("E1002")));
        assert_eq!(evaluate("E-{m}", row.clone(), true), Some(json!("E-lisi")));
        for name in ["b", "f", "o"] {
            let refused = evaluate_for(Field::Userid, &format!("E{{{name}}}"), row.clone()).unwrap_err();
            assert_eq!(refused.rule, "value.shape", "{name}");
        }
        assert_eq!(evaluate("x{b}", row, false), Some(json!("xfalse")));
    }

    #[test]
    fn a_word_for_nothing_is_no_part_of_an_address() {
        let address = |row: Value| evaluate_for(Field::Email, "{who}@example.com", row).unwrap();
        assert_eq!(address(json!({"who": "无"})), None);
        assert_eq!(address(json!({"who": "lisi"})), Some(json!("lisi@example.com")));
        assert_eq!(evaluate("{who}-1", json!({"who": "无"}), true), Some(json!("无-1")));
    }

    #[test]
    fn one_field_keeps_its_value() {
        let row = json!({"a": [1, {"b": 2}], "d": {"e": {"f": "g"}}});
        assert_eq!(evaluate("{a}", row.clone(), false), Some(json!([1, {"b": 2}])));
        assert_eq!(evaluate(" { a } ", row.clone(), false), Some(json!([1, {"b": 2}])));
        assert_eq!(evaluate("{d.e.f}", row.clone(), false), Some(json!("g")));
        assert_eq!(evaluate("{a.1.b}", row.clone(), false), Some(json!(2)));
        assert_eq!(evaluate("{x}", row.clone(), false), None);
        assert_eq!(evaluate("{d.x.f}", row, false), None);
    }

    #[test]
    fn a_part_of_a_list_is_the_list_of_the_parts() {
        let row = json!({"in": [{"dept_no": 1}, {"dept_no": 2}]});
        assert_eq!(evaluate("{in.dept_no}", row, false), Some(json!([1, 2])));
    }

    #[test]
    fn a_mixture_is_text() {
        let row = json!({"a": "GS ", "n": 7, "e": ""});
        assert_eq!(evaluate("{a}-{n}", row.clone(), false), Some(json!("GS-7")));
        assert_eq!(evaluate("x{n}", row.clone(), false), Some(json!("x7")));
        assert_eq!(evaluate("{n}x", row.clone(), false), Some(json!("7x")));
        assert_eq!(evaluate("{a}-{e}", row.clone(), false), Some(json!("GS-")));
        assert_eq!(evaluate("{a}-{e}", row.clone(), true), None);
        assert_eq!(evaluate("{e}-{x}", row, false), None);
    }

    #[test]
    fn text_alone_is_constant() {
        assert_eq!(evaluate("true", json!({}), true), Some(json!("true")));
        assert_eq!(evaluate("[1,2,3]", json!({}), true), Some(json!("[1,2,3]")));
    }

    #[test]
    fn mistakes_are_told_apart() {
        for (text, mistake) in [
            ("{a", Mistake::Unbalanced),
            ("a}", Mistake::Unbalanced),
            ("}{a}", Mistake::Unbalanced),
            ("{a{b}", Mistake::Unbalanced),
            ("{}", Mistake::EmptyName),
            ("{a.}", Mistake::EmptyName),
            ("{{LAST_SYNC_TIME|datetime}}", Mistake::Platform),
            ("_function now()", Mistake::Platform),
        ] {
            assert_eq!(Template::parse(text), Err(mistake), "{text}");
        }
    }
}
