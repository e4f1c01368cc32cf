//! Work on what is stored, away from the threads that answer everybody.

use ruzhi_message::Failure;

/// Does work that grows with the texts in the store on a thread of its own. There are as few threads that answer as cores:
/// a search through ten thousand rows on one of them would keep health checks, pushes and signals waiting.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::io("put the answer together", "整理应答内容", &error))
}
