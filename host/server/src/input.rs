//! Input from an address, a form or a JSON body: names with values, deserialized into the type that declares the
//! accepted input.
//!
//! All three share one reader, so pages and API reject the same input. An error gives the name and the expected value,
//! in both languages; the expectation comes from the type's own description, the same one as in the OpenAPI document.
//! The parser's own words are attached as the cause and never become the message.

use std::cell::RefCell;
use std::fmt;

use reqwest::Url;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use ruzhi_message::{Report, exit};
use ruzhi_model::Text;

/// Names with values, in the order they were given.
pub(super) struct Input {
    kind: NameKind,
    pairs: Vec<(String, Value)>,
}

/// The kind of name, for messages.
#[derive(Clone, Copy)]
enum NameKind {
    Parameter,
    Field,
}

impl NameKind {
    fn of(self, name: &str) -> Text {
        match self {
            Self::Parameter => Text::new(format!("the parameter `{name}`"), format!("参数 `{name}`")),
            Self::Field => Text::new(format!("the field `{name}`"), format!("字段 `{name}`")),
        }
    }
}

impl Input {
    /// The parameters of an address.
    pub(super) fn query(text: &str) -> Self {
        Self { kind: NameKind::Parameter, pairs: written(text) }
    }

    /// The fields of a form.
    pub(super) fn form(body: &[u8]) -> Result<Self, Report> {
        let text = std::str::from_utf8(body)
            .map_err(|error| wrong("the form is not UTF-8", "表单不是 UTF-8 编码").because(&error))?;
        Ok(Self { kind: NameKind::Field, pairs: written(text) })
    }

    /// The fields of a JSON object; none for an empty body.
    pub(super) fn json(body: &[u8]) -> Result<Self, Report> {
        if body.trim_ascii().is_empty() {
            return Ok(Self { kind: NameKind::Field, pairs: Vec::new() });
        }
        let JsonPairs(pairs) = serde_json::from_slice(body).map_err(|error| {
            if error.is_data() {
                wrong("the body is not an object of JSON", "请求正文不是 JSON 对象").because(&error)
            } else {
                wrong("the body is not JSON", "请求正文不是 JSON").because(&error)
            }
        })?;
        Ok(Self { kind: NameKind::Field, pairs })
    }

    /// The same without a field that belongs to the page rather than to the request.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.pairs.retain(|(known, _)| known != name);
        self
    }

    /// Reads the parameters into a type, ignoring those unknown to it.
    pub(super) fn parameters<T: DeserializeOwned + IntoParams>(self) -> Result<T, Report> {
        self.read(|name| {
            let parameter = T::into_params(|| None).into_iter().find(|parameter| parameter.name == name)?;
            serde_json::to_value(parameter.schema).ok()
        })
    }

    /// Reads the fields into a type.
    pub(super) fn fields<T: DeserializeOwned + ToSchema>(self) -> Result<T, Report> {
        self.read(|name| {
            let mut schema = serde_json::to_value(T::schema()).ok()?;
            let field = schema.get_mut("properties")?.get_mut(name)?.take();
            // For a nullable field, the description of its non-null form.
            let mut others = field.get("oneOf").and_then(Value::as_array).into_iter().flatten();
            let field = others.find(|other| !is(other, "null")).unwrap_or(&field);
            let Some(named) = field.get("$ref").and_then(Value::as_str) else { return Some(field.clone()) };
            let mut all = Vec::new();
            T::schemas(&mut all);
            let found = all.into_iter().find(|(name, _)| named.ends_with(&format!("/{name}")));
            serde_json::to_value(found?.1).ok()
        })
    }

    fn read<T: DeserializeOwned>(self, described: impl Fn(&str) -> Option<Value>) -> Result<T, Report> {
        let kind = self.kind;
        // A value error is attributed to the name taken last.
        let last = RefCell::new(String::new());
        let pairs = self.pairs.into_iter().map(|(name, value)| {
            last.replace(name.clone());
            (name, InputValue(value))
        });
        T::deserialize(MapDeserializer::new(pairs)).map_err(|unread| {
            let told = |name: &str, en: &str, zh: &str| {
                let Text { en: what, zh: was } = kind.of(name);
                wrong(format!("{what} {en}"), format!("{was} {zh}"))
            };
            match &unread {
                InputError::Unknown { name } => told(name, "is not known", "不存在"),
                InputError::Missing { name } => told(name, "is missing", "缺失"),
                InputError::Twice { name } => told(name, "is given twice", "重复"),
                InputError::Value { .. } => {
                    let name = last.borrow();
                    let Text { en, zh } = described(&name).as_ref().map_or_else(something_else, expected);
                    told(&name, &format!("has to be {en}"), &format!("应为{zh}")).because(&unread)
                }
            }
        })
    }
}

