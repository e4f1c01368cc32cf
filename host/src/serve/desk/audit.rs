//! Who changed what, and who asked to see what is masked.

use serde::Deserialize;
use utoipa::IntoParams;

use super::page::{Page, unless_empty};
use crate::failure::Failure;
use crate::model::TenantId;
use crate::serve::Process;
use crate::store::AuditRow;

/// Which part of the audit log.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct AuditAsked {
    /// Of this tenant.
    #[serde(deserialize_with = "unless_empty")]
    #[param(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// The `next` of the part before.
    #[serde(deserialize_with = "unless_empty")]
    pub after: Option<String>,
    /// How many, 50 if not given, 500 at most.
    #[serde(deserialize_with = "unless_empty")]
    pub most: Option<u32>,
}

/// The audit log, newest first.
pub async fn audit(process: &Process, asked: &AuditAsked) -> Result<Page<AuditRow>, Failure> {
    let _ = (process, asked);
    Err(super::unfinished())
}
