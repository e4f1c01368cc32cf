//! The filter of a flow: read in either spelling, checked, and written in the service's form.
//!
//! The service answers an unknown key or method with every row of the form, so nothing unknown gets past this module.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use ruzhi_model::Text;

/// Maximum number of values of `in`, `nin` and `all`.
const MOST_VALUES: usize = 1000;
const SINCE: &str = "LAST_SYNC_TIME";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    And,
    Or,
}

/// The number of values a method takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arity {
    None,
    One,
    Range,
    Many,
}

/// Every known method.
const METHODS: [(&str, Arity); 13] = [
    ("empty", Arity::None),
    ("not_empty", Arity::None),
    ("eq", Arity::One),
    ("ne", Arity::One),
    ("in", Arity::Many),
    ("nin", Arity::Many),
    ("range", Arity::Range),
    ("gt", Arity::One),
    ("lt", Arity::One),
    ("like", Arity::One),
    ("all", Arity::Many),
    ("verified", Arity::None),
    ("unverified", Arity::None),
];

/// A part of a text: literal, or the time of the last sync.
#[derive(Debug, Clone, PartialEq)]
enum TemplatePiece {
    Text(String),
    Since,
}

#[derive(Debug, Clone, PartialEq)]
enum FilterOperand {
    Fixed(Value),
    Template(Vec<TemplatePiece>),
}

#[derive(Debug, Clone, PartialEq)]
struct FilterCondition {
    field: String,
    kind: Option<String>,
    method: &'static str,
    /// `None` for a method without values.
    operands: Option<Vec<FilterOperand>>,
}

/// The rows a flow reads.
#[derive(Debug, Clone, PartialEq)]
pub struct RowFilter {
    relation: Relation,
    conditions: Vec<FilterCondition>,
}

/// The reason a filter is invalid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.explain().en)]
pub struct FilterError {
    /// The condition by its name in the filter (`cond_2`, `cond[0]`), or `filter` itself.
    pub at: String,
    /// The problem.
    pub problem: FilterProblem,
}

/// A problem of a filter.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterProblem {
    /// The filter is not a JSON object.
    NotAnObject,
    /// A key that the service would ignore.
    UnknownKey(String),
    /// Both `cond` and `cond_1`… are present.
    TwoSpellings,
    /// `cond` is not a list.
    NotAList,
    /// `rel` is neither `and` nor `or`.
    Relation(String),
    /// A condition contains conditions.
    Nested,
    /// A key is missing or empty.
    Missing(&'static str),
    /// An unknown method.
    Method(String),
    /// The values do not fit the method.
    Values {
        /// The method.
        method: &'static str,
        /// The values it takes.
        takes: &'static str,
    },
    /// More values than the service accepts.
    TooMany(usize),
    /// A value that is neither text, number, true nor false.
    Value(String),
    /// A value that should be a number.
    Number(String),
    /// An unknown `{{…}}`.
    Placeholder(String),
}

