//! The socket beside the store, through which commands on this machine ask the running process.
//!
//! It serves the API of the network address. The kernel names the user of each caller: only the user of this process
//! and root are answered, who could stop the process and open the store themselves. So no token is needed, and such a
//! caller is an operator. The audit log has the name that the command gives, as for a command that runs by itself.

use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::auth::csrf::CsrfToken;
use crate::state::AppState;
use crate::{api, turns};
use ruzhi_app::Principal;
use ruzhi_config::Role;
use ruzhi_message::sanitize;
use ruzhi_model::Lang;

/// The header with the name of the person at the terminal.
pub const USER_HEADER: &str = "x-ruzhi-user";

/// Connections at the same time. A command has one.
const MOST: usize = 32;

/// The longest wait for a head of a request.
const HEAD: Duration = Duration::from_secs(10);

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

/// Answers commands until the process is to end.
pub(super) async fn answer(state: Arc<AppState>, listening: Option<LocalListener>) {
    let Some(listening) = listening else { return };
    let quit = state.quit.clone();
    let service = TowerToHyperService::new(router(state));
    let places = Arc::new(Semaphore::new(MOST));
    let user = rustix::process::geteuid().as_raw();
    loop {
        let accepted = tokio::select! {
            biased;
            () = quit.cancelled() => return,
            accepted = listening.listener.accept() => accepted,
        };
        let (stream, _) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a command's connection cannot be taken");
                tokio::select! {
                    () = quit.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_millis(100)) => continue,
                }
            }
        };
        let is_allowed = stream.peer_cred().is_ok_and(|peer| peer.uid() == user || peer.uid() == 0);
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        if is_allowed {
            let (service, quit) = (service.clone(), quit.clone());
            tokio::spawn(async move {
                keep(stream, service, quit).await;
                drop(place);
            });
        }
    }
}

/// Answers one connection until it ends or the process is to end.
async fn keep(stream: UnixStream, service: TowerToHyperService<Router>, quit: CancellationToken) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // The command sees its connection end.
        _ = connection.as_mut() => {}
        () = quit.cancelled() => {}
    }
}

fn router(state: Arc<AppState>) -> Router {
    api::routes()
        .layer(axum::middleware::from_fn_with_state(turns::Turns::default(), turns::in_turn))
        .layer(from_fn(identify))
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
