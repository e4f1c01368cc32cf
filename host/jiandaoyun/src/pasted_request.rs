//! A request body pasted from the integration platform: one JSON object with the form, the fields and the filter.

use serde_json::Value;

use super::filter::{FilterError, RowFilter};
use ruzhi_model::Text;

/// A pasted request.
#[derive(Debug, Clone, PartialEq)]
pub struct PastedRequest {
    /// The app's id, if given.
    pub app_id: Option<String>,
    /// The form's id, if given.
    pub entry_id: Option<String>,
    /// The requested fields; empty means all.
    pub fields: Vec<String>,
    /// The requested page size, 1 to 100. Ignored: pages are requested by 100 rows.
    pub limit: Option<u32>,
    /// The filter.
    pub filter: Option<RowFilter>,
}

/// The reason a pasted request is invalid.
#[derive(Debug, thiserror::Error)]
pub enum PastedRequestError {
    /// It is not a JSON object.
    #[error("the request is not a JSON object")]
    Json {
        /// The place where it stops being JSON.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// An unknown key.
    #[error("the request has the unknown key `{key}`")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// An id is not a text.
    #[error("`{key}` is no text")]
    Id {
        /// The key.
        key: String,
    },
    /// `fields` is neither a text nor a list of texts.
    #[error("`fields` is neither a list of names nor names joined by commas")]
    Fields,
    /// `limit` is not a number from 1 to 100.
    #[error("`limit` is `{found}`, not a number from 1 to 100")]
    Limit {
        /// The value found.
        found: String,
    },
    /// The filter is invalid.
    #[error("the request's filter is invalid")]
    Filter {
        /// The reason.
        #[source]
        source: FilterError,
    },
}

impl PastedRequestError {
    /// The problem and the remedy.
    pub fn explain(&self) -> Text {
        match self {
            Self::Json { source } => {
                let detail = source.as_ref().map(|error| format!(" ({error})")).unwrap_or_default();
                Text::new(
                    format!("The request is not a JSON object{detail}."),
                    format!("请求体不是 JSON 对象{detail}。"),
                )
            }
            Self::UnknownKey { key } => Text::new(
                format!("The request has the unknown key `{key}`; the service would pass over it."),
                format!("请求体含有未知的键 `{key}`，简道云会忽略它。"),
            ),
            Self::Id { key } => Text::new(format!("`{key}` must be a text."), format!("`{key}` 应为文本。")),
            Self::Fields => Text::new(
                "`fields` must be a list of field names, or the names joined by commas.",
                "fields 应为字段名列表，或以逗号连接的字段名。",
            ),
            Self::Limit { found } => Text::new(
                format!("`limit` must be a number from 1 to 100, not `{found}`."),
                format!("limit 应为 1 到 100 的数字，而不是 `{found}`。"),
            ),
            Self::Filter { source } => source.explain(),
        }
    }
}

impl PastedRequest {
    /// Reads a pasted body.
    pub fn parse(text: &str) -> Result<Self, PastedRequestError> {
        let body = match serde_json::from_str(text) {
            Ok(Value::Object(body)) => body,
            Ok(_) => return Err(PastedRequestError::Json { source: None }),
            Err(error) => return Err(PastedRequestError::Json { source: Some(error) }),
        };
        let mut request =
            Self { app_id: None, entry_id: None, fields: Vec::new(), limit: None, filter: None };
        for (key, value) in body {
            match key.as_str() {
                "appId" | "app_id" => request.app_id = Some(id(&key, &value)?),
                "entryId" | "entry_id" => request.entry_id = Some(id(&key, &value)?),
                "fields" => request.fields = parse_fields(&value)?,
                "limit" => request.limit = Some(limit(&value)?),
                "filter" => {
                    request.filter =
                        RowFilter::parse(&value).map_err(|source| PastedRequestError::Filter { source })?;
                }
                // The cursor of a first page.
                "data_id" | "dataId" if value.is_null() || value.as_str() == Some("") => {}
                _ => return Err(PastedRequestError::UnknownKey { key }),
            }
        }
        Ok(request)
    }
}

fn id(key: &str, value: &Value) -> Result<String, PastedRequestError> {
    let text = value.as_str().map(str::trim).filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| PastedRequestError::Id { key: key.to_owned() })
}

fn limit(value: &Value) -> Result<u32, PastedRequestError> {
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    let number =
        number.and_then(|number| u32::try_from(number).ok()).filter(|number| (1..=100).contains(number));
    number.ok_or_else(|| PastedRequestError::Limit { found: value.to_string().chars().take(80).collect() })
}

/// Reads `fields`: a list of names, or names joined by commas. Each name once, in the given order.
pub fn parse_fields(value: &Value) -> Result<Vec<String>, PastedRequestError> {
    let names: Vec<&str> = match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.split([',', '，']).collect(),
        Value::Array(names) => {
            names.iter().map(Value::as_str).collect::<Option<_>>().ok_or(PastedRequestError::Fields)?
        }
        _ => return Err(PastedRequestError::Fields),
    };
    let mut fields = Vec::<String>::with_capacity(names.len());
    for name in names.into_iter().map(str::trim).filter(|name| !name.is_empty()) {
        if !fields.iter().any(|field| field == name) {
            fields.push(name.to_owned());
        }
    }
    Ok(fields)
}
