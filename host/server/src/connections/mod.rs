//! Connections: their number, their addresses, and the time each may take.
//!
//! A client is not authenticated when it connects, so the cost of a connection is bounded before anything is read.
//! *Number*: the process keeps a part of its open files for the store, the services and its own files; the rest are
//! places for connections ([`descriptors`]). *Giving way*: when all places are taken, the connection gives way that has
//! waited longest without a whole request, of the address with the most of them ([`places`]). So slow ones never keep a
//! quick one out, neither of another address nor of their own, which behind a proxy is shared by everyone. *Time*: a
//! head has [`HEAD`], a body [`arrival::LONGEST`], and a reader who takes nothing of an answer has [`READING`].
//! *Memory*: a head has [`LARGEST_HEAD`].
//!
//! The same holds for commands on this machine, which come through a [`Listener`] of their own.
//!
//! Only HTTP/1.1 is supported. A second, unneeded protocol would mean a second set of limits.

mod arrival;
mod body_watch;
mod descriptors;
mod slots;

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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

pub(super) use arrival::in_time;
use body_watch::BodyWatch;
use slots::{ConnectionSlot, ConnectionSlots};

use super::warnings::Warnings;
use ruzhi_files::open_files;
use ruzhi_model::Clock;

/// Time for the head of a request to arrive, also for the next request of a connection.
const HEAD: Duration = Duration::from_secs(10);
/// The largest head. It also bounds a connection's memory for reading and writing.
const LARGEST_HEAD: usize = 16 << 10;
/// A reader who takes nothing of an answer for this long is gone.
const READING: Duration = Duration::from_secs(30);
/// Longest wait for answers under way once the process is to end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// Pause between attempts while no connection can be accepted.
const BREATH: Duration = Duration::from_millis(100);

/// A socket that connections arrive at.
pub(super) trait Listener: Send + Sync + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Send + 'static;

    /// The next connection, and the address it counts for.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = Self::accept(self).await?;
        // Sends small answers at once. A connection that does not support this is still answered.
        let _ = stream.set_nodelay(true);
        Ok((stream, peer))
    }
}

/// The most connections at the same time. Raises the limit on open files as far as allowed.
pub(super) fn room() -> usize {
    descriptors::room()
}

/// Answers up to `room` connections at the same time, until the process is to end.
pub(super) async fn answer(
    router: Router,
    listener: impl Listener,
    room: usize,
    clock: Arc<dyn Clock>,
    quit: CancellationToken,
) {
    let service = TowerToHyperService::new(router);
    let places = ConnectionSlots::new(room);
    let warnings = Warnings::default();
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
                cannot_accept(&error, &warnings, clock.as_ref());
                // A connection that gives way returns its file descriptor.
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
    // A page that follows a run would be followed for ever, and a slow client takes as long as it likes.
    if tokio::time::timeout(LAST_ANSWERS, ended).await.is_err() {
        open.shutdown().await;
    }
}

/// Answers one connection until it ends, gives way, or the process is to end.
async fn keep(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    peer: SocketAddr,
    place: Arc<ConnectionSlot>,
    service: TowerToHyperService<Router>,
    quit: CancellationToken,
) {
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
            // The client's errors are of no concern here.
            _ = connection.as_mut() => return,
        }
    }
}

/// The settings of HTTP connections.
fn speaking() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(LARGEST_HEAD);
    builder
}

/// Answers one request, and reports its progress to the connection's place.
async fn asking(
    request: Request<Incoming>,
    peer: SocketAddr,
    place: Arc<ConnectionSlot>,
    service: TowerToHyperService<Router>,
) -> Response<Body> {
    let mut request = request.map(|body| BodyWatch::arriving(Body::new(body), &place));
    request.extensions_mut().insert(ConnectInfo(peer));
    match service.call(request).await {
        Ok(response) => response.map(|body| Body::new(BodyWatch::leaving(body, &place))),
        Err(never) => match never {},
    }
}

/// True if a connection ended before it was accepted.
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

fn cannot_accept(error: &io::Error, warnings: &Warnings, clock: &dyn Clock) {
    let Some(unsaid) = warnings.say(clock.now()) else { return };
    if open_files::are_too_many(error) {
        tracing::error!(unsaid, "no connection can be taken: {}", open_files::advice().en);
    } else {
        tracing::error!(unsaid, %error, "no connection can be taken: {error}");
    }
}

#[cfg(test)]
mod tests;
