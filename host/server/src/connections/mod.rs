//! Connections: how many there are at the same time, whose they are, and how long each may take.
//!
//! Whoever connects has shown nothing yet, so what a connection costs is bounded before anything is read. *Number*: the
//! process keeps a part of its open files for the store, the services and its own files; the rest are places for
//! connections ([`descriptors`]). *Giving way*: where all places are taken, the connection gives way that has waited for
//! longest without a whole request, of the address that has most of them ([`places`]). So slow ones never keep a quick
//! one out, neither of another address nor of their own, which behind a proxy is everybody's. *Time*: a head has
//! [`HEAD`], a body [`arrival::LONGEST`], and a reader who takes nothing of an answer has [`READING`]. *Memory*: a head
//! has [`LARGEST_HEAD`].
//!
//! HTTP/1.1 alone is spoken. A second protocol that nobody asked for would be a second set of limits.

mod arrival;
mod descriptors;
mod places;
mod watched;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

pub(super) use arrival::in_time;
use places::{Place, Places};
use watched::Watched;

use super::warnings::Warnings;
use ruzhi_files::open_files;
use ruzhi_model::Clock;

/// The head of a request has this long to arrive, and so has the next request of a connection.
const HEAD: Duration = Duration::from_secs(10);
/// A head larger than this is refused; so is the memory a connection has for what it reads and writes bounded.
const LARGEST_HEAD: usize = 16 << 10;
/// A reader who takes nothing of an answer for this long is gone.
const READING: Duration = Duration::from_secs(30);
/// How long answers under way are waited for once the process is to end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// Between two attempts where no connection can be taken.
const BREATH: Duration = Duration::from_millis(100);

/// How many connections there may be at the same time. The limit on open files is raised as far as it may be.
pub(super) fn room() -> usize {
    descriptors::room()
}

/// Answers connections, so many at the same time, until the process is to end.
pub(super) async fn answer(
    router: Router,
    listener: TcpListener,
    room: usize,
    clock: Arc<dyn Clock>,
    quit: CancellationToken,
) {
    let service = TowerToHyperService::new(router);
    let places = Places::new(room);
    let refusals = Warnings::default();
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = quit.cancelled() => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_the_peer(&error) => continue,
            Err(error) => {
                cannot_accept(&error, &refusals, clock.as_ref());
                // One that gives way gives its file back.
                places.make_room();
                sleep(BREATH).await;
                continue;
            }
        };
        let place = tokio::select! {
            biased;
            () = quit.cancelled() => break,
            place = places.take(peer.ip()) => place,
        };
        open.spawn(keep(stream, peer, place, service.clone(), quit.clone()));
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    // A page that follows a run would be followed for ever, and a slow one for as long as it likes.
    if tokio::time::timeout(LAST_ANSWERS, ended).await.is_err() {
        open.shutdown().await;
    }
}

/// Answers one connection until it ends, gives way, or the process is to end.
async fn keep(
    stream: TcpStream,
    peer: SocketAddr,
    place: Arc<Place>,
    service: TowerToHyperService<Router>,
    quit: CancellationToken,
) {
    // What is small is sent at once. A connection for which that cannot be said is answered all the same.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(READING));
    let asked = Arc::clone(&place);
    let answering = service_fn(move |request: Request<Incoming>| {
        let (place, service) = (Arc::clone(&asked), service.clone());
        async move { Ok::<_, Infallible>(asking(request, peer, place, service).await) }
    });
    let connection = speaking().serve_connection(TokioIo::new(Box::pin(stream)), answering);
    tokio::pin!(connection);
    let mut ending = false;
    loop {
        tokio::select! {
            biased;
            () = place.is_to_go() => return,
            () = quit.cancelled(), if !ending => {
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
            // How it ended is the sender's matter.
            _ = connection.as_mut() => return,
        }
    }
}

/// How a connection is spoken with.
fn speaking() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(LARGEST_HEAD);
    builder
}

/// Answers one request, and lets the connection's place know how far it is.
async fn asking(
    request: Request<Incoming>,
    peer: SocketAddr,
    place: Arc<Place>,
    service: TowerToHyperService<Router>,
) -> Response<Body> {
    let mut request = request.map(|body| Watched::arriving(Body::new(body), &place));
    request.extensions_mut().insert(ConnectInfo(peer));
    match service.call(request).await {
        Ok(response) => response.map(|body| Body::new(Watched::leaving(body, &place))),
        Err(never) => match never {},
    }
}

/// Whether a connection ended before it was taken.
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

fn cannot_accept(error: &io::Error, refusals: &Warnings, clock: &dyn Clock) {
    let Some(unsaid) = refusals.say(clock.now()) else { return };
    if open_files::are_too_many(error) {
        tracing::error!(unsaid, "no connection can be taken: {}", open_files::advice().en);
    } else {
        tracing::error!(unsaid, %error, "no connection can be taken: {error}");
    }
}

#[cfg(test)]
mod tests;
