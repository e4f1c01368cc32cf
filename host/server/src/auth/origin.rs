//! The origin of a request.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::header::{ACCEPT, HOST, ORIGIN, REFERER};
use axum::http::{HeaderMap, HeaderValue, Version};
use reqwest::Url;

use super::denied::AccessDenial;
use ruzhi_config::ServerSettings;

/// Headers added by proxies.
const OF_A_PROXY: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// The origin of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestOrigin {
    /// The address, as far as it is known: behind a trusted proxy, the one it names.
    pub(super) ip: Option<IpAddr>,
    /// The address is that of a trusted proxy, or of this machine, and the client behind it is not named: it may be
    /// shared by everyone.
    pub(super) is_shared: bool,
    /// The connection from the browser is encrypted, as far as is known.
    pub(super) is_secure: bool,
    /// It asks for a page rather than for data.
    pub(super) reads_pages: bool,
}

impl RequestOrigin {
    pub(super) fn of(request: &Request, server: &ServerSettings) -> Self {
        let peer =
            request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        let trusted = |address: IpAddr| server.trusts(address);
        let ip = peer.map(|peer| if trusted(peer) { behind(peer, request.headers(), trusted) } else { peer });
        let from_proxy = peer.is_some_and(trusted);
        let told_secure = from_proxy && is_told_secure(request.headers());
        let path = request.uri().path();
        let data = path.starts_with("/api/") || path == "/metrics";
        let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
        let accepts_pages = accepts.is_some_and(|accept| accept.contains("text/html"));
        Self {
            ip,
            is_shared: ip.is_none_or(trusted),
            is_secure: told_secure || server.url.as_ref().is_some_and(|url| url.scheme() == "https"),
            reads_pages: !data && (accepts_pages || accepts.is_none()),
        }
    }

    /// The address for the audit log.
    pub(super) fn address(&self) -> String {
        self.ip.map_or_else(|| "-".to_owned(), |ip| ip.to_string())
    }

    /// Allows a request without a token only from this machine, to this machine, and without a proxy.
    pub(super) fn is_this_machine(
        &self,
        version: Version,
        headers: &HeaderMap,
        server: &ServerSettings,
    ) -> Result<(), AccessDenial> {
        // Browsers and programs have long used HTTP/1.1; a proxy with a minimal configuration uses 1.0.
        let proxied =
            version < Version::HTTP_11 || OF_A_PROXY.iter().any(|header| headers.contains_key(*header));
        if proxied || !self.ip.is_some_and(|ip| ip.is_loopback()) {
            return Err(AccessDenial::Elsewhere);
        }
        let host = host(headers).ok_or(AccessDenial::Elsewhere)?;
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let ours = host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address| address.is_loopback())
            || server
                .url
                .as_ref()
                .and_then(Url::host_str)
                .is_some_and(|ours| ours.eq_ignore_ascii_case(&host));
        if ours { Ok(()) } else { Err(AccessDenial::Elsewhere) }
    }
}

/// The address behind a trusted proxy: of those listed by the proxies, the last that is not a trusted proxy's. Earlier
/// entries may be forged. Where an entry is not an address, the nearest one known.
fn behind(peer: IpAddr, headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let lists = headers.get_all("x-forwarded-for").iter().rev();
    let listed = lists.flat_map(|list| list.to_str().unwrap_or("?").rsplit(','));
    let mut nearest = peer;
    for written in listed {
        let Some(address) = address(written.trim()) else { break };
        nearest = address;
        if !trusted(address) {
            break;
        }
    }
    nearest
}

/// An address as proxies write it, some of them with a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

/// True if the nearest proxy says that it was reached over TLS.
fn is_told_secure(headers: &HeaderMap) -> bool {
    let told = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|told| told.to_str().ok());
    let last = told.and_then(|told| told.rsplit(',').next());
    last.is_some_and(|last| last.trim().eq_ignore_ascii_case("https"))
}

/// The name to which the request was sent, without the port.
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

/// The browser's statement of where a request was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestSite {
    /// By a page of ours, or by the person themselves.
    Ours,
    /// By a page of another site; `to_show` if it navigates to ours rather than fetching its data.
    Another { to_show: bool },
    /// No statement: an old browser, or not a browser.
    Untold,
}

impl RequestSite {
    fn of(headers: &HeaderMap) -> Self {
        let word = |name: &str| headers.get(name).map(|value| value.as_bytes());
        match word("sec-fetch-site") {
            Some(b"same-origin" | b"none") => Self::Ours,
            Some(_) => Self::Another { to_show: word("sec-fetch-mode") == Some(b"navigate") },
            None => Self::Untold,
        }
    }
}

/// Denies a request that its browser says was made by a page of another site. Without a statement it comes from an old
/// browser or from none: then the session's token decides.
pub(super) fn is_of_this_site(headers: &HeaderMap, server: &ServerSettings) -> Result<(), AccessDenial> {
    if matches!(RequestSite::of(headers), RequestSite::Another { .. }) {
        return Err(AccessDenial::Forged);
    }
    match headers.get(ORIGIN) {
        Some(origin) if !is_ours(origin, headers, server) => Err(AccessDenial::Forged),
        _ => Ok(()),
    }
}

/// Denies a question without a token that is made by a page of another site. That page cannot read the answer, but it
/// could fill the audit log in the person's name, and push out their sessions.
pub(super) fn is_asked_here(headers: &HeaderMap, server: &ServerSettings) -> Result<(), AccessDenial> {
    let ours = match RequestSite::of(headers) {
        RequestSite::Ours => true,
        RequestSite::Another { .. } => false,
        RequestSite::Untold => [ORIGIN, REFERER]
            .into_iter()
            .all(|name| headers.get(name).is_none_or(|from| is_ours(from, headers, server))),
    };
    if ours { Ok(()) } else { Err(AccessDenial::Foreign) }
}

/// The same for a question with a session: a link from elsewhere may open a page, which only shows. It may not fetch
/// data.
pub(super) fn is_asked_by_a_link_at_most(headers: &HeaderMap, reads_pages: bool) -> Result<(), AccessDenial> {
    match RequestSite::of(headers) {
        RequestSite::Another { to_show } if !(to_show && reads_pages) => Err(AccessDenial::Foreign),
        _ => Ok(()),
    }
}

/// True if a URL sent by a browser belongs to this server.
fn is_ours(told: &HeaderValue, headers: &HeaderMap, server: &ServerSettings) -> bool {
    let Some(told) = told.to_str().ok().and_then(|told| Url::parse(told).ok()) else { return false };
    let authority = |url: &Url| {
        let host = url.host_str()?.to_ascii_lowercase();
        Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
    };
    let from = authority(&told);
    let to = headers.get(HOST).and_then(|host| host.to_str().ok());
    // A proxy may replace the Host header; the configured address stays the one that people type.
    let to = to
        .and_then(|host| Url::parse(&format!("{}://{host}", told.scheme())).ok())
        .and_then(|url| authority(&url));
    let ours = server.url.as_ref().filter(|url| url.origin() == told.origin()).and_then(authority);
    from.is_some() && (from == to || from == ours)
}
