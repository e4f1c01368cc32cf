//! A flow and what its rules depend on.

use ruzhi_guest_runtime::ComponentRegistry;
use ruzhi_model::{ChangeLimit, Clock, Context, Digest, FlowId, TenantId};
use ruzhi_store::Database;
use ruzhi_sync::{FormFields, context};

/// A flow and its rules.
pub struct FlowRules<'a> {
    /// The store.
    pub store: &'a Database,
    /// The components of the process.
    pub registry: &'a ComponentRegistry,
    /// The source of the current time.
    pub clock: &'a dyn Clock,
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The flow.
    pub flow: &'a FlowId,
    /// The tenant's time zone, an IANA name.
    pub timezone: &'a str,
    /// The digest that the component must have according to the tenant's file.
    pub pin: Option<&'a Digest>,
    /// The changes allowed without a person's approval.
    pub limit: ChangeLimit,
    /// The form, if it can be asked for the fields that new rules read.
    pub form: Option<&'a FormFields>,
}

impl FlowRules<'_> {
    /// The moment and the time zone that the rules are given.
    pub(super) fn context(&self) -> Context {
        context(self.clock.now(), self.timezone)
    }
}
