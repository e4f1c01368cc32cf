//! Limits the answers built at the same time. Each holds its rows in memory, and a large one is half a second of work:
//! two hundred at once would take the memory and the cores that runs need. So they take turns, in order of arrival.
//! Requests that change something do not wait for those that only read, nor do pages for requests that read a tenant's
//! files, which may lie on a disk that does not answer.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::Semaphore;

/// Answers of each kind at the same time.
const ORDINARY: usize = 8;
const LARGE: usize = 2;
const SLOW: usize = 4;

/// A page with more items than this is large.
const MANY: u32 = 100;

/// The requested number of items.
#[derive(Deserialize)]
struct PageSize {
    limit: Option<String>,
}

/// The turns of all reading requests.
#[derive(Clone)]
pub(super) struct Turns {
    ordinary: Arc<Semaphore>,
    large: Arc<Semaphore>,
    slow: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        let of = |count| Arc::new(Semaphore::new(count));
        Self { ordinary: of(ORDINARY), large: of(LARGE), slow: of(SLOW) }
    }
}

impl Turns {
    /// The turns a request waits for; none if its answer is ready or it changes something.
    fn of(&self, method: &Method, uri: &Uri) -> Option<Arc<Semaphore>> {
        let path = uri.path();
        // A route that answers GET also answers HEAD.
        if !matches!(*method, Method::GET | Method::HEAD) || path.starts_with("/assets/") {
            return None;
        }
        let limit =
            Query::<PageSize>::try_from_uri(uri).ok().and_then(|Query(asked)| asked.limit?.parse().ok());
        let turns = if ["/rules", "/settings", "/difference"].iter().any(|part| path.contains(part)) {
            &self.slow
        } else if path.ends_with(".csv") || limit.is_some_and(|limit: u32| limit > MANY) {
            &self.large
        } else {
            &self.ordinary
        };
        Some(Arc::clone(turns))
    }
}

/// Answers a request once it is its turn. A client that stops waiting gives up its turn.
pub(super) async fn in_turn(State(turns): State<Turns>, request: Request, next: Next) -> Response {
    let _turn = match turns.of(request.method(), request.uri()) {
        // The semaphores are never closed.
        Some(turns) => turns.acquire_owned().await.ok(),
        None => None,
    };
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::any;
    use futures::future::join_all;
    use tower::ServiceExt as _;

    use super::*;

    /// The most of twenty such requests answered at the same time.
    async fn at_once(method: Method, uri: &'static str) -> usize {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&most);
        let answer = any(move || async move {
            most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::Relaxed);
        });
        let router =
            Router::new().fallback_service(answer.layer(from_fn_with_state(Turns::default(), in_turn)));
        let requests = (0..20).map(|_| {
            let request = Request::builder().method(method.clone()).uri(uri).body(Body::empty()).unwrap();
            router.clone().oneshot(request)
        });
        for answer in join_all(requests).await {
            assert_eq!(answer.unwrap().status(), 200);
        }
        seen.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn who_looks_takes_turns_and_who_acts_does_not_wait() {
        assert_eq!(at_once(Method::GET, "/quarantine").await, ORDINARY);
        assert_eq!(at_once(Method::GET, "/quarantine?rule=a&limit=50").await, ORDINARY);
        assert_eq!(at_once(Method::GET, "/quarantine?rule=a&limit=500").await, LARGE);
        assert_eq!(at_once(Method::GET, "/quarantine.csv?search=a").await, LARGE);
        assert_eq!(at_once(Method::HEAD, "/quarantine.csv").await, LARGE);
        assert_eq!(at_once(Method::GET, "/quarantine?limit=%35%30%30").await, LARGE);
        assert_eq!(at_once(Method::GET, "/rules/here/onboarding/difference").await, SLOW);
        assert_eq!(at_once(Method::GET, "/assets/ruzhi.css").await, 20);
        assert_eq!(at_once(Method::POST, "/plans/here/one/approve").await, 20);
    }
}
