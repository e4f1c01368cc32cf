//! Heavy work on stored data, off the threads that answer requests.

use ruzhi_message::Report;

/// Runs work that grows with the stored texts on a thread of its own. There are only as many answering threads as
/// cores: a search through ten thousand rows on one of them would delay health checks, pushes and signals.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Report> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Report::io("put the answer together", "整理应答内容", &error))
}
