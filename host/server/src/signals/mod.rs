//! What machines read: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever restarts or routes.
//!
//! Counters and times are kept by a recorder that [`install`] puts in place once per process, and told by `meter`. How
//! things stand (flows, queue, alarms, store, process) is asked when somebody looks and kept nowhere, so that a flow that
//! is gone is gone here too.

mod health;
mod metrics;
mod pulse;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

pub use metrics::{InstallError, count_requests, install};
pub use pulse::Pulse;

use super::process::Process;

/// `/healthz` and `/readyz`: they tell no more than whether, and ask for no token.
pub fn health_routes() -> Router<Arc<Process>> {
    Router::new().route("/healthz", get(health::alive)).route("/readyz", get(health::ready))
}

/// `/metrics`: names tenants and flows, so it stands behind the token wherever one is asked for.
pub fn metrics_routes() -> Router<Arc<Process>> {
    metrics::routes()
}

/// All of them.
pub fn routes() -> Router<Arc<Process>> {
    health_routes().merge(metrics_routes())
}
