//! The quarantine: records that wait to be corrected, by the form's own labels.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::{Page, ticked, unless_empty};
use super::record::RowField;
use crate::failure::Failure;
use crate::model::{FlowId, RecordId, RefusedBy, TenantId};
use crate::serve::Process;
use crate::serve::access::Visitor;

/// Which records.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct QuarantineAsked {
    /// Of this tenant.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// Of this flow.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>)]
    pub flow: Option<FlowId>,
    /// Refused by this rule.
    #[serde(deserialize_with = "unless_empty")]
    pub rule: Option<String>,
    /// Words to find, all of them, in record id, account, label, rule, message or row.
    #[serde(deserialize_with = "unless_empty")]
    pub search: Option<String>,
    /// The `next` of the part before.
    #[serde(deserialize_with = "unless_empty")]
    pub after: Option<String>,
    /// How many, 50 if not given, 500 at most.
    #[serde(deserialize_with = "unless_empty")]
    pub most: Option<u32>,
    /// With numbers and addresses in full: for an operator, and written down.
    #[serde(deserialize_with = "ticked")]
    pub reveal: bool,
}

/// A part of the quarantine, and what all that was asked for comes to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QuarantineView {
    /// The part.
    pub page: Page<RejectView>,
    /// Records that were asked for, over all parts.
    pub total: u64,
    /// The same by rule, the most frequent first; one record may count under several.
    pub by_rule: Vec<RuleGroup>,
    /// Numbers and addresses are in full.
    pub revealed: bool,
}

/// Records that one rule refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleGroup {
    /// The rule.
    pub rule: String,
    /// How many records.
    pub records: u64,
}

/// A record in quarantine.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RejectView {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// The record.
    pub record: RecordId,
    /// Who refused it.
    pub by: RefusedBy,
    /// WeCom's code, where WeCom refused.
    pub errcode: Option<i64>,
    /// At least one reason.
    pub violations: Vec<ViolationView>,
    /// The row by the form's labels.
    pub row: Vec<RowField>,
    /// When it was first refused.
    pub first_seen: DateTime<Utc>,
    /// When it was last seen refused.
    pub last_seen: DateTime<Utc>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ViolationView {
    /// The form's field, or a WeCom field where no one source field is to blame.
    pub field: String,
    /// What the form calls it.
    pub label: String,
    /// A stable code, such as `mobile.invalid`.
    pub rule: String,
    /// For a person, in Chinese and English.
    pub message: String,
}

/// A part of the quarantine.
pub async fn quarantine(
    process: &Process,
    visitor: &Visitor,
    asked: &QuarantineAsked,
) -> Result<QuarantineView, Failure> {
    let _ = (process, visitor, asked);
    Err(super::unfinished())
}

/// All that was asked for as CSV for a spreadsheet: UTF-8 with a byte order mark, one line for each reason. A text that a
/// spreadsheet would compute is written so that it is a text.
pub async fn quarantine_csv(
    process: &Process,
    visitor: &Visitor,
    asked: &QuarantineAsked,
) -> Result<Vec<u8>, Failure> {
    let _ = (process, visitor, asked);
    Err(super::unfinished())
}