impl FilterError {
    /// The problem, its place and the remedy.
    pub fn explain(&self) -> Text {
        use FilterProblem as P;
        let (en, zh) = match &self.problem {
            P::NotAnObject => ("is not a JSON object".to_owned(), "不是 JSON 对象".to_owned()),
            P::UnknownKey(key) => (
                format!("has the unknown key `{key}`; the service would pass over it and give every row"),
                format!("含有未知的键 `{key}`，简道云会忽略它并返回全部数据"),
            ),
            P::TwoSpellings => (
                "has both `cond` and `cond_1`…; keep one of the two".to_owned(),
                "同时含有 cond 与 cond_1…，请只保留一种".to_owned(),
            ),
            P::NotAList => ("`cond` is not a list".to_owned(), "cond 不是列表".to_owned()),
            P::Relation(found) => (
                format!("`rel` is `{found}`, not `and` or `or`"),
                format!("rel 为 `{found}`，应为 and 或 or"),
            ),
            P::Nested => (
                "holds conditions of its own; the service knows only one level".to_owned(),
                "含有嵌套条件，简道云只支持一层".to_owned(),
            ),
            P::Missing(key) => (format!("has no `{key}`"), format!("缺少 `{key}`")),
            P::Method(found) => {
                let known = METHODS.map(|(name, _)| name).join(", ");
                (
                    format!("has the unknown method `{found}`; there are {known}"),
                    format!("含有未知的 method `{found}`，可用：{known}"),
                )
            }
            P::Values { method, takes } => {
                (format!("`{method}` takes {takes}"), format!("`{method}` 的 value 不符（{takes}）"))
            }
            P::TooMany(count) => (
                format!("has {count} values; at most {MOST_VALUES}"),
                format!("有 {count} 个值，最多 {MOST_VALUES} 个"),
            ),
            P::Value(found) => (
                format!("has the value `{found}`, which is no text, number, true or false"),
                format!("的值 `{found}` 不是文本、数字或布尔值"),
            ),
            P::Number(found) => (
                format!("has the value `{found}` where a number belongs"),
                format!("的值 `{found}` 应为数字"),
            ),
            P::Placeholder(found) => (
                format!("has `{found}`; the only placeholder is {{{{{SINCE}|datetime}}}}"),
                format!("含有 `{found}`，唯一可用的占位符是 {{{{{SINCE}|datetime}}}}"),
            ),
        };
        Text::new(format!("{} {en}", self.at), format!("{} {zh}", self.at))
    }
}

fn reject<T>(at: &dyn fmt::Display, problem: FilterProblem) -> Result<T, FilterError> {
    Err(FilterError { at: at.to_string(), problem })
}

fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().take(80).collect()
}

impl RowFilter {
    /// Reads a filter in the service's spelling (`cond` as a list) or the platform's (`cond_1`, `cond_2`…, in
    /// numerical order). `None` if there are no conditions.
    pub fn parse(value: &Value) -> Result<Option<Self>, FilterError> {
        let filter = match value {
            Value::Null => return Ok(None),
            Value::Object(filter) => filter,
            _ => return reject(&"filter", FilterProblem::NotAnObject),
        };
        let mut relation = Relation::And;
        let mut listed = None;
        let mut numbered = Vec::new();
        for (key, value) in filter {
            match key.strip_prefix("cond") {
                Some("") => listed = Some(value),
                Some(rest) => match rest.strip_prefix('_').and_then(|number| number.parse::<u32>().ok()) {
                    Some(number) => numbered.push((number, key, value)),
                    None => return reject(&"filter", FilterProblem::UnknownKey(key.clone())),
                },
                None if key == "rel" => {
                    relation = match value.as_str() {
                        Some("and") => Relation::And,
                        Some("or") => Relation::Or,
                        _ => return reject(&"filter", FilterProblem::Relation(shown(value))),
                    }
                }
                None => return reject(&"filter", FilterProblem::UnknownKey(key.clone())),
            }
        }
        let conditions = match (listed, numbered.is_empty()) {
            (Some(_), false) => return reject(&"filter", FilterProblem::TwoSpellings),
            (Some(Value::Array(list)), true) => list
                .iter()
                .enumerate()
                .map(|(at, value)| FilterCondition::parse(&format_args!("cond[{at}]"), value))
                .collect::<Result<Vec<_>, _>>()?,
            (Some(_), true) => return reject(&"filter", FilterProblem::NotAList),
            (None, _) => {
                numbered.sort_by_key(|(number, ..)| *number);
                numbered
                    .into_iter()
                    .map(|(_, key, value)| FilterCondition::parse(key, value))
                    .collect::<Result<Vec<_>, _>>()?
            }
        };
        Ok((!conditions.is_empty()).then_some(Self { relation, conditions }))
    }

    /// True if a condition refers to the last sync.
    pub fn is_incremental(&self) -> bool {
        self.conditions.iter().any(FilterCondition::mentions_since)
    }

    /// The fields it compares, in order.
    pub fn fields(&self) -> Vec<String> {
        self.conditions.iter().map(|condition| condition.field.clone()).collect()
    }

