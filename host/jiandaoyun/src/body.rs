//! The body of a call.

use serde::Serialize;
use serde_json::{Map, Value};

use super::form::{ApiVersion, FormAddress};

/// The body of every call; the ids are left out if the path contains them.
#[derive(Serialize)]
pub(super) struct FormBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) app_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entry_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) fields: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_start_trigger: Option<bool>,
}

impl<'a> FormBody<'a> {
    /// The body of a call to a form, without anything else.
    pub(super) fn of(form: &'a FormAddress) -> Self {
        let in_body = form.api == ApiVersion::V5;
        Self {
            app_id: in_body.then_some(form.app_id.as_str()),
            entry_id: in_body.then_some(form.entry_id.as_str()),
            data_id: None,
            fields: &[],
            filter: None,
            limit: None,
            data: None,
            is_start_trigger: None,
        }
    }
}
