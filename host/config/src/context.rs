//! Input needed beside a tenant's file.

use std::path::Path;

use super::secret::SecretSource;
use super::settings::{Checks, Guard};
use ruzhi_model::TenantId;

/// Input needed beside the tenant's file.
pub(super) struct TenantContext<'a> {
    pub(super) id: Option<TenantId>,
    pub(super) path: &'a Path,
    pub(super) ceiling: Guard,
    pub(super) secrets: &'a dyn SecretSource,
    pub(super) checks: &'a Checks,
}

impl TenantContext<'_> {
    /// The name that a message suggests for a tenant's variable.
    pub(super) fn variable(&self, what: &str) -> String {
        variable(self.id.as_ref().map_or("TENANT", TenantId::as_str), what)
    }
}

/// The environment variable suggested for a tenant's secret.
pub fn variable(tenant: &str, what: &str) -> String {
    let id = tenant.to_uppercase().replace('-', "_");
    let first = if id.starts_with(|c: char| c.is_ascii_digit()) { "T_" } else { "" };
    format!("{first}{id}_{what}")
}