    /// True if the filter cannot match a row: a value differs from one it must equal. Less obvious cases are left
    /// open.
    pub fn excludes(&self, row: &Map<String, Value>) -> bool {
        let plain = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let differs = |condition: &FilterCondition| {
            let Some(found) = row.get(&condition.field).and_then(plain) else { return false };
            let wanted: Option<Vec<String>> = condition
                .operands
                .iter()
                .flatten()
                .map(|operand| match operand {
                    FilterOperand::Fixed(value) => plain(value),
                    FilterOperand::Template(_) => None,
                })
                .collect();
            let compares = matches!(condition.method, "eq" | "in");
            compares && wanted.is_some_and(|wanted| !wanted.is_empty() && !wanted.contains(&found))
        };
        self.relation == Relation::And && self.conditions.iter().any(differs)
    }

    /// The filter in the service's form; `None` means every row.
    ///
    /// Without a time everything is read: conditions that refer to the last sync are left out. Under `or` such a
    /// condition would then hold for every row, so the whole filter is left out.
    pub fn resolve(&self, since: Option<DateTime<Utc>>) -> Option<Value> {
        if since.is_none() && self.relation == Relation::Or && self.is_incremental() {
            return None;
        }
        let kept = self.conditions.iter().filter(|condition| since.is_some() || !condition.mentions_since());
        let since = since.map(|since| since.to_rfc3339_opts(SecondsFormat::Millis, true)).unwrap_or_default();
        let conditions: Vec<_> = kept.map(|condition| condition.resolve(&since)).collect();
        (!conditions.is_empty()).then(|| self.written(&conditions))
    }

    /// The filter in the service's form, with the placeholder for the time of the last sync.
    pub fn template(&self) -> Value {
        let since = format!("{{{{{SINCE}|datetime}}}}");
        let conditions: Vec<_> = self.conditions.iter().map(|condition| condition.resolve(&since)).collect();
        self.written(&conditions)
    }

    fn written(&self, conditions: &[Value]) -> Value {
        let relation = match self.relation {
            Relation::And => "and",
            Relation::Or => "or",
        };
        json!({ "rel": relation, "cond": conditions })
    }
}

impl FilterCondition {
    fn parse(at: &dyn fmt::Display, value: &Value) -> Result<Self, FilterError> {
        let Value::Object(condition) = value else { return reject(at, FilterProblem::NotAnObject) };
        for key in condition.keys() {
            match key.as_str() {
                "field" | "type" | "method" | "value" => {}
                "rel" | "cond" => return reject(at, FilterProblem::Nested),
                _ => return reject(at, FilterProblem::UnknownKey(key.clone())),
            }
        }
        let text = |key: &'static str| {
            let text =
                condition.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
            text.ok_or_else(|| FilterError { at: at.to_string(), problem: FilterProblem::Missing(key) })
        };
        let field = text("field")?;
        if field.contains("{{") {
            return reject(at, FilterProblem::Placeholder(field.chars().take(80).collect()));
        }
        let kind = match condition.get("type") {
            None | Some(Value::Null) => None,
            Some(_) => Some(text("type")?),
        };
        let kind = kind.map(|kind| if kind == "flowState" { "flowstate" } else { kind });
        let method = text("method")?;
        let Some((method, arity)) = METHODS.into_iter().find(|(name, _)| *name == method) else {
            return reject(at, FilterProblem::Method(method.chars().take(80).collect()));
        };
        let numeric =
            matches!(kind, Some("flowstate" | "number")) || (kind.is_none() && field == "flowState");
        let operands = match arity {
            Arity::None => None,
            _ => Some(operands(at, method, arity, numeric, condition.get("value"))?),
        };
        Ok(Self { field: field.to_owned(), kind: kind.map(str::to_owned), method, operands })
    }

    fn mentions_since(&self) -> bool {
        self.operands.iter().flatten().any(|operand| matches!(operand, FilterOperand::Template(_)))
    }

    fn resolve(&self, since: &str) -> Value {
        let mut condition = Map::new();
        condition.insert("field".to_owned(), json!(self.field));
        if let Some(kind) = &self.kind {
            condition.insert("type".to_owned(), json!(kind));
        }
        condition.insert("method".to_owned(), json!(self.method));
        if let Some(operands) = &self.operands {
            let value = |operand: &FilterOperand| match operand {
                FilterOperand::Fixed(value) => value.clone(),
                FilterOperand::Template(pieces) => Value::String(
                    pieces
                        .iter()
                        .map(|piece| match piece {
                            TemplatePiece::Text(text) => text.as_str(),
                            TemplatePiece::Since => since,
                        })
                        .collect(),
                ),
            };
            condition.insert("value".to_owned(), operands.iter().map(value).collect());
        }
        Value::Object(condition)
    }
}

