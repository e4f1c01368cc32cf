//! The HTTP server: one address for pages, API, pushes, health checks and metrics.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::net::TcpListener;

use super::state::AppState;
use super::{api, auth, connections, pages, telemetry, turns, webhooks};

/// All routes. Pages, API and metrics require access; services show a signature instead, and health checks are open to
/// everyone.
pub fn router(state: Arc<AppState>) -> Router {
    let looked_at = api::routes().merge(pages::routes());
    let looked_at = looked_at.layer(from_fn_with_state(turns::Turns::default(), turns::in_turn));
    let inside = looked_at.merge(auth::routes()).merge(telemetry::metrics_routes());
    auth::layer(inside, &state)
        .merge(webhooks::routes())
        .merge(telemetry::health_routes())
        .layer(from_fn(connections::in_time))
        .layer(from_fn(auth::keep_safe))
        .layer(from_fn(telemetry::count_requests))
        .with_state(state)
}

/// Answers until the process is to end.
pub(super) async fn answer(state: Arc<AppState>, listener: TcpListener) {
    let room = connections::room();
    state.streams.held_to(room / 2);
    let (clock, quit) = (Arc::clone(&state.app.clock), state.quit.clone());
    tracing::info!(server.connections = room, "connections are taken");
    connections::answer(router(state), listener, room, clock, quit).await;
}
