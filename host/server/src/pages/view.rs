//! Who looks, in which language, from where, and when: what every page is drawn for.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::flash::Flash;
use super::trouble;
use crate::Process;
use crate::access::Visitor;
use ruzhi_config::{self as config, Role};
use ruzhi_model::{FlowId, Lang, TenantId};

/// What a tenant is called, and where it is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What people call it.
    pub(super) name: String,
    /// In which its times are shown.
    pub(super) zone: Tz,
    /// Its flows.
    pub(super) flows: Vec<FlowId>,
}

/// What a page is drawn for.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Who looks.
    pub(super) visitor: Visitor,
    /// When.
    pub(super) now: DateTime<Utc>,
    /// The page's own path and query.
    pub(super) here: String,
    /// What came of what they did just before.
    pub(super) flash: Option<Flash>,
    /// Alarms that stand.
    pub(super) alarms: usize,
    /// The tenants, by id.
    pub(super) places: Arc<BTreeMap<TenantId, Place>>,
}

impl View {
    /// The language.
    pub(super) fn lang(&self) -> Lang {
        self.visitor.lang
    }

    /// One of two wordings.
    pub(super) fn say<'a>(&self, en: &'a str, zh: &'a str) -> &'a str {
        if self.lang() == Lang::Zh { zh } else { en }
    }

    /// One of two sentences that were put together.
    pub(super) fn tell(&self, en: String, zh: String) -> String {
        if self.lang() == Lang::Zh { zh } else { en }
    }

    /// Whether they may change something. What they may not is not offered, and is refused all the same.
    pub(super) fn operates(&self) -> bool {
        self.visitor.role == Role::Operator
    }

    /// A page of this server: its segments and its query, each spelled as an address has them. A query of nothing is left
    /// out.
    pub(super) fn address<'a>(
        segments: impl IntoIterator<Item = &'a str>,
        query: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> String {
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            path.extend(utf8_percent_encode(segment));
        }
        if path.is_empty() {
            path.push('/');
        }
        for (at, (name, value)) in
            query.into_iter().filter_map(|(name, value)| Some((name, value?))).enumerate()
        {
            path.push(if at == 0 { '?' } else { '&' });
            path.push_str(name);
            path.push('=');
            path.extend(utf8_percent_encode(value));
        }
        path
    }

    /// What people call a tenant.
    pub(super) fn name<'a>(&'a self, tenant: &'a TenantId) -> &'a str {
        self.places.get(tenant).map_or(tenant.as_str(), |place| &place.name)
    }

    /// Where a tenant is; UTC for one that is gone.
    pub(super) fn zone(&self, tenant: &TenantId) -> Tz {
        self.places.get(tenant).map_or(Tz::UTC, |place| place.zone)
    }

    /// The zone of what belongs to no tenant: that of all of them, if they share one.
    pub(super) fn common_zone(&self) -> Tz {
        let mut zones = self.places.values().map(|place| place.zone);
        let first = zones.next().unwrap_or(Tz::UTC);
        if zones.all(|zone| zone == first) { first } else { Tz::UTC }
    }
}

impl FromRequestParts<Arc<Process>> for View {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, process: &Arc<Process>) -> Result<Self, Response> {
        let Some(visitor) = parts.extensions.get::<Visitor>().cloned() else {
            return Err(trouble::nobody());
        };
        let here = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let deployment = process.deployment();
        let place = |tenant: &config::Tenant| Place {
            name: tenant.name.clone(),
            zone: tenant.timezone,
            flows: tenant.flows.iter().map(|flow| flow.id.clone()).collect(),
        };
        let places = deployment.config.tenants.iter().map(|tenant| (tenant.id.clone(), place(tenant)));
        Ok(Self {
            flash: Flash::of(&parts.headers),
            now: process.clock.now(),
            here,
            alarms: process.alarms.standing().len(),
            places: Arc::new(places.collect()),
            visitor,
        })
    }
}

/// A text as a part of an address: what is not plainly part of one is written by its bytes.
fn utf8_percent_encode(text: &str) -> impl Iterator<Item = String> + '_ {
    text.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'.') {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    })
}
