//! One condition of a filter: a field, a method that its kind allows, and values of that kind.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta};
use serde_json::{Map, Value};

use super::filter::{bad, no_more_keys};
use super::form::{Form, Row};
use super::refusal::Refusal;

#[derive(Debug)]
pub(super) struct Condition {
    field: String,
    kind: Kind,
    test: Test,
}

/// Properties of a field for the table of methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    FlowState,
    DataId,
    Person,
    Moment,
    Number,
    Text,
    Serial,
    Choices,
    Phone,
    Department,
    Group,
    Lookup,
    Other,
}

#[derive(Debug)]
enum Test {
    Empty(bool),
    AnyOf {
        values: Vec<Operand>,
        negated: bool,
    },
    AllOf(Vec<Operand>),
    Range {
        from: Option<f64>,
        to: Option<f64>,
        inclusive: bool,
    },
    Like(String),
    Verified(bool),
    /// The service silently drops the condition.
    Dropped,
}

#[derive(Debug, PartialEq)]
enum Operand {
    Text(String),
    Number(f64),
    Moment(Moment),
}

/// An instant, or a whole day of China's time if only a date was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    pub(super) from_ms: i64,
    until_ms: i64,
}

const MOST_VALUES: usize = 1000;
const CHINA_SECONDS: i32 = 8 * 3600;

impl Kind {
    fn of(widget: &str) -> Self {
        match widget {
            "flowstate" => Self::FlowState,
            "dataid" => Self::DataId,
            "user" => Self::Person,
            "datetime" => Self::Moment,
            "number" => Self::Number,
            "text" | "combo" | "radiogroup" => Self::Text,
            "sn" => Self::Serial,
            "checkboxgroup" | "combocheck" => Self::Choices,
            "phone" => Self::Phone,
            "dept" => Self::Department,
            "usergroup" | "deptgroup" => Self::Group,
            "lookup" => Self::Lookup,
            _ => Self::Other,
        }
    }

    /// `like` on text is not in the table but is used and works.
    fn methods(self) -> &'static [&'static str] {
        match self {
            Self::FlowState | Self::Person | Self::Department | Self::Lookup => {
                &["eq", "ne", "in", "nin", "empty", "not_empty"]
            }
            Self::DataId => &["eq", "in", "empty", "not_empty"],
            Self::Moment => &["eq", "ne", "range", "empty", "not_empty"],
            Self::Number => &["eq", "ne", "range", "gt", "lt", "empty", "not_empty"],
            Self::Text | Self::Serial => &["eq", "ne", "in", "nin", "like", "empty", "not_empty"],
            Self::Choices | Self::Group => &["in", "all", "empty", "not_empty"],
            Self::Phone => &["like", "verified", "unverified", "empty", "not_empty"],
            Self::Other => &["empty", "not_empty"],
        }
    }
}

impl Condition {
    pub(super) fn parse(condition: Value, form: &Form) -> Result<Self, Refusal> {
        let Value::Object(mut condition) = condition else {
            return Err(bad(format!("a condition must be an object, not {condition}")));
        };
        let field = text(&mut condition, "field")?;
        let method = text(&mut condition, "method")?;
        if condition.contains_key("type") {
            text(&mut condition, "type")?;
        }
        let value = condition.remove("value");
        no_more_keys(&condition, "a condition")?;
        let widget = form.kind_of(&field).ok_or_else(|| bad(format!("the form has no field {field:?}")))?;
        let kind = Kind::of(widget);
        if !kind.methods().contains(&method.as_str()) {
            return Err(bad(format!("field {field:?} ({widget}) does not allow the method {method:?}")));
        }
        let test = Test::parse(kind, &field, &method, value, form)?;
        Ok(Self { field: if field == "data_id" { "_id".to_owned() } else { field }, kind, test })
    }

    pub(super) fn accepts(&self, row: &Row) -> bool {
        let value = row.fields.get(&self.field).unwrap_or(&Value::Null);
        match &self.test {
            Test::Dropped => true,
            Test::Empty(wanted) => is_empty(value) == *wanted,
            Test::AnyOf { values, negated } => {
                let held = self.operands(row, value);
                held.iter().any(|held| values.iter().any(|wanted| equal(held, wanted))) != *negated
            }
            Test::AllOf(values) => {
                let held = self.operands(row, value);
                values.iter().all(|wanted| held.iter().any(|held| equal(held, wanted)))
            }
            Test::Range { from, to, inclusive } => self.number(row, value).is_some_and(|held| {
                let above = from.is_none_or(|from| held > from || *inclusive && held >= from);
                let below = to.is_none_or(|to| held < to || *inclusive && held <= to);
                above && below
            }),
            Test::Like(part) => texts(value).iter().any(|held| held.contains(part.as_str())),
            Test::Verified(wanted) => {
                !is_empty(value) && value.get("verified").and_then(Value::as_bool).unwrap_or(false) == *wanted
            }
        }
    }

    fn number(&self, row: &Row, value: &Value) -> Option<f64> {
        match (self.kind, self.field.as_str()) {
            (Kind::Moment, "updateTime") => row.updated_ms.map(|ms| ms as f64),
            (Kind::Moment, "createTime") => row.created_ms.map(|ms| ms as f64),
            (Kind::Moment, _) => value.as_str().and_then(moment).map(|moment| moment.from_ms as f64),
            _ => value.as_f64(),
        }
    }

    fn operands(&self, row: &Row, value: &Value) -> Vec<Operand> {
        match self.kind {
            Kind::Moment | Kind::Number | Kind::FlowState => {
                self.number(row, value).map(Operand::Number).into_iter().collect()
            }
            _ => texts(value).into_iter().map(Operand::Text).collect(),
        }
    }
}

