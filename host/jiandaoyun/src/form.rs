//! A form, a query, and the rows and fields returned.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use ruzhi_model::{RecordId, row};

/// The version of the routes. From v5 on the form's ids are in the body and the rates are higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiVersion {
    /// The first routes (2018).
    V1,
    /// Rows of subforms have ids (2021).
    V2,
    /// Members and departments have a type (2022).
    V4,
    /// The current routes.
    V5,
}

impl ApiVersion {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::V1, Self::V2, Self::V4, Self::V5];

    /// The version as part of a path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V4 => "v4",
            Self::V5 => "v5",
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not a version of the read routes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version of the routes that read records; there are v1, v2, v4 and v5")]
pub struct ApiVersionError(pub String);

impl FromStr for ApiVersion {
    type Err = ApiVersionError;
    fn from_str(text: &str) -> Result<Self, ApiVersionError> {
        Self::ALL
            .into_iter()
            .find(|api| api.as_str() == text)
            .ok_or_else(|| ApiVersionError(text.chars().take(80).collect()))
    }
}

/// A form and the version of its routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormAddress {
    /// The version of the routes.
    pub api: ApiVersion,
    /// The app's id, 24 hexadecimal digits.
    pub app_id: String,
    /// The form's id, 24 hexadecimal digits.
    pub entry_id: String,
}

/// The rows and fields to read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowQuery {
    /// The requested fields; empty means all. `_id` is always included.
    pub fields: Vec<String>,
    /// A filter in the service's form: [`RowFilter::resolve`](super::RowFilter::resolve).
    pub filter: Option<Value>,
}

/// A row of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct FormRow {
    /// Its `_id`.
    pub id: RecordId,
    /// The complete answer, including `_id`.
    pub fields: Map<String, Value>,
}

impl FormRow {
    /// A row of which only this was read, because it is too large for an answer.
    pub fn unread(row: Self) -> Self {
        let Self { id, mut fields } = row;
        fields.insert(row::UNREAD.to_owned(), Value::Bool(true));
        Self { id, fields }
    }
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormWidget {
    /// The key in rows and filters: the alias if there is one, or else the id.
    pub name: String,
    /// The permanent id.
    pub widget_name: String,
    /// The label shown on the form.
    pub label: String,
    /// The type, such as `text` or `phone`.
    pub kind: String,
    /// The fields of a subform.
    pub items: Vec<Self>,
}

/// Maximum length of a name in characters: names appear in messages. Guests read no field with a longer one.
const LONGEST: usize = 200;

impl FormWidget {
    /// The widgets of a list as sent by the service, without unnamed ones.
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
