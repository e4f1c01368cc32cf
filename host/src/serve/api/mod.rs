//! Everything the pages do, as JSON.

pub fn routes() -> axum::Router<std::sync::Arc<super::Process>> {
    axum::Router::new()
}
