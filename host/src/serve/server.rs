//! The door: one address for pages, API, pushes and signals.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use tokio::net::TcpListener;

use super::process::Process;
use super::{access, api, hooks, pages, signals};

/// How long answers under way are waited for once the process is to end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Everything that is answered. Pages, API and metrics are for those who may come in; the services show a signature
/// instead, and whether the process is well may be asked by anybody.
pub fn router(process: Arc<Process>) -> Router {
    let inside =
        api::routes().merge(pages::routes()).merge(access::routes()).merge(signals::metrics_routes());
    access::layer(inside, &process)
        .merge(hooks::routes())
        .merge(signals::health_routes())
        .layer(from_fn(access::keep_safe))
        .layer(from_fn(signals::count_requests))
        .with_state(process)
}

/// Answers until the process is to end.
pub(super) async fn answer(process: Arc<Process>, listener: TcpListener) -> std::io::Result<()> {
    let quit = process.quit.clone();
    let service = router(process).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(quit.clone().cancelled_owned());
    let overdue = async {
        quit.cancelled().await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        ended = serving.into_future() => ended,
        // A page that follows a run would be followed for ever.
        () = overdue => Ok(()),
    }
}
