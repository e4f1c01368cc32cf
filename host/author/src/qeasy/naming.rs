//! The names that a person gives to an import.

use ruzhi_config::is_corp_id;
use ruzhi_model::{FlowId, TenantId};

/// The names of the tenant and its flow, and settings the metadata lacks.
#[derive(Debug, Clone)]
pub struct Naming {
    pub(super) tenant: TenantId,
    pub(super) flow: FlowId,
    pub(super) corp_id: Option<String>,
}

impl Naming {
    /// A tenant with the flow `flow`, without a corp's id.
    pub fn new(tenant: TenantId, flow: FlowId) -> Self {
        Self { tenant, flow, corp_id: None }
    }

    /// Adds the corp's id; `None` if it is not valid.
    pub fn with_corp(self, corp_id: &str) -> Option<Self> {
        is_corp_id(corp_id).then(|| Self { corp_id: Some(corp_id.to_owned()), ..self })
    }
}
