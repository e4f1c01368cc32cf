//! The fields of a row as a person reads them.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::labels::Labels;
use super::mask::{self, Sight};

/// A field of a row.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RowField {
    /// Its name in the form.
    pub field: String,
    /// Its label in the form.
    pub label: String,
    /// Its value; a long one is cut and ends with `…`.
    pub value: Value,
}

/// The fields of a row, by name. Cells of a long row are cut, up to a limit for the whole row.
pub(super) fn row(content: &str, labels: &Labels, sight: Sight) -> Vec<RowField> {
    let Ok(Value::Object(fields)) = serde_json::from_str(content) else { return Vec::new() };
    let mut left = mask::ROW;
    fields
        .into_iter()
        .map(|(field, value)| {
            let label = labels.of_form(&field);
            let value = sight.cell(&label, &value, mask::CELL.min(left));
            left = left.saturating_sub(length(&value));
            RowField { value, label, field }
        })
        .collect()
}

/// The number of bytes of a shown value, at least one.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len().max(1),
        other => other.to_string().len(),
    }
}
