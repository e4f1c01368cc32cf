//! Making other rules live.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::failure::Failure;
use crate::model::{Digest, FlowId, TenantId};
use crate::serve::Process;
use crate::serve::access::Visitor;
use crate::store::ActivationRow;

/// Back to rules that were live before.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct RollBackWish {
    /// A number, or a digest or its beginning; not given: those before the present ones.
    pub to: Option<String>,
    /// What for, in their words.
    pub why: Option<String>,
}

/// To what the tenant's files hold.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct ActivateWish {
    /// Digest of the rules that were looked at: if the files hold others by now, nothing is done.
    pub rules: Digest,
    /// Approves of however much changes.
    #[serde(default, deserialize_with = "super::page::ticked")]
    pub approved: bool,
    /// What for, in their words.
    #[serde(default)]
    pub why: Option<String>,
}

/// Makes rules live again that were live before.
pub async fn roll_back(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    flow: &FlowId,
    wish: &RollBackWish,
) -> Result<ActivationRow, Failure> {
    let _ = (process, visitor, tenant, flow, wish);
    Err(super::unfinished())
}

/// Makes the rules live that the tenant's files hold.
pub async fn activate(
    process: &Process,
    visitor: &Visitor,
    tenant: &TenantId,
    flow: &FlowId,
    wish: &ActivateWish,
) -> Result<ActivationRow, Failure> {
    let _ = (process, visitor, tenant, flow, wish);
    Err(super::unfinished())
}
