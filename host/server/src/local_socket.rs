//! The socket beside the store, through which commands on this machine ask the running process.
//!
//! It serves the API of the network address. The kernel names the user of each caller: only the user of this process
//! and root are answered, who could stop the process and open the store themselves. So no token is needed, and such a
//! caller is an operator. The audit log has the name that the command gives, as for a command that runs by itself.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tokio::net::{UnixListener, UnixStream};

use crate::auth::csrf::CsrfToken;
use crate::connections::Listener;
use crate::state::AppState;
use crate::{api, connections, turns};
use ruzhi_app::Principal;
use ruzhi_config::Role;
use ruzhi_message::sanitize;
use ruzhi_model::Lang;

/// The header with the name of the person at the terminal.
pub const USER_HEADER: &str = "x-ruzhi-user";

/// Connections at the same time. A command has a few.
const MOST: usize = 32;

/// The address that all commands count for.
const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A command waits this long for its run to begin: runs of the same corp go first.
const PATIENCE: Duration = Duration::from_secs(600);

/// The socket of a store, as an address short enough for the kernel: it takes about a hundred bytes, and the store's
/// folder may have more.
#[derive(Debug)]
pub struct LocalSocket {
    /// Keeps the address valid.
    folder: std::fs::File,
    name: String,
}

impl LocalSocket {
    /// The socket beside the store in the file `store`, which need not be there.
    ///
    /// # Errors
    /// If the store's folder cannot be opened, or the file's name is not text.
    pub fn beside(store: &Path) -> io::Result<Self> {
        let name = store.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
        let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = std::fs::File::open(folder.unwrap_or_else(|| Path::new(".")))?;
        Ok(Self { folder, name: format!("{name}.sock") })
    }

    /// The address, as long as `self` lives.
    pub fn address(&self) -> PathBuf {
        Path::new("/proc/self/fd").join(self.folder.as_raw_fd().to_string()).join(&self.name)
    }

    /// Listens. The caller holds the store, so a socket that is there already is of a process that has ended.
    fn listen(&self) -> io::Result<UnixListener> {
        let address = self.address();
        match std::fs::remove_file(&address) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&address)?;
        std::fs::set_permissions(&address, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    }
}

impl Drop for LocalListener {
    fn drop(&mut self) {
        drop(std::fs::remove_file(self.socket.address()));
    }
}

/// A socket being listened on; removed at the end.
pub struct LocalListener {
    socket: LocalSocket,
    listener: UnixListener,
}

impl LocalListener {
    /// Listens beside the store in the file `store`. Without the socket everything else still works, and commands say
    /// that the store is in use.
    pub fn open(store: &Path) -> Option<Self> {
        let opened = LocalSocket::beside(store).and_then(|socket| {
            let listener = socket.listen()?;
            Ok(Self { socket, listener })
        });
        opened
            .inspect_err(|error| {
                tracing::warn!(%error, "commands cannot ask this process: its local socket cannot be opened");
            })
            .ok()
    }
}

impl Listener for LocalListener {
    type Stream = UnixStream;

    /// Only the user of this process and root are let in.
    async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let user = rustix::process::geteuid().as_raw();
        loop {
            let (stream, _) = self.listener.accept().await?;
            if stream.peer_cred().is_ok_and(|peer| peer.uid() == user || peer.uid() == 0) {
                return Ok((stream, HERE));
            }
        }
    }
}

/// Answers commands until the process is to end.
pub(super) async fn answer(state: Arc<AppState>, listener: Option<LocalListener>) {
    let Some(listener) = listener else { return };
    let (clock, quit) = (Arc::clone(&state.app.clock), state.quit.clone());
    connections::answer(router(state), listener, MOST, clock, quit).await;
}

fn router(state: Arc<AppState>) -> Router {
    api::routes()
        .layer(axum::middleware::from_fn_with_state(turns::Turns::default(), turns::in_turn))
        .layer(from_fn(identify))
        .layer(from_fn(connections::in_time))
        .with_state(state)
}

/// Puts the caller into the request's extensions.
async fn identify(mut request: Request, next: Next) -> Response {
    let told = request.headers().get(USER_HEADER).map(|name| String::from_utf8_lossy(name.as_bytes()));
    let name = sanitize::line(told.as_deref().unwrap_or("terminal"), 300);
    let principal = Principal {
        name,
        role: Role::Operator,
        origin: "terminal".to_owned(),
        lang: Lang::En,
        patience: PATIENCE,
    };
    request.extensions_mut().insert(principal);
    request.extensions_mut().insert(CsrfToken(None));
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use ruzhi_model::SystemClock;

    #[tokio::test]
    async fn commands_that_ask_nothing_give_way_to_one_that_asks() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("ruzhi.db");
        let (listener, quit) = (LocalListener::open(&store).unwrap(), CancellationToken::new());
        let routes = Router::new().route("/hello", get(|| async { "hello" }));
        let clock = Arc::new(SystemClock);
        let answered = tokio::spawn(connections::answer(routes, listener, 2, clock, quit.clone()));
        let socket = LocalSocket::beside(&store).unwrap();
        let mut silent = Vec::new();
        for _ in 0..6 {
            silent.push(UnixStream::connect(socket.address()).await.unwrap());
        }
        let mut asking = UnixStream::connect(socket.address()).await.unwrap();
        asking.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        asking.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        quit.cancel();
        answered.await.unwrap();
        assert!(!socket.address().exists(), "it is removed at the end");
    }
}
