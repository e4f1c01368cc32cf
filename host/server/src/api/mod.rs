//! Everything the pages do, as JSON, under `/api/v1`.
//!
//! A handler parses the request, calls the use case and writes its answer; it decides nothing. A request that is
//! invalid, finds nothing, is denied or fails is answered `{"error": …}` with a stable code, text in both languages and
//! advice on the next step. The handlers carry their own description: `document` collects it, and a test compares it
//! with the routes and with `docs/reference/openapi.json`.

mod actions;
pub(super) mod answer;
mod document;
mod events;
mod extract;
mod parameters;
mod queries;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{any, get, post};

use super::state::AppState;
pub use document::document;

/// A route: its path and methods.
type ApiRoute = (&'static str, axum::routing::MethodRouter<Arc<AppState>>);

fn places() -> Vec<ApiRoute> {
    vec![
        ("/api/v1/me", get(queries::me)),
        ("/api/v1/overview", get(queries::overview)),
        ("/api/v1/tenants/{tenant}", get(queries::tenant)),
        ("/api/v1/tenants/{tenant}/drift", get(queries::drift)),
        ("/api/v1/runs", get(queries::runs)),
        ("/api/v1/runs/{run}", get(queries::run)),
        ("/api/v1/runs/{run}/events", get(events::run_events)),
        ("/api/v1/events", get(events::overview_events)),
        ("/api/v1/tenants/{tenant}/plans/{plan}", get(queries::plan)),
        ("/api/v1/tenants/{tenant}/plans/{plan}/approve", post(actions::approve)),
        ("/api/v1/tenants/{tenant}/plans/{plan}/apply", post(actions::apply)),
        ("/api/v1/tenants/{tenant}/plans/{plan}/reject", post(actions::reject)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/runs", post(actions::run_now)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/retry", post(actions::retry)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/pause", post(actions::pause)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/resume", post(actions::resume)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/records/{record}", get(queries::record)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/rules", get(queries::flow_rules)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/rules/difference", get(queries::difference)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/rules/activate", post(actions::activate)),
        ("/api/v1/tenants/{tenant}/flows/{flow}/rules/rollback", post(actions::rollback)),
        ("/api/v1/tenants/{tenant}/members/removed", get(queries::removed)),
        ("/api/v1/tenants/{tenant}/members/{userid}/removal", post(actions::removal)),
        ("/api/v1/quarantine", get(queries::quarantine)),
        ("/api/v1/quarantine.csv", get(queries::quarantine_csv)),
        ("/api/v1/rules", get(queries::rules)),
        ("/api/v1/audit", get(queries::audit)),
        ("/api/v1/alerts", get(queries::alerts)),
        ("/api/v1/settings", get(queries::settings)),
        ("/api/v1/charts/runs", get(queries::runs_chart)),
        ("/api/v1/charts/quarantine", get(queries::quarantine_chart)),
        ("/api/v1/charts/calls", get(queries::calls_chart)),
        ("/api/v1/openapi.json", get(document::show)),
    ]
}

/// The API. Access is checked before a request reaches it.
pub fn routes() -> Router<Arc<AppState>> {
    let nothing_else = Router::new().route("/api/{*rest}", any(answer::nowhere));
    places()
        .into_iter()
        .fold(nothing_else, |router, (path, there)| router.route(path, there.fallback(answer::not_so)))
        .route_layer(from_fn(parameters::known_only))
}

/// The addresses of the API.
#[cfg(test)]
pub(super) fn paths() -> Vec<&'static str> {
    places().into_iter().map(|(path, _)| path).collect()
}
