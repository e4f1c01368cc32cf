//! Checks that the form still has the fields that the guest and the filter read.
//!
//! Done before any row is read: a renamed or removed field comes back as rows without it, as if every person had lost
//! it. A service that cannot list its fields is assumed to have them.

use std::collections::BTreeSet;

use super::error::{MissingField, RunError};
use super::flow::FlowRuntime;
use ruzhi_jiandaoyun::{self as jiandaoyun, FormWidget};
use ruzhi_model::Description;

/// Fields every row has that are not the form's own (a form without a workflow has no `flowState`).
const SYSTEM_FIELDS: [&str; 10] = [
    "_id",
    "appId",
    "entryId",
    "creator",
    "updater",
    "deleter",
    "createTime",
    "updateTime",
    "flowState",
    "ext",
];

/// A form whose fields can be listed.
#[derive(Clone)]
pub struct FormFields {
    /// The client to ask.
    pub source: jiandaoyun::FormClient,
    /// The form.
    pub form: jiandaoyun::FormAddress,
}

impl FormFields {
    /// The fields that a guest reads and the form does not have.
    pub async fn missing(&self, guest: &Description) -> Result<Vec<MissingField>, RunError> {
        self.missing_of(guest, BTreeSet::new()).await
    }

    async fn missing_of<'a>(
        &self,
        guest: &'a Description,
        mut read: BTreeSet<&'a str>,
    ) -> Result<Vec<MissingField>, RunError> {
        let widgets = match self.source.widgets(&self.form).await {
            Ok(widgets) => widgets,
            Err(error) if error.is_unknown_route() => {
                tracing::warn!(
                    form.entry_id = self.form.entry_id.as_str(),
                    "the form's service does not tell the form's fields; they are taken for unchanged"
                );
                return Ok(Vec::new());
            }
            Err(error) => return Err(RunError::Fields(error)),
        };
        read.extend(guest.source_fields.iter().map(String::as_str));
        Ok(missing(read, &widgets, &guest.labels))
    }
}

/// Compares the fields that are read with those of the form.
pub(super) async fn check(flow: &FlowRuntime) -> Result<(), RunError> {
    let filtered = flow.filter.as_ref().map(jiandaoyun::RowFilter::fields).unwrap_or_default();
    let fields = FormFields { source: flow.source.clone(), form: flow.form.clone() };
    let read = filtered.iter().map(String::as_str).collect();
    let missing = fields.missing_of(flow.guest.description(), read).await?;
    if missing.is_empty() { Ok(()) } else { Err(RunError::FieldsMissing { missing }) }
}

/// The fields of `read` that rows no longer have. Rows call a field by its alias if one is set, so the id alone is not
/// enough.
pub fn missing(
    read: BTreeSet<&str>,
    widgets: &[FormWidget],
    labels: &[(String, String)],
) -> Vec<MissingField> {
    let known =
        |field: &str| SYSTEM_FIELDS.contains(&field) || widgets.iter().any(|widget| widget.name == field);
    read.into_iter()
        .filter(|field| !known(field.split('.').next().unwrap_or(field)))
        .map(|field| MissingField {
            field: field.to_owned(),
            label: labels.iter().find(|(name, _)| name == field).map(|(_, label)| label.clone()),
            now: widgets
                .iter()
                .find(|widget| widget.widget_name == field)
                .or_else(|| {
                    let label = labels.iter().find(|(name, _)| name == field).map(|(_, label)| label)?;
                    widgets.iter().find(|widget| widget.label == *label)
                })
                .map(|widget| widget.name.clone()),
        })
        .collect()
}
