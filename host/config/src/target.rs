//! Targets: select the tenants and flows of a command.

use std::path::Path;

use super::settings::{Config, FlowConfig, TenantConfig};
use super::suggest;
use ruzhi_message::Problems;
use ruzhi_model::{TenantId, Text};

/// A target that matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// There is no such tenant.
    #[error("there is no tenant `{name}`")]
    UnknownTenant {
        /// The requested name.
        name: String,
        /// The tenant probably meant.
        nearest: Option<String>,
        /// All tenants.
        known: Vec<String>,
    },
    /// The tenant has no such flow.
    #[error("the tenant `{tenant}` has no flow `{name}`")]
    UnknownFlow {
        /// The tenant.
        tenant: String,
        /// The requested name.
        name: String,
        /// The flow probably meant.
        nearest: Option<String>,
        /// All flows of the tenant.
        known: Vec<String>,
    },
}

impl TargetError {
    /// The problem.
    pub fn text(&self) -> Text {
        let zh = match self {
            Self::UnknownTenant { name, .. } => format!("没有工厂“{name}”"),
            Self::UnknownFlow { tenant, name, .. } => format!("工厂“{tenant}”没有同步流“{name}”"),
        };
        Text::new(self.to_string(), zh)
    }

    /// The correct target; always complete.
    pub fn hint(&self) -> Text {
        let (nearest, known) = match self {
            Self::UnknownTenant { nearest, known, .. } => (nearest.clone(), known.clone()),
            Self::UnknownFlow { tenant, nearest, known, .. } => (
                nearest.as_ref().map(|flow| format!("{tenant}/{flow}")),
                known.iter().map(|flow| format!("{tenant}/{flow}")).collect(),
            ),
        };
        let list = suggest::list(known.iter().map(String::as_str));
        match nearest {
            Some(near) => Text::new(
                format!("did you mean `{near}`? Known: {list}"),
                format!("是否想写 `{near}`？可用：{list}"),
            ),
            None => Text::new(format!("known: {list}"), format!("可用：{list}")),
        }
    }
}

/// Checks whether a target is, or belongs to, a tenant whose file is invalid.
fn is_unusable(target: &str, problems: &Problems) -> bool {
    let tenant = target.split('/').next().unwrap_or(target);
    let file = Path::new("tenants").join(format!("{tenant}.toml"));
    problems.errors_by_file().iter().any(|(wrong, _)| *wrong == file)
}

impl Config {
    /// The flows a target selects in a partially usable configuration: none if the target's own file is invalid.
    pub fn select_usable(
        &self,
        target: Option<&str>,
        problems: Option<&Problems>,
    ) -> Result<Vec<(&TenantConfig, &FlowConfig)>, TargetError> {
        let unusable = target.zip(problems).is_some_and(|(target, problems)| is_unusable(target, problems));
        if unusable { Ok(Vec::new()) } else { self.select(target) }
    }

    /// A tenant by its id.
    pub fn tenant(&self, id: &TenantId) -> Option<&TenantConfig> {
        self.tenants.iter().find(|tenant| tenant.id == *id)
    }

    /// The flows a target selects: `tenant`, `tenant/flow`, or all of them for `None`. At least one; tenants by id,
    /// flows in file order.
    pub fn select(&self, target: Option<&str>) -> Result<Vec<(&TenantConfig, &FlowConfig)>, TargetError> {
        let Some(target) = target else {
            return Ok(self.tenants.iter().flat_map(|t| t.flows.iter().map(move |f| (t, f))).collect());
        };
        let (name, flow) = match target.split_once('/') {
            Some((name, flow)) => (name, Some(flow)),
            None => (target, None),
        };
        let Some(tenant) = self.tenants.iter().find(|tenant| tenant.id.as_str() == name) else {
            let known: Vec<_> = self.tenants.iter().map(|tenant| tenant.id.to_string()).collect();
            let nearest = suggest::nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
            return Err(TargetError::UnknownTenant { name: name.to_owned(), nearest, known });
        };
        let Some(flow) = flow else {
            return Ok(tenant.flows.iter().map(|flow| (tenant, flow)).collect());
        };
        match tenant.flows.iter().find(|known| known.id.as_str() == flow) {
            Some(flow) => Ok(vec![(tenant, flow)]),
            None => {
                let known: Vec<_> = tenant.flows.iter().map(|flow| flow.id.to_string()).collect();
                let nearest = suggest::nearest(flow, known.iter().map(String::as_str)).map(str::to_owned);
                Err(TargetError::UnknownFlow {
                    tenant: tenant.id.to_string(),
                    name: flow.to_owned(),
                    nearest,
                    known,
                })
            }
        }
    }
}
