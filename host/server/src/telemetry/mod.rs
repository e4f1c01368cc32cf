//! Endpoints for machines: `/metrics` for Prometheus, `/healthz` and `/readyz` for supervisors and load balancers.
//!
//! Counters and times are kept by a recorder that [`install`] sets up once per process, and recorded through
//! `ruzhi_metrics`. The current state (flows, queue, alerts, store, process) is read on each request and kept nowhere,
//! so that a removed flow disappears here too.

mod health;
mod metrics;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

pub use metrics::{InstallError, count_requests, install};

use super::state::AppState;

/// `/healthz` and `/readyz`: they reveal little more than yes or no, and need no token.
pub fn health_routes() -> Router<Arc<AppState>> {
    Router::new().route("/healthz", get(health::alive)).route("/readyz", get(health::ready))
}

/// `/metrics`: names tenants and flows, so it requires a token wherever one is required.
pub fn metrics_routes() -> Router<Arc<AppState>> {
    metrics::routes()
}

/// All of them.
pub fn routes() -> Router<Arc<AppState>> {
    health_routes().merge(metrics_routes())
}
