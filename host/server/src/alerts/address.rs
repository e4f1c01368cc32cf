//! The receivers of alarms: the channels of each tenant, and its display name.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use super::state::Channel;
use ruzhi_config::{AlarmSettings, Config};
use ruzhi_model::{Digest, FlowId, Lang, TenantId};
use ruzhi_store::AlarmRow;

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
pub(super) struct AlarmTenant {
    pub(super) name: String,
    pub(super) zone: Tz,
    flows: BTreeSet<FlowId>,
    alarms: Option<AlarmSettings>,
}

/// The receivers of each alarm: the part of a configuration that the alarms need.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    host: AlarmSettings,
    tenants: BTreeMap<TenantId, AlarmTenant>,
    pages: Option<Url>,
}

impl Addresses {
    /// The addresses in a configuration.
    pub(super) fn of(config: &Config) -> Self {
        let called = |tenant: &ruzhi_config::TenantConfig| AlarmTenant {
            name: tenant.name.clone(),
            zone: tenant.timezone,
            flows: tenant.flows.iter().map(|flow| flow.id.clone()).collect(),
            alarms: tenant.alarms.clone(),
        };
        Self {
            host: config.alarms.clone(),
            tenants: config.tenants.iter().map(|tenant| (tenant.id.clone(), called(tenant))).collect(),
            pages: config.server.url.clone(),
        }
    }

    /// The channels of an alarm: its tenant's own, or else the host's.
    pub(super) fn for_alarm(&self, alarm: &AlarmRow) -> Vec<Address> {
        let own = alarm.tenant.as_ref().and_then(|tenant| self.tenants.get(tenant)?.alarms.as_ref());
        addresses(own.unwrap_or(&self.host))
    }

    /// All channels.
    pub(super) fn channels(&self) -> BTreeSet<Channel> {
        let own = self.tenants.values().filter_map(|tenant| tenant.alarms.as_ref());
        own.chain([&self.host]).flat_map(addresses).map(|address| address.channel).collect()
    }

    /// True if the subject of the alarm is still configured.
    pub(super) fn knows(&self, alarm: &AlarmRow) -> bool {
        let Some(tenant) = &alarm.tenant else { return true };
        self.tenants
            .get(tenant)
            .is_some_and(|known| alarm.flow.as_ref().is_none_or(|flow| known.flows.contains(flow)))
    }

    pub(super) fn called(&self, tenant: &TenantId) -> Option<&AlarmTenant> {
        self.tenants.get(tenant)
    }

    /// The page with details of an alarm, if the address of the pages is known.
    pub(super) fn link(&self, alarm: &AlarmRow) -> Option<String> {
        let pages = self.pages.as_ref()?.as_str().trim_end_matches('/');
        Some(format!("{pages}{}", alarm.page.as_deref().unwrap_or("/alarms")))
    }

    /// The page with every alarm.
    pub(super) fn all_alarms(&self) -> Option<String> {
        Some(format!("{}/alarms", self.pages.as_ref()?.as_str().trim_end_matches('/')))
    }
}

#[cfg(test)]
impl Addresses {
    /// For a deployment whose tenants have no receivers of their own and whose flows all exist.
    pub(super) fn of_host(host: AlarmSettings) -> Self {
        Self { host, ..Self::default() }
    }

    /// The same tenants, with these receivers.
    pub(super) fn told_to(self, host: AlarmSettings) -> Self {
        Self { host, ..self }
    }

    /// For a deployment with one tenant and pages.
    pub(super) fn for_tests(pages: &str, tenant: &str, name: &str, flow: &str) -> Self {
        let called = AlarmTenant {
            name: name.to_owned(),
            zone: chrono_tz::Asia::Shanghai,
            flows: flow.parse().into_iter().collect(),
            alarms: None,
        };
        Self {
            host: AlarmSettings::default(),
            tenants: tenant.parse().into_iter().map(|tenant| (tenant, called.clone())).collect(),
            pages: pages.parse().ok(),
        }
    }
}

fn addresses(settings: &AlarmSettings) -> Vec<Address> {
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
