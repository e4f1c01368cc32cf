//! Pieces that several answers are made of.

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use ruzhi_message::Failure;
use ruzhi_model::Text;

/// Items of one page when nothing else is asked for.
const USUAL: u32 = 50;
/// Items of one page at most.
pub(super) const MOST: u32 = 500;

/// What an action is asked with, or why that cannot be read. Whether the visitor may ask at all is judged before.
pub type Wished<T> = Result<T, Failure>;

/// A part of a longer list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// What to ask for as `after` to get the next part; none at the end.
    pub next: Option<String>,
}

/// A text that no `next` of an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the `next` of an answer")]
pub struct NotAPlace;

/// A field of which something else was so before.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FieldChange {
    /// The field's name: WeCom's, or the form's.
    pub field: String,
    /// What people call it.
    pub label: Text,
    /// What was there; null for nothing, or where it is not known.
    pub before: Value,
    /// What is there then; null for nothing.
    pub after: Value,
}

/// How many items a page has.
pub(super) fn page_size(asked: Option<u32>) -> u32 {
    asked.unwrap_or(USUAL)
}

/// A parameter that a form sends empty is not given.
pub(super) fn unless_empty<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let text = Option::<String>::deserialize(deserializer)?;
    let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

/// A whole number that a form may send empty.
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

/// A word of an enum that a form may send empty.
pub(super) fn word_unless_empty<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let text = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty());
    text.map(|text| serde_json::from_value(Value::String(text)).map_err(D::Error::custom)).transpose()
}

/// Yes or no: as JSON has it, as an address spells it, or what a box sends that is ticked.
pub(crate) fn ticked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Said(bool),
        Text(String),
    }
    match Given::deserialize(deserializer)? {
        Given::Said(said) => Ok(said),
        Given::Text(text) => match text.as_str() {
            "1" | "true" | "on" | "yes" => Ok(true),
            "" | "0" | "false" | "off" | "no" => Ok(false),
            other => Err(D::Error::invalid_value(Unexpected::Str(other), &"true or false")),
        },
    }
}
