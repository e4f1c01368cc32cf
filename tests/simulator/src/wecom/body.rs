//! The JSON body as WeCom reads it: well-typed fields are taken, others are dropped, and only a word in `errmsg` shows
//! it. Every drop is also a problem that the simulator records.

use serde_json::{Map, Value};

#[derive(Debug, Default)]
pub(super) struct Body {
    fields: Map<String, Value>,
    /// True if a field was mistyped.
    pub(super) warned: bool,
    pub(super) is_utf8: bool,
    /// The client's mistakes.
    pub(super) problems: Vec<String>,
}

impl Body {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let is_utf8 = std::str::from_utf8(bytes).is_ok();
        match serde_json::from_slice(bytes) {
            Ok(fields) => Self { fields, is_utf8, ..Self::default() },
            Err(_) => {
                let problems = vec!["the body is not a JSON object in UTF-8".to_owned()];
                Self { fields: Map::new(), warned: true, is_utf8, problems }
            }
        }
    }

    pub(super) fn of(fields: Map<String, Value>) -> Self {
        Self { fields, is_utf8: true, ..Self::default() }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// A text, without taking it.
    pub(super) fn look(&self, name: &str) -> Option<String> {
        self.fields.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.fields.remove(name)? {
            Value::String(text) => Some(text),
            other => self.mistyped(name, "a string", &other),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Option<i64> {
        match self.fields.remove(name)? {
            Value::Number(number) if number.is_i64() => number.as_i64(),
            other => self.mistyped(name, "a number", &other),
        }
    }

    pub(super) fn truth(&mut self, name: &str) -> Option<bool> {
        match self.fields.remove(name)? {
            Value::Bool(truth) => Some(truth),
            other => self.mistyped(name, "true or false", &other),
        }
    }

    pub(super) fn numbers(&mut self, name: &str) -> Option<Vec<i64>> {
        let value = self.fields.remove(name)?;
        let numbers = value.as_array().and_then(|items| items.iter().map(Value::as_i64).collect());
        numbers.or_else(|| self.mistyped(name, "an array of numbers", &value))
    }

    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.fields.remove(name)?;
        let text = |item: &Value| item.as_str().map(str::to_owned);
        let texts = value.as_array().and_then(|items| items.iter().map(text).collect());
        texts.or_else(|| self.mistyped(name, "an array of strings", &value))
    }

    pub(super) fn object(&mut self, name: &str) -> Option<Value> {
        match self.fields.remove(name)? {
            Value::Object(object) => Some(Value::Object(object)),
            other => self.mistyped(name, "an object", &other),
        }
    }

    /// The field, of any type.
    pub(super) fn any(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name)
    }

    /// Fields that are accepted without effect.
    pub(super) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.fields.remove(*name);
        }
    }

    pub(super) fn mistyped<T>(&mut self, name: &str, wanted: &str, found: &Value) -> Option<T> {
        self.warned = true;
        self.problems.push(format!("{name} must be {wanted}, not {found}"));
        None
    }

    /// Unknown names: the service silently ignores them.
    pub(super) fn unknown(&self) -> Option<String> {
        let names: Vec<&str> = self.fields.keys().map(String::as_str).collect();
        (!names.is_empty())
            .then(|| format!("body keys that the service silently ignores: {}", names.join(", ")))
    }
}
