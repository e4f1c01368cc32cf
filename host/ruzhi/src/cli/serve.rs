//! `ruzhi serve`: runs every flow on schedule until it is stopped.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::deployment::{ConfigurationUse, configuration, registry, store};
use super::memory;
use super::printer::Printer;
use ruzhi_app::deployment::Deployment;
use ruzhi_message::{Report, exit};
use ruzhi_model::{SystemClock, Text};
use ruzhi_server as serve;
use ruzhi_store::Access;

#[derive(Debug, Args)]
pub(super) struct ServeCommand {
    /// Listen here, overriding ruzhi.toml; port 0 picks a free one · 监听地址
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
}

impl ServeCommand {
    pub(super) async fn run(&self, dir: &Path, printer: &Printer) -> Result<ExitCode, Report> {
        let mut config = configuration(dir, ConfigurationUse::Run, printer)?;
        if let Some(listen) = self.listen {
            config.server.listen = listen;
            config.server.listen_given = true;
        }
        may_listen(&config.server)?;
        if let Some(unguarded) = config.unguarded() {
            return Err(unguarded.into());
        }
        let counting = serve::telemetry::install();
        counting.map_err(|error| Report::io("count what happens", "统计运行指标", &error))?;
        let quit = CancellationToken::new();
        end_on_signals(&quit)?;
        let store = store(&config, Access::Write).await?;
        let registry = Arc::new(registry(&config, printer)?);
        let listen = config.server.listen;
        let listener = bind(listen).map_err(|error| cannot_listen(listen, &error))?;
        let address = listener.local_addr().map_err(|error| cannot_listen(listen, &error))?;
        config.server.listen = address;
        // Before the announcement: commands may follow it at once.
        let local = serve::LocalListener::open(&config.store.path);
        let deployment = Deployment::new(config, Arc::clone(&store), registry, quit);
        if printer.json {
            printer.json(&json!({ "listen": address }));
        } else {
            printer.out(format_args!(
                "{}http://{address}  {}",
                printer.text("ruzhi is serving on ", "ruzhi 正在运行："),
                printer.text("(Ctrl-C ends it)", "（按 Ctrl-C 结束）")
            ));
        }
        tracing::info!(server.listen = %address, version = env!("CARGO_PKG_VERSION"), "serving began");
        let giving_back = tokio::spawn(memory::give_back());
        let ended = serve::run(deployment, listener, local, Arc::new(SystemClock)).await;
        giving_back.abort();
        store.close().await;
        ended?;
        tracing::info!("serving ended");
        Ok(ExitCode::SUCCESS)
    }
}

/// Other machines must not reach the pages unless a token is required.
fn may_listen(server: &ruzhi_config::ServerSettings) -> Result<(), Report> {
    if server.listen.ip().is_loopback() || !server.people.is_empty() {
        return Ok(());
    }
    Err(Report::new(
        exit::USAGE,
        "server.open",
        Text::new(
            format!("{} can be reached from other machines, and no token is set", server.listen),
            format!("{} 可从其他机器访问，而没有设置任何令牌", server.listen),
        ),
        Some(Text::new(
            "set `token = { env = \"RUZHI_TOKEN\" }` under `[server]` in ruzhi.toml, or listen on 127.0.0.1",
            "请在 ruzhi.toml 的 `[server]` 中设置 `token = { env = \"RUZHI_TOKEN\" }`，或只监听 127.0.0.1",
        )),
    ))
}

/// Connections that may wait to be accepted, for a burst larger than the number of places.
const BACKLOG: u32 = 4096;

fn bind(listen: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // An address released a moment ago can be bound again.
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}

fn cannot_listen(listen: SocketAddr, error: &std::io::Error) -> Report {
    Report::io(&format!("listen on {listen}"), &format!("监听 {listen}"), error).hinting(Text::new(
        "another program may have the port: choose one with `--listen` or `[server] listen`",
        "端口可能已被占用：请用 `--listen` 或 `[server] listen` 换一个",
    ))
}

/// SIGTERM and Ctrl-C shut the process down cleanly; a second one ends it at once.
fn end_on_signals(quit: &CancellationToken) -> Result<(), Report> {
    let failed = |error: std::io::Error| Report::io("wait for signals", "等待信号", &error);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let quit = quit.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if quit.is_cancelled() {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "a second signal means that the end is not waited for"
                )]
                std::process::exit(i32::from(exit::FAILED));
            }
            quit.cancel();
        }
    });
    Ok(())
}
