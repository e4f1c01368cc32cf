//! A record in quarantine as a person reads it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::labels::Labels;
use super::mask::Sight;
use super::removals::RemovalView;
use super::row_field::{RowField, row};
use ruzhi_model::{FlowId, RecordId, RejectedBy, TenantId, Text, WaitsFor};
use ruzhi_store::QuarantineRow;

/// A record in quarantine.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RejectView {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The record.
    pub record: RecordId,
    /// The party that rejected it.
    pub by: RejectedBy,
    /// WeCom's code, if WeCom rejected it.
    pub errcode: Option<i64>,
    /// At least one reason.
    pub violations: Vec<ViolationView>,
    /// The row by the form's labels.
    pub row: Vec<RowField>,
    /// The condition it waits for. `leader`: the person is in the directory, and only the direct leader is missing.
    pub waits_for: WaitsFor,
    /// That condition in words.
    pub waits: Text,
    /// The number of times WeCom has rejected the record as it is.
    pub tries: u32,
    /// The time of the next try, regardless of other changes.
    pub retry_at: Option<DateTime<Utc>>,
    /// The removed member that needs a person's decision.
    pub removal: Option<RemovalView>,
    /// When it was first rejected.
    pub first_seen: DateTime<Utc>,
    /// When it was last seen rejected.
    pub last_seen: DateTime<Utc>,
}

/// A reason for a rejection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ViolationView {
    /// The form's field, or a WeCom field if no single source field is at fault.
    pub field: String,
    /// The form's label of it.
    pub label: String,
    /// A stable code, such as `mobile.invalid`.
    pub rule: String,
    /// A description of the problem for a person.
    pub message: Text,
}

impl RejectView {
    pub(super) fn of(reject: &QuarantineRow, labels: &Labels, sight: Sight) -> Self {
        let violations = reject.rejection.violations.iter().map(|violation| ViolationView {
            field: violation.field.clone(),
            label: labels.of_form(&violation.field),
            rule: violation.rule.clone(),
            message: Text::new(sight.text(&violation.message.en), sight.text(&violation.message.zh)),
        });
        Self {
            tenant: reject.tenant.clone(),
            flow: reject.flow.clone(),
            record: reject.record.clone(),
            by: reject.rejection.by,
            errcode: reject.rejection.errcode,
            violations: violations.collect(),
            waits_for: reject.rejection.waits_for,
            waits: reject.rejection.waits_for.words(),
            tries: reject.rejection.tries,
            retry_at: reject.rejection.retry_at,
            removal: None,
            row: reject.content.as_deref().map(|content| row(content, labels, sight)).unwrap_or_default(),
            first_seen: reject.first_seen,
            last_seen: reject.last_seen,
        }
    }
}
