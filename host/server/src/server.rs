//! The HTTP server: one address for pages, API, pushes, health checks and metrics.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::net::TcpListener;

use super::process::Process;
use super::{access, api, connections, hooks, pages, signals, turns};

/// All routes. Pages, API and metrics require access; services show a signature instead, and health checks are open to
/// everyone.
pub fn router(process: Arc<Process>) -> Router {
    let looked_at = api::routes().merge(pages::routes());
    let looked_at = looked_at.layer(from_fn_with_state(turns::Turns::default(), turns::in_turn));
    let inside = looked_at.merge(access::routes()).merge(signals::metrics_routes());
    access::layer(inside, &process)
        .merge(hooks::routes())
        .merge(signals::health_routes())
        .layer(from_fn(connections::in_time))
        .layer(from_fn(access::keep_safe))
        .layer(from_fn(signals::count_requests))
        .with_state(process)
}

/// Answers until the process is to end.
pub(super) async fn answer(process: Arc<Process>, listener: TcpListener) {
    let room = connections::room();
    process.streams.held_to(room / 2);
    let (clock, quit) = (Arc::clone(&process.app.clock), process.quit.clone());
    tracing::info!(server.connections = room, "connections are taken");
    connections::answer(router(process), listener, room, clock, quit).await;
}
