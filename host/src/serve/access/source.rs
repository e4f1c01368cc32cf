//! From where a request comes.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, HOST, ORIGIN};
use reqwest::Url;

use super::Refusal;
use crate::config::ServerSettings;

/// What proxies add.
const OF_A_PROXY: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// From where a request comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    /// The address, as far as it is known: behind a proxy on this machine, the one it names.
    pub(super) ip: Option<IpAddr>,
    /// It asks for a page rather than for data.
    pub(super) reads_pages: bool,
}

impl Source {
    pub(super) fn of(request: &Request) -> Self {
        let peer =
            request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        let path = request.uri().path();
        let data = path.starts_with("/api/") || path == "/metrics";
        let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
        let accepts_pages = accepts.is_some_and(|accept| accept.contains("text/html"));
        Self {
            ip: peer.map(|peer| {
                if peer.is_loopback() { forwarded(request.headers()).unwrap_or(peer) } else { peer }
            }),
            reads_pages: !data && (accepts_pages || accepts.is_none()),
        }
    }

    /// The address for the audit log.
    pub(super) fn address(&self) -> String {
        self.ip.map_or_else(|| "-".to_owned(), |ip| ip.to_string())
    }

    /// Whether a request without a token is from this machine, to this machine, and by nobody else's leave.
    pub(super) fn is_this_machine(
        &self,
        headers: &HeaderMap,
        server: &ServerSettings,
    ) -> Result<(), Refusal> {
        let proxied = OF_A_PROXY.iter().any(|header| headers.contains_key(*header));
        if proxied || !self.ip.is_some_and(|ip| ip.is_loopback()) {
            return Err(Refusal::Elsewhere);
        }
        let host = host(headers).ok_or(Refusal::Elsewhere)?;
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let ours = host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address| address.is_loopback())
            || server
                .url
                .as_ref()
                .and_then(Url::host_str)
                .is_some_and(|ours| ours.eq_ignore_ascii_case(&host));
        if ours { Ok(()) } else { Err(Refusal::Elsewhere) }
    }
}

/// The address that the proxy nearest to us saw: the last it lists. What came before may be anybody's word.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// The name the request was sent to, without the port.
fn host(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(HOST).iter();
    let (host, another) = (all.next()?, all.next());
    if another.is_some() {
        return None;
    }
    let host = host.to_str().ok()?;
    let end = if host.starts_with('[') { host.find(']').map(|at| at + 1) } else { host.find(':') };
    let (name, port) = host.split_at(end.unwrap_or(host.len()));
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    (is_port && !name.is_empty()).then(|| name.to_owned())
}

/// Whether a browser says that a request was made by a page of ours. One that says nothing is no browser, or an old one:
/// then the session's token decides.
pub(super) fn is_of_this_site(headers: &HeaderMap, server: &ServerSettings) -> Result<(), Refusal> {
    if let Some(site) = headers.get("sec-fetch-site")
        && !matches!(site.as_bytes(), b"same-origin" | b"none")
    {
        return Err(Refusal::Forged);
    }
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok()).ok_or(Refusal::Forged)?;
    let authority = |url: &Url| {
        let host = url.host_str()?.to_ascii_lowercase();
        Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
    };
    let from = authority(&origin);
    let to = headers.get(HOST).and_then(|host| host.to_str().ok());
    // A proxy may exchange the Host header; the address in the configuration stays what people type.
    let to = to
        .and_then(|host| Url::parse(&format!("{}://{host}", origin.scheme())).ok())
        .and_then(|url| authority(&url));
    let ours = server.url.as_ref().filter(|url| url.origin() == origin.origin()).and_then(authority);
    if from.is_some() && (from == to || from == ours) { Ok(()) } else { Err(Refusal::Forged) }
}
