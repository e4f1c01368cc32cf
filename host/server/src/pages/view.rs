//! The context a page is rendered for: caller, language, address and time.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::flash::Flash;
use crate::auth::csrf::CsrfToken;
use crate::state::AppState;
use ruzhi_app::Principal;
use ruzhi_config::{self as config, Role};
use ruzhi_model::{FlowId, Label, Lang, TenantId};

/// A tenant's display name and time zone.
#[derive(Debug, Clone)]
pub(super) struct TenantPlace {
    /// Its display name.
    pub(super) name: String,
    /// The time zone in which its times are shown.
    pub(super) zone: Tz,
    /// Its flows.
    pub(super) flows: Vec<FlowId>,
}

/// The context a page is rendered for.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// The caller.
    pub(super) principal: Principal,
    /// The token that a form has to bring back; none for a caller without a session.
    pub(super) csrf: Option<String>,
    /// The time of the request.
    pub(super) now: DateTime<Utc>,
    /// The page's own path and query.
    pub(super) here: String,
    /// The result of the caller's last action.
    pub(super) flash: Option<Flash>,
    /// Number of active alerts.
    pub(super) alerts: usize,
    /// The tenants, by id.
    pub(super) places: Arc<BTreeMap<TenantId, TenantPlace>>,
}

impl View {
    /// The language.
    pub(super) fn lang(&self) -> Lang {
        self.principal.lang
    }

    /// Chooses the wording in the caller's language.
    pub(super) fn say<'a>(&self, en: &'a str, zh: &'a str) -> &'a str {
        if self.lang() == Lang::Zh { zh } else { en }
    }

    /// Chooses the word in the caller's language.
    pub(super) fn word(&self, label: Label) -> &'static str {
        label.in_lang(self.lang())
    }

    /// Chooses the composed sentence in the caller's language.
    pub(super) fn tell(&self, en: String, zh: String) -> String {
        if self.lang() == Lang::Zh { zh } else { en }
    }

    /// Returns true if the caller may make changes. Others are offered no actions; an attempt is denied all the same.
    pub(super) fn operates(&self) -> bool {
        self.principal.role == Role::Operator
    }

    /// Builds an address on this server from path segments and query parameters, percent-encoded. Parameters without a
    /// value are left out.
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

    /// The display name of a tenant.
    pub(super) fn name<'a>(&'a self, tenant: &'a TenantId) -> &'a str {
        self.places.get(tenant).map_or(tenant.as_str(), |place| &place.name)
    }

    /// The time zone of a tenant; UTC for one that is gone.
    pub(super) fn zone(&self, tenant: &TenantId) -> Tz {
        self.places.get(tenant).map_or(Tz::UTC, |place| place.zone)
    }

    /// The time zone for items without a tenant: the one all tenants share, or else UTC.
    pub(super) fn common_zone(&self) -> Tz {
        let mut zones = self.places.values().map(|place| place.zone);
        let first = zones.next().unwrap_or(Tz::UTC);
        if zones.all(|zone| zone == first) { first } else { Tz::UTC }
    }
}

impl FromRequestParts<Arc<AppState>> for View {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Response> {
        let Some(principal) = parts.extensions.get::<Principal>().cloned() else {
            // The pages are mounted without authentication.
            return Err(StatusCode::UNAUTHORIZED.into_response());
        };
        let csrf = parts.extensions.get::<CsrfToken>().and_then(|token| token.0.clone());
        let here = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let deployment = state.app.deployment();
        let place = |tenant: &config::TenantConfig| TenantPlace {
            name: tenant.name.clone(),
            zone: tenant.timezone,
            flows: tenant.flows.iter().map(|flow| flow.id.clone()).collect(),
        };
        let places = deployment.config.tenants.iter().map(|tenant| (tenant.id.clone(), place(tenant)));
        Ok(Self {
            flash: Flash::of(&parts.headers),
            now: state.app.clock.now(),
            here,
            alerts: state.alerts.active().len(),
            places: Arc::new(places.collect()),
            principal,
            csrf,
        })
    }
}

/// Percent-encodes a text for use in an address.
fn utf8_percent_encode(text: &str) -> impl Iterator<Item = String> + '_ {
    text.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'.') {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    })
}
