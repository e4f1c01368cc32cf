//! The pages: functions that give HTML.

pub fn routes() -> axum::Router<std::sync::Arc<super::Process>> {
    axum::Router::new()
}
