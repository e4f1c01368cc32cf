//! Everything the pages do, as JSON, under `/api/v1`.
//!
//! A handler parses the request, calls the use case and writes its answer; it decides nothing. A request that is
//! invalid, finds nothing, is denied or fails is answered `{"error": …}` with a stable code, text in both languages and
//! advice on the next step. The handlers carry their own description, and one list makes the routes and the OpenAPI
//! document; a test compares the document with `docs/reference/openapi.json`.

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
use axum::routing::any;
use utoipa::OpenApi as _;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::state::AppState;
pub use document::document;

/// A route and its description.
type ApiRoute = UtoipaMethodRouter<Arc<AppState>>;

/// The routes, by the tag that groups them in the document.
fn places() -> [(Option<&'static str>, Vec<ApiRoute>); 4] {
    let queries = vec![
        routes!(queries::me),
        routes!(queries::overview),
        routes!(queries::tenant),
        routes!(queries::drift),
        routes!(queries::runs),
        routes!(queries::run),
        routes!(queries::plan),
        routes!(queries::record),
        routes!(queries::flow_rules),
        routes!(queries::difference),
        routes!(queries::removed),
        routes!(queries::quarantine),
        routes!(queries::quarantine_csv),
        routes!(queries::rules),
        routes!(queries::audit),
        routes!(queries::alerts),
        routes!(queries::settings),
        routes!(queries::runs_chart),
        routes!(queries::quarantine_chart),
        routes!(queries::calls_chart),
    ];
    let actions = vec![
        routes!(actions::run_now),
        routes!(actions::retry),
        routes!(actions::pause),
        routes!(actions::resume),
        routes!(actions::approve),
        routes!(actions::apply),
        routes!(actions::reject),
        routes!(actions::removal),
        routes!(actions::activate),
        routes!(actions::rollback),
    ];
    let events = vec![routes!(events::run_events), routes!(events::overview_events)];
    let document = vec![routes!(document::show)];
    [(Some("queries"), queries), (Some("actions"), actions), (Some("events"), events), (None, document)]
}

/// The routes together with the document.
fn described() -> OpenApiRouter<Arc<AppState>> {
    let mut router = OpenApiRouter::with_openapi(document::ApiDocument::openapi());
    for (tag, places) in places() {
        for (schemas, mut paths, there) in places {
            for item in paths.paths.values_mut() {
                for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                    operation.tags = tag.map(|tag| vec![tag.to_owned()]);
                }
            }
            router = router.routes((schemas, paths, there).map(|there| there.fallback(answer::not_so)));
        }
    }
    router
}

/// The API. Access is checked before a request reaches it.
pub fn routes() -> Router<Arc<AppState>> {
    let nothing_else = Router::new().route("/api/{*rest}", any(answer::nowhere));
    nothing_else.merge(described()).route_layer(from_fn(parameters::known_only))
}