/// A parameter unknown at this address.
pub(super) fn no_parameter(name: &str, known: &[String]) -> Report {
    let Text { en, zh } = NameKind::Parameter.of(name);
    let known = known.join(", ");
    wrong(format!("{en} is not known here"), format!("此处没有{zh}"))
        .hinting(Text::new(format!("this address takes: {known}"), format!("该地址可用的参数：{known}")))
}

/// Decodes the percent-encoded names and values of an address or a form.
pub(super) fn spelled(text: &str) -> Vec<(String, String)> {
    let Ok(mut url) = Url::parse("http://localhost/") else { return Vec::new() };
    url.set_query(Some(text));
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn written(text: &str) -> Vec<(String, Value)> {
    spelled(text).into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}

fn wrong(en: impl Into<String>, zh: impl Into<String>) -> Report {
    Report::new(exit::USAGE, "request", Text::new(en, zh), None)
}

/// The expected value, according to a description.
fn expected(schema: &Value) -> Text {
    let number = |key: &str| schema.get(key).and_then(Value::as_u64);
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return Text::new(format!("one of {}", words.join(", ")), format!("下列之一：{}", words.join("、")));
    }
    if is(schema, "boolean") {
        return Text::new("true or false", " true 或 false");
    }
    if is(schema, "integer") {
        let (least, most) = (number("minimum").unwrap_or_default(), number("maximum"));
        return match most {
            Some(most) => Text::new(
                format!("a whole number from {least} to {most}"),
                format!(" {least} 到 {most} 的整数"),
            ),
            None => {
                Text::new(format!("a whole number of at least {least}"), format!("不小于 {least} 的整数"))
            }
        };
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("id") => {
            return Text::new("an id: letters, digits, `-` and `_`", "标识：由字母、数字、`-` 和 `_` 组成");
        }
        Some("place") => {
            return Text::new(
                "the `next_cursor` of an answer, or left out",
                "上一部分应答中的 `next_cursor`，或不填",
            );
        }
        Some("digest") => return Text::new("64 hexadecimal digits", " 64 位十六进制数字"),
        _ => {}
    }
    match number("maxLength") {
        Some(most) => {
            let least = number("minLength").unwrap_or_default();
            Text::new(
                format!("a text of {least} to {most} characters"),
                format!(" {least} 到 {most} 个字符的文字"),
            )
        }
        None => Text::new("a text", "文字"),
    }
}

fn is(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|known| known == kind),
        Some(known) => known == kind,
        None => false,
    }
}

fn something_else() -> Text {
    Text::new("something else", "其他内容")
}

/// The fields of a JSON object, including duplicates.
struct JsonPairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for JsonPairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = JsonPairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonPairs, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(JsonPairs(fields))
            }
        }
        deserializer.deserialize_map(PairsVisitor)
    }
}

/// A value that reports errors as [`InputError`].
struct InputValue(Value);

impl IntoDeserializer<'_, InputError> for InputValue {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for InputValue {
    type Error = InputError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
        self.0.deserialize_any(visitor).map_err(InputError::custom)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InputError> {
        self.0.deserialize_option(visitor).map_err(InputError::custom)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InputError> {
        self.0.deserialize_enum(name, variants, visitor).map_err(InputError::custom)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, InputError> {
        self.0.deserialize_newtype_struct(name, visitor).map_err(InputError::custom)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// The reasons why input cannot be read.
#[derive(Debug, thiserror::Error)]
enum InputError {
    #[error("{name} is not known")]
    Unknown { name: String },
    #[error("{name} is missing")]
    Missing { name: String },
    #[error("{name} is given twice")]
    Twice { name: String },
    #[error("{why}")]
    Value { why: String },
}

impl serde::de::Error for InputError {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self::Value { why: why.to_string() }
    }

    fn unknown_field(name: &str, _: &'static [&'static str]) -> Self {
        Self::Unknown { name: name.to_owned() }
    }

    fn missing_field(name: &'static str) -> Self {
        Self::Missing { name: name.to_owned() }
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::Twice { name: name.to_owned() }
    }
}
