//! A form, a query of it, and what comes back.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use ruzhi_model::{RecordId, row};

/// The version of the routes. From v5 on the form's ids are in the body and the rates are higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// The first routes (2018).
    V1,
    /// Rows of subforms have ids (2021).
    V2,
    /// Members and departments have a type (2022).
    V4,
    /// The current routes.
    V5,
}

impl Api {
    /// As it is written in a path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V4 => "v4",
            Self::V5 => "v5",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no version of the read routes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version of the routes that read records; there are v1, v2, v4 and v5")]
pub struct ApiError(pub String);

impl FromStr for Api {
    type Err = ApiError;
    fn from_str(text: &str) -> Result<Self, ApiError> {
        let all = [Self::V1, Self::V2, Self::V4, Self::V5];
        all.into_iter()
            .find(|api| api.as_str() == text)
            .ok_or_else(|| ApiError(text.chars().take(80).collect()))
    }
}

/// A form and the routes it is read by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The routes.
    pub api: Api,
    /// The app's id, 24 hexadecimal digits.
    pub app_id: String,
    /// The form's id, 24 hexadecimal digits.
    pub entry_id: String,
}

/// Which rows, and what of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// The fields wanted; none means all. `_id` always comes.
    pub fields: Vec<String>,
    /// A filter as the service takes it: [`Filter::resolve`](super::Filter::resolve).
    pub filter: Option<Value>,
}

/// A row of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its `_id`.
    pub id: RecordId,
    /// Everything the service answered, `_id` included.
    pub fields: Map<String, Value>,
}

impl Row {
    /// A row of which no more than this was read: it is too large for an answer.
    pub fn unread(row: Self) -> Self {
        let Self { id, mut fields } = row;
        fields.insert(row::UNREAD.to_owned(), Value::Bool(true));
        Self { id, fields }
    }
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widget {
    /// The key in rows and filters: the alias if there is one, else the id.
    pub name: String,
    /// The id, which never changes.
    pub widget_name: String,
    /// What the person who fills in the form reads.
    pub label: String,
    /// The type, such as `text` or `phone`.
    pub kind: String,
    /// The fields of a subform.
    pub items: Vec<Self>,
}

/// The longest name that is kept, in characters: names are told in messages. No guest reads a field of a longer one.
const LONGEST: usize = 200;

impl Widget {
    /// The widgets of a list as the service writes it; what has no name is left out.
    pub(super) fn list(value: &Value) -> Vec<Self> {
        let text = |widget: &Value, key: &str| -> Option<String> {
            Some(widget.get(key)?.as_str()?.chars().take(LONGEST).collect())
        };
        let widget = |widget: &Value| {
            let name = text(widget, "name").or_else(|| text(widget, "widgetName"))?;
            Some(Self {
                widget_name: text(widget, "widgetName").unwrap_or_else(|| name.clone()),
                label: text(widget, "label").unwrap_or_default(),
                kind: text(widget, "type").unwrap_or_default(),
                items: widget.get("items").map(Self::list).unwrap_or_default(),
                name,
            })
        };
        value.as_array().into_iter().flatten().filter_map(widget).collect()
    }
}
