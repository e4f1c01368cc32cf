//! Pieces shared by several answers.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use ruzhi_message::Report;
use ruzhi_model::Text;

/// Default number of items on a page.
const USUAL: u32 = 50;
/// Maximum number of items on a page.
pub(super) const MOST: u32 = 500;

/// The body of an action, or the reason it cannot be read. The visitor's permission is checked before this failure is
/// reported.
pub type ActionInput<T> = Result<T, Report>;

/// A page of a longer list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// The value of `cursor` for the next page; none on the last.
    pub next_cursor: Option<String>,
}

/// A text that is not the `next_cursor` of any answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the `next_cursor` of an answer")]
pub struct CursorError;

/// The position after an item of a list in order of time, then of id, as written in `next_cursor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeCursor<I> {
    /// The item's time.
    pub(super) at: DateTime<Utc>,
    /// The item's id.
    pub(super) id: I,
}

impl<I: fmt::Display> fmt::Display for TimeCursor<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.timestamp_millis(), self.id)
    }
}

impl<I: FromStr> FromStr for TimeCursor<I> {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (at, id) = text.split_once('.').ok_or(CursorError)?;
        let at = at.parse().ok().and_then(DateTime::from_timestamp_millis).ok_or(CursorError)?;
        Ok(Self { at, id: id.parse().map_err(|_| CursorError)? })
    }
}

/// A field with its value before and after.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FieldChange {
    /// The field's name in WeCom or in the form.
    pub field: String,
    /// Its human-readable name.
    pub label: Text,
    /// The value before; null if there was none or it is unknown.
    pub before: Value,
    /// The value after; null for none.
    pub after: Value,
}

/// The number of items on a page.
pub(super) fn page_size(asked: Option<u32>) -> u32 {
    asked.unwrap_or(USUAL)
}

/// Reads a parameter; one that a form sends empty counts as absent.
pub(super) fn unless_empty<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: fmt::Display,
{
    let text = Option::<String>::deserialize(deserializer)?;
    let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

/// Reads a whole number; one that a form sends empty counts as absent.
pub(super) fn number<'de, D, const LEAST: u32, const MOST: u32>(
    deserializer: D,
) -> Result<Option<u32>, D::Error>
where
    D: Deserializer<'de>,
{
    let number = unless_empty::<D, u32>(deserializer)?;
    match number.filter(|number| !(LEAST..=MOST).contains(number)) {
        Some(other) => Err(D::Error::custom(format_args!("{other} is not from {LEAST} to {MOST}"))),
        None => Ok(number),
    }
}

/// Reads a word of an enum; one that a form sends empty counts as absent.
pub(super) fn word_unless_empty<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let text = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty());
    text.map(|text| serde_json::from_value(Value::String(text)).map_err(D::Error::custom)).transpose()
}

/// Reads yes or no, as a JSON boolean, as an address spells it or as a ticked box sends it.
pub fn ticked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum TickValue {
        Bool(bool),
        Text(String),
    }
    match TickValue::deserialize(deserializer)? {
        TickValue::Bool(ticked) => Ok(ticked),
        TickValue::Text(text) => match text.as_str() {
            "1" | "true" | "on" | "yes" => Ok(true),
            "" | "0" | "false" | "off" | "no" => Ok(false),
            other => Err(D::Error::invalid_value(Unexpected::Str(other), &"true or false")),
        },
    }
}
