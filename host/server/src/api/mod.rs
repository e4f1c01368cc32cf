//! Everything the pages do, as JSON, under `/api/v1`.
//!
//! A handler parses the request, calls the desk and writes its answer; it decides nothing. A request that is invalid,
//! finds nothing, is denied or fails is answered `{"error": …}` with a stable code, text in both languages and advice
//! on the next step. The handlers carry their own description: `document` collects it, and a test compares it with the
//! routes and with `docs/reference/openapi.json`.

mod act;
mod answer;
mod ask;
mod document;
mod events;
mod part;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{any, get, post};

use super::Process;
pub(super) use answer::status;
pub use document::document;

/// A route: its path and methods.
type Place = (&'static str, axum::routing::MethodRouter<Arc<Process>>);

fn places() -> Vec<Place> {
    vec![
        ("/api/v1/me", get(ask::me)),
        ("/api/v1/overview", get(ask::overview)),
        ("/api/v1/tenants/{tenant}", get(ask::tenant)),
        ("/api/v1/tenants/{tenant}/drift", get(ask::drift)),
        ("/api/v1/runs", get(ask::runs)),
        ("/api/v1/runs/{run}", get(ask::run)),
        ("/api/v1/runs/{run}/events", get(events::run_events)),
        ("/api/v1/events", get(events::overview_events)),
        ("/api/v1/tenants/{tenant}/plans/{plan}", get(ask::plan)),
        ("/api/v1/tenants/{tenant}/plans/{plan}/approve", post(act::approve)),
        ("/api/v1/tenants/{tenant}/plans/{plan}/apply", post(act::apply)),
        ("/api/v1/tenants/{tenant}/plans/{plan}/reject", post(act::reject)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/runs", post(act::run_now)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/retry", post(act::retry)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/pause", post(act::pause)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/resume", post(act::resume)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/records/{record}", get(ask::record)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/rules", get(ask::flow_rules)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/rules/difference", get(ask::difference)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/rules/activate", post(act::activate)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/rules/roll-back", post(act::roll_back)),
        ("/api/v1/tenants/{tenant}/members/removed", get(ask::removed)),
        ("/api/v1/tenants/{tenant}/members/{userid}/removal", post(act::removal)),
        ("/api/v1/quarantine", get(ask::quarantine)),
        ("/api/v1/quarantine.csv", get(ask::quarantine_csv)),
        ("/api/v1/rules", get(ask::rules)),
        ("/api/v1/audit", get(ask::audit)),
        ("/api/v1/alarms", get(ask::alarms)),
        ("/api/v1/settings", get(ask::settings)),
        ("/api/v1/charts/runs", get(ask::runs_chart)),
        ("/api/v1/charts/refusals", get(ask::refusals_chart)),
        ("/api/v1/charts/calls", get(ask::calls_chart)),
        ("/api/v1/openapi.json", get(document::show)),
    ]
}

/// The API. Access is checked before a request reaches it.
pub fn routes() -> Router<Arc<Process>> {
    let nothing_else = Router::new().route("/api/{*rest}", any(answer::nowhere));
    places()
        .into_iter()
        .fold(nothing_else, |router, (path, there)| router.route(path, there.fallback(answer::not_so)))
        .route_layer(from_fn(part::known_only))
}

/// The addresses of the API.
#[cfg(test)]
pub(super) fn paths() -> Vec<&'static str> {
    places().into_iter().map(|(path, _)| path).collect()
}
