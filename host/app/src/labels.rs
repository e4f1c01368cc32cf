//! Human-readable names of the fields.

use std::collections::BTreeMap;

use ruzhi_message::{Report, member_field};
use ruzhi_model::{FlowId, TenantId, Text};
use ruzhi_store::Database;

/// The labels of a flow's fields, as its guest last gave them.
#[derive(Default)]
pub(super) struct Labels(BTreeMap<String, String>);

impl Labels {
    pub(super) async fn of(store: &Database, tenant: &TenantId, flow: &FlowId) -> Result<Self, Report> {
        Ok(Self(store.labels_find(tenant, flow).await?))
    }

    /// The label of a field of the form.
    pub(super) fn of_form(&self, field: &str) -> String {
        self.0.get(field).cloned().unwrap_or_else(|| field.to_owned())
    }

    /// Returns true if any label contains a word.
    pub(super) fn any_matches(&self, word: &str) -> bool {
        self.0.values().any(|label| label.to_lowercase().contains(word))
    }

    /// The label of a field of a member.
    pub(super) fn of_wecom(&self, field: &str) -> Text {
        member_field(field).map_or_else(
            || {
                let label = self.of_form(field);
                Text::new(label.clone(), label)
            },
            Text::from,
        )
    }
}
