//! The receivers of alerts: the channels of each tenant, and its display name.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::state::Channel;
use ruzhi_config::{AlertSettings, Config};
use ruzhi_model::{Digest, FlowId, Lang, TenantId};
use ruzhi_store::AlertRow;

/// The kind of service that takes the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReceiverKind {
    /// A WeCom group robot.
    Robot,
    /// Any address that takes JSON.
    Url,
}

impl ReceiverKind {
    /// Its name in metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Robot => "robot",
            Self::Url => "url",
        }
    }
}

/// One address of one receiver. Its text contains the key, so it is a secret.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) channel: Channel,
    pub(super) taker: ReceiverKind,
    pub(super) url: SecretString,
    /// None means both languages.
    pub(super) lang: Option<Lang>,
}

/// A tenant, as named in messages.
#[derive(Debug, Clone)]
pub(super) struct AlertTenant {
    pub(super) name: String,
    pub(super) zone: Tz,
    flows: BTreeSet<FlowId>,
    alerts: Option<AlertSettings>,
}

/// The receivers of each alert: the part of a configuration that the alerts need.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    host: AlertSettings,
    tenants: BTreeMap<TenantId, AlertTenant>,
    pages: Option<Url>,
}

impl Addresses {
    /// The addresses in a configuration.
    pub(super) fn of(config: &Config) -> Self {
        let called = |tenant: &ruzhi_config::TenantConfig| AlertTenant {
            name: tenant.name.clone(),
            zone: tenant.timezone,
            flows: tenant.flows.iter().map(|flow| flow.id.clone()).collect(),
            alerts: tenant.alerts.clone(),
        };
        Self {
            host: config.alerts.clone(),
            tenants: config.tenants.iter().map(|tenant| (tenant.id.clone(), called(tenant))).collect(),
            pages: config.server.url.clone(),
        }
    }

    /// The channels of an alert: its tenant's own, or else the host's.
    pub(super) fn for_alert(&self, alert: &AlertRow) -> Vec<Address> {
        let own = alert.tenant.as_ref().and_then(|tenant| self.tenants.get(tenant)?.alerts.as_ref());
        addresses(own.unwrap_or(&self.host))
    }

    /// All channels.
    pub(super) fn channels(&self) -> BTreeSet<Channel> {
        let own = self.tenants.values().filter_map(|tenant| tenant.alerts.as_ref());
        own.chain([&self.host]).flat_map(addresses).map(|address| address.channel).collect()
    }

    /// True if the subject of the alert is still configured.
    pub(super) fn knows(&self, alert: &AlertRow) -> bool {
        let Some(tenant) = &alert.tenant else { return true };
        self.tenants
            .get(tenant)
            .is_some_and(|known| alert.flow.as_ref().is_none_or(|flow| known.flows.contains(flow)))
    }

    pub(super) fn called(&self, tenant: &TenantId) -> Option<&AlertTenant> {
        self.tenants.get(tenant)
    }

    /// The page with details of an alert, if the address of the pages is known.
    pub(super) fn link(&self, alert: &AlertRow) -> Option<String> {
        let pages = self.pages.as_ref()?.as_str().trim_end_matches('/');
        Some(format!("{pages}{}", alert.page.as_deref().unwrap_or("/alerts")))
    }

    /// The page with every alert.
    pub(super) fn all_alerts(&self) -> Option<String> {
        Some(format!("{}/alerts", self.pages.as_ref()?.as_str().trim_end_matches('/')))
    }
}

#[cfg(test)]
impl Addresses {
    /// For a deployment whose tenants have no receivers of their own and whose flows all exist.
    pub(super) fn of_host(host: AlertSettings) -> Self {
        Self { host, ..Self::default() }
    }

    /// The same tenants, with these receivers.
    pub(super) fn told_to(self, host: AlertSettings) -> Self {
        Self { host, ..self }
    }

    /// For a deployment with one tenant and pages.
    pub(super) fn for_tests(pages: &str, tenant: &str, name: &str, flow: &str) -> Self {
        let called = AlertTenant {
            name: name.to_owned(),
            zone: chrono_tz::Asia::Shanghai,
            flows: flow.parse().into_iter().collect(),
            alerts: None,
        };
        Self {
            host: AlertSettings::default(),
            tenants: tenant.parse().into_iter().map(|tenant| (tenant, called.clone())).collect(),
            pages: pages.parse().ok(),
        }
    }
}

fn addresses(settings: &AlertSettings) -> Vec<Address> {
    let address = |taker, url: &Option<SecretString>| {
        let url = url.clone()?;
        let channel = Digest::of(url.expose_secret());
        Some(Address { channel, taker, url, lang: settings.lang })
    };
    [address(ReceiverKind::Robot, &settings.robot), address(ReceiverKind::Url, &settings.url)]
        .into_iter()
        .flatten()
        .collect()
}