/// A condition's values, as many as its method takes.
fn operands(
    at: &dyn fmt::Display,
    method: &'static str,
    arity: Arity,
    numeric: bool,
    value: Option<&Value>,
) -> Result<Vec<FilterOperand>, FilterError> {
    let values = match value {
        None | Some(Value::Null) => return reject(at, FilterProblem::Missing("value")),
        Some(Value::Array(values)) => values.as_slice(),
        Some(scalar) => std::slice::from_ref(scalar),
    };
    let mut operands = Vec::with_capacity(values.len());
    for value in values {
        operands.push(match value {
            Value::Null if arity == Arity::Range => FilterOperand::Fixed(Value::Null),
            Value::String(text) if text.trim().is_empty() && arity == Arity::Range => {
                FilterOperand::Fixed(Value::Null)
            }
            Value::String(text) => operand(at, text, numeric)?,
            Value::Number(_) => FilterOperand::Fixed(value.clone()),
            Value::Bool(_) if !numeric => FilterOperand::Fixed(value.clone()),
            _ => return reject(at, FilterProblem::Value(shown(value))),
        });
    }
    let fits =
        |fits: bool, takes| if fits { Ok(()) } else { reject(at, FilterProblem::Values { method, takes }) };
    match arity {
        Arity::None => {}
        Arity::One => fits(operands.len() == 1, "exactly one value")?,
        Arity::Many if operands.len() > MOST_VALUES => {
            return reject(at, FilterProblem::TooMany(operands.len()));
        }
        Arity::Many => fits(!operands.is_empty(), "at least one value")?,
        Arity::Range => {
            if operands.len() == 1 {
                operands.push(FilterOperand::Fixed(Value::Null));
            }
            let open = operands.iter().all(|operand| *operand == FilterOperand::Fixed(Value::Null));
            fits(operands.len() == 2 && !open, "a start and an end, of which one may be empty")?;
        }
    }
    Ok(operands)
}

/// One text value: a number where one belongs, a template if it has placeholders.
fn operand(at: &dyn fmt::Display, text: &str, numeric: bool) -> Result<FilterOperand, FilterError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let unknown = || FilterProblem::Placeholder(text.chars().take(80).collect());
        let Some((inside, after)) = after.split_once("}}") else { return reject(at, unknown()) };
        let (name, format) = inside.split_once('|').unwrap_or((inside, "datetime"));
        if name.trim() != SINCE || format.trim() != "datetime" || numeric {
            return reject(at, unknown());
        }
        if !before.is_empty() {
            pieces.push(TemplatePiece::Text(before.to_owned()));
        }
        pieces.push(TemplatePiece::Since);
        rest = after;
    }
    if !pieces.is_empty() {
        if !rest.is_empty() {
            pieces.push(TemplatePiece::Text(rest.to_owned()));
        }
        return Ok(FilterOperand::Template(pieces));
    }
    if numeric {
        let number = text.trim().parse::<serde_json::Number>();
        let Ok(number) = number else {
            return reject(at, FilterProblem::Number(text.chars().take(80).collect()));
        };
        return Ok(FilterOperand::Fixed(Value::Number(number)));
    }
    Ok(FilterOperand::Fixed(Value::String(text.to_owned())))
}
