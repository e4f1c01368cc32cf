//! The rules of the flows: which are live, which were, and what others would change.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::page::{ticked, unless_empty};
use crate::activation::{Difference, Trial};
use crate::failure::Failure;
use crate::model::{Digest, FlowId, TenantId};
use crate::serve::Process;
use crate::serve::access::Visitor;
use crate::store::ActivationRow;

/// The rules of every flow.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GuestOverview {
    /// By tenant and flow.
    pub flows: Vec<FlowGuestView>,
}

/// The rules of a flow.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlowGuestView {
    /// The tenant.
    pub tenant: TenantId,
    /// The flow.
    pub flow: FlowId,
    /// What is live; none before the flow's first run.
    pub live: Option<LiveRules>,
    /// What the tenant's files hold.
    pub offered: OfferedRules,
    /// How rules came to be live, newest first. For all flows together only the latest.
    pub history: Vec<ActivationRow>,
}

/// Rules that are live.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LiveRules {
    /// How they came to be live: guest, version, digests.
    pub activation: ActivationRow,
    /// The form's fields the guest reads; none where the component cannot be loaded now, or for all flows together.
    pub fields: Vec<String>,
}

/// What a tenant's files hold, beside what is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Offers {
    /// The rules that are live.
    Live,
    /// Others, and the next run tries them and makes them live.
    New,
    /// Others, and a person went back or brought rules from elsewhere since: what is live stays until the files change.
    PassedOver,
    /// They cannot be read.
    Unreadable,
}

/// What a tenant's files hold.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OfferedRules {
    /// Beside what is live.
    pub is: Offers,
    /// Digest of component and rules file together.
    pub rules: Option<Digest>,
    /// Digest of the component.
    pub component: Option<Digest>,
    /// The component's file.
    pub component_file: String,
    /// The rules file.
    pub rules_file: Option<String>,
    /// Why they cannot be read.
    #[schema(value_type = Option<Object>)]
    pub failure: Option<Failure>,
}

/// Which rules are compared with the live ones.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct DifferenceAsked {
    /// Rules that were live once: a number, or a digest or its beginning. Not given: what the tenant's files hold.
    #[serde(deserialize_with = "unless_empty")]
    pub to: Option<String>,
    /// On so many records, spread evenly; not given: 2000.
    #[serde(deserialize_with = "unless_empty")]
    pub sample: Option<u64>,
    /// With numbers and addresses in full: for an operator, and written down.
    #[serde(deserialize_with = "ticked")]
    pub reveal: bool,
}

/// What rules would change.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DifferenceView {
    /// What is live.
    pub live: ActivationRow,
    /// Digest of the other rules.
    pub rules: Digest,
    /// What came of trying them.
    pub trial: Trial,
    /// Records decided differently, the first 200.
    pub differences: Vec<Difference>,
    /// There are more.
    pub more: bool,
    /// So much change needs an approval.
    pub needs_approval: bool,
    /// The rules files, line by line as a unified difference; empty where they are the same. Secrets are never in one.
    pub rules_file: String,
    /// Numbers and addresses are in full.
    pub revealed: bool,
}

/// The rules of every flow.
pub async fn guests(process: &Process) -> Result<GuestOverview, Failure> {
    let _ = process;
    Err(super::unfinished())
}

/// The rules of a flow, and its history.
pub async fn guest(process: &Process, tenant: &TenantId, flow: &FlowId) -> Result<FlowGuestView, Failure> {
    let _ = (process, tenant, flow);
    Err(super::unfinished())
}

/// What rules would change, beside those that are live.
pub async fn guest_difference(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    flow: &FlowId,
    asked: &DifferenceAsked,
) -> Result<DifferenceView, Failure> {
    let _ = (process, visitor, tenant, flow, asked);
    Err(super::unfinished())
}