impl Test {
    fn parse(
        kind: Kind,
        field: &str,
        method: &str,
        value: Option<Value>,
        form: &Form,
    ) -> Result<Self, Refusal> {
        match method {
            "empty" => return Ok(Self::Empty(true)),
            "not_empty" => return Ok(Self::Empty(false)),
            "verified" => return Ok(Self::Verified(true)),
            "unverified" => return Ok(Self::Verified(false)),
            _ => {}
        }
        let values = match value {
            Some(Value::Array(values)) => values,
            Some(scalar @ (Value::String(_) | Value::Number(_))) if method == "eq" => vec![scalar],
            Some(other) => {
                return Err(bad(format!("the value of {method} on {field:?} must be an array, not {other}")));
            }
            None => return Err(bad(format!("{method} on {field:?} has no value"))),
        };
        if values.is_empty() || values.len() > MOST_VALUES {
            return Err(bad(format!(
                "{method} on {field:?} takes 1 to {MOST_VALUES} values, not {}",
                values.len()
            )));
        }
        let one = || match values.as_slice() {
            [one] => Ok(one),
            _ => Err(bad(format!("{method} on {field:?} takes one value, not {}", values.len()))),
        };
        let operands =
            || values.iter().map(|value| operand(kind, field, value)).collect::<Result<Vec<_>, _>>();
        Ok(match method {
            "eq" => Self::AnyOf { values: vec![operand(kind, field, one()?)?], negated: false },
            "ne" => Self::AnyOf { values: vec![operand(kind, field, one()?)?], negated: true },
            "in" => Self::AnyOf { values: operands()?, negated: false },
            "nin" if kind == Kind::Person && names_a_stranger(&operands()?, field, form) => Self::Dropped,
            "nin" => Self::AnyOf { values: operands()?, negated: true },
            "all" => Self::AllOf(operands()?),
            "like" => match operand(Kind::Text, field, one()?)? {
                Operand::Text(part) => Self::Like(part),
                _ => return Err(bad(format!("like on {field:?} takes a text"))),
            },
            "gt" => Self::Range { from: end(kind, field, one()?)?, to: None, inclusive: false },
            "lt" => Self::Range { from: None, to: end(kind, field, one()?)?, inclusive: false },
            "range" => match values.as_slice() {
                [from, to] => {
                    Self::Range { from: end(kind, field, from)?, to: end(kind, field, to)?, inclusive: true }
                }
                _ => return Err(bad(format!("range on {field:?} takes two values, null for an open end"))),
            },
            _ => return Err(bad(format!("there is no method {method:?}"))),
        })
    }
}

/// `nin` on a member field that names an unknown username is dropped by the service.
fn names_a_stranger(values: &[Operand], field: &str, form: &Form) -> bool {
    let held = |wanted: &Operand| {
        form.rows().any(|row| {
            let names = texts(row.fields.get(field).unwrap_or(&Value::Null));
            names.into_iter().any(|name| Operand::Text(name) == *wanted)
        })
    };
    !values.iter().all(held)
}

fn end(kind: Kind, field: &str, value: &Value) -> Result<Option<f64>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    Ok(match operand(kind, field, value)? {
        Operand::Number(number) => Some(number),
        Operand::Moment(moment) => Some(moment.from_ms as f64),
        Operand::Text(_) => None,
    })
}

fn operand(kind: Kind, field: &str, value: &Value) -> Result<Operand, Refusal> {
    let unfit = || bad(format!("{value} is not a valid value for the field {field:?}"));
    match (kind, value) {
        (Kind::Number | Kind::FlowState, _) => value.as_f64().map(Operand::Number).ok_or_else(unfit),
        (Kind::Moment, Value::String(text)) => moment(text).map(Operand::Moment).ok_or_else(unfit),
        (Kind::Moment, _) => Err(unfit()),
        (Kind::Department | Kind::Group, Value::Number(number)) => Ok(Operand::Text(number.to_string())),
        (_, Value::String(text)) => Ok(Operand::Text(text.clone())),
        _ => Err(unfit()),
    }
}

fn equal(held: &Operand, wanted: &Operand) -> bool {
    match (held, wanted) {
        (Operand::Number(held), Operand::Moment(moment)) => {
            *held >= moment.from_ms as f64 && *held <= moment.until_ms as f64
        }
        _ => held == wanted,
    }
}

/// Every text that a value stands for: itself, a phone's number, a member's username, a department's number.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(object) => {
            let key = ["username", "dept_no", "phone"].iter().find_map(|key| object.get(*key));
            key.map(texts).unwrap_or_default()
        }
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn text(condition: &mut Map<String, Value>, name: &str) -> Result<String, Refusal> {
    match condition.remove(name) {
        Some(Value::String(text)) => Ok(text),
        other => Err(bad(format!("a condition's {name} must be text, not {other:?}"))),
    }
}

/// RFC 3339, `2026-05-01 08:00:00` or `2026-05-01`; without a zone it is China's time.
pub(super) fn moment(text: &str) -> Option<Moment> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        let from_ms = moment.timestamp_millis();
        return Some(Moment { from_ms, until_ms: from_ms });
    }
    let china = FixedOffset::east_opt(CHINA_SECONDS)?;
    let in_china =
        |local: NaiveDateTime| local.and_local_timezone(china).single().map(|at| at.timestamp_millis());
    for format in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, format) {
            let from_ms = in_china(local)?;
            return Some(Moment { from_ms, until_ms: from_ms });
        }
    }
    let from_ms = in_china(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?)?;
    Some(Moment { from_ms, until_ms: from_ms + TimeDelta::days(1).num_milliseconds() - 1 })
}
