//! Authentication and permissions.
//!
//! *With people in the configuration* everyone shows a token: a program with each request, as `Authorization: Bearer`,
//! a person once at `/login`, for a session. Tokens are compared by digest, each of them to the end and all of them
//! always. A session is a random number in a cookie that scripts and other sites cannot read; its digest is kept here
//! in memory, with the person's name and the digest of their token. A person removed from the configuration, or given
//! another token, therefore has no session any more, and the role is always the currently configured one.
//!
//! *Without people* any user of this machine is an operator called `local`. Then only loopback addresses are answered,
//! not through a proxy, and only under a name of this machine or of `server.url`: a page elsewhere with a name that was
//! made to point here (DNS rebinding) is denied, and so is a question made by a page of another site. If others are
//! meant to connect, by an address, a proxy, pushes or callbacks, the process does not start without people: requests
//! forwarded by a proxy look as if they were from this machine if the proxy does not name their origin.
//!
//! A request that changes something and comes with a session has to bring the session's own token (`csrf`), and must
//! not be marked by the browser as coming from another site.
//!
//! *Guessing.* Only wrong tokens count. After five in a minute from one address, `/login` makes it wait, even with a
//! right token: otherwise the limit would have no effect. Other addresses are not affected: no limit locks everyone
//! out. Behind a trusted proxy that names no clients all of them share one address, so there a right token is let in
//! all the same. While there are more than a hundred in a minute over all addresses, one is allowed to each address
//! instead of five. Sessions are never affected. IPv6 addresses count by their /64.

mod headers;
mod language;
mod login;
mod people;
mod refusal;
mod session;
mod source;
mod throttle;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum_extra::extract::CookieJar;

pub use headers::add as keep_safe;
pub use login::routes;
pub(crate) use refusal::Refusal;
use session::{Session, Sessions};
use source::Source;
pub(super) use throttle::network;
use throttle::{Standing, Throttle};

use super::Process;
use super::warnings::Warnings;
use ruzhi_app::{PATIENCE, Principal, Tally};
use ruzhi_config::{Role, ServerSettings};
use ruzhi_model::Lang;

/// The largest form.
const FORM_BYTES: usize = 256 << 10;

/// The header with a session's own token.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// The form field with a session's own token.
pub const CSRF_FIELD: &str = "csrf";

/// The authenticated caller: put into a request's extensions once access is granted.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The person.
    pub principal: Principal,
    /// The token that a form has to bring back; none for a caller without a session.
    pub csrf: Option<String>,
}

/// Logins of one person in an hour.
const LOGINS: u32 = 20;

/// Sessions, counts of wrong tokens, and tallies of logins and denials.
pub struct Access {
    sessions: Sessions,
    throttle: Throttle,
    logins: Tally,
    wrong: Warnings,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            sessions: Sessions::default(),
            throttle: Throttle::default(),
            logins: Tally::new(LOGINS),
            wrong: Warnings::default(),
        }
    }
}

/// Requires access to a router, and puts the caller as a [`Visitor`] into each request's extensions.
pub fn layer(router: Router<Arc<Process>>, process: &Arc<Process>) -> Router<Arc<Process>> {
    router.layer(middleware::from_fn_with_state(Arc::clone(process), let_in))
}

async fn let_in(State(process): State<Arc<Process>>, request: Request, next: Next) -> Response {
    let source = Source::of(&request, &process.app.deployment().config.server);
    let jar = CookieJar::from_headers(request.headers());
    let lang = language::of(request.uri(), request.headers(), &jar);
    let chosen = language::chosen(request.uri());
    let html = source.reads_pages;
    let path = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let mut response = match admit(&process, request, &source, &jar, lang, safe).await {
        Ok((mut request, cookie)) => {
            request.extensions_mut().insert(source);
            request.extensions_mut().insert(lang);
            let mut response = next.run(request).await;
            if let Some(cookie) = cookie {
                headers::set_cookie(&mut response, &cookie);
            }
            response
        }
        Err(Refusal::Unknown) if html && safe => login::lead_to(&path),
        Err(refusal) => refusal.answer(html, lang),
    };
    if let Some(lang) = chosen {
        headers::set_cookie(&mut response, &language::cookie(lang));
    }
    if source.is_secure {
        headers::keep_cookies_secure(&mut response);
    }
    response
}

type Admitted = (Request, Option<axum_extra::extract::cookie::Cookie<'static>>);

/// Identifies the caller, and checks that this request may be theirs.
async fn admit(
    process: &Process,
    request: Request,
    source: &Source,
    jar: &CookieJar,
    lang: Lang,
    safe: bool,
) -> Result<Admitted, Refusal> {
    let deployment = process.app.deployment();
    let server = &deployment.config.server;
    let now = process.app.clock.now();
    let alone = server.people.is_empty();
    if alone {
        source.is_this_machine(request.version(), request.headers(), server)?;
    }
    if login::is_open(request.uri().path()) {
        if !safe {
            source::is_of_this_site(request.headers(), server)?;
        }
        return Ok((request, None));
    }
    if alone && safe {
        source::is_asked_here(request.headers(), server)?;
    }
    let visitor = |name: &str, role: Role, csrf: Option<String>| {
        let origin = format!("{} {}", if source.reads_pages { "page" } else { "api" }, source.address());
        Visitor {
            principal: Principal { name: name.to_owned(), role, origin, lang, patience: PATIENCE },
            csrf,
        }
    };
    if let (false, Some(shown)) = (alone, request.headers().get(AUTHORIZATION)) {
        let token = shown.to_str().ok().and_then(bearer).unwrap_or_default();
        // A right token is always accepted, however many wrong ones its address has shown: a token cannot be guessed,
        // and a neighbour's mistakes must not blind monitoring.
        let Some(person) = people::recognise(&server.people, token) else {
            let standing = process.access.throttle.standing(source.ip, source.is_shared, now);
            if let Standing::Waits(refusal) | Standing::Together(refusal) = standing {
                return Err(refusal);
            }
            process.access.throttle.failed(source.ip, now);
            return Err(Refusal::Unknown);
        };
        let visitor = visitor(&person.name, person.role, None);
        return Ok((with(request, visitor), None));
    }
    let known = session::shown(jar, source.is_secure).and_then(|id| {
        let session = process.access.sessions.find(id, now)?;
        match session.holder(&server.people) {
            Some((name, role)) => Some((session, name, role)),
            None => {
                process.access.sessions.end(id);
                None
            }
        }
    });
    match known {
        Some((session, name, role)) => {
            let request = if safe {
                source::is_asked_by_a_link_at_most(request.headers(), source.reads_pages)?;
                request
            } else {
                brings_its_token(request, &session, server).await?
            };
            Ok((with(request, visitor(&name, role, Some(session.csrf))), None))
        }
        None if alone && safe => {
            let (id, session) = process.access.sessions.begin(None, now);
            let cookie = session::cookie(id, source.is_secure);
            Ok((with(request, visitor(session::LOCAL, Role::Operator, Some(session.csrf))), Some(cookie)))
        }
        None if alone && is_a_program(request.headers()) => {
            Ok((with(request, visitor(session::LOCAL, Role::Operator, None)), None))
        }
        None if alone => Err(Refusal::Forged),
        None => Err(Refusal::Unknown),
    }
}

fn with(mut request: Request, visitor: Visitor) -> Request {
    request.extensions_mut().insert(visitor);
    request
}

fn bearer(shown: &str) -> Option<&str> {
    let (scheme, token) = shown.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// True for a request without a session that a page elsewhere cannot make a browser send: nothing marks it as a
/// browser's, and its kind needs a preflight before a browser sends it to another site.
fn is_a_program(headers: &HeaderMap) -> bool {
    let of_a_browser = ["origin", "sec-fetch-site", "sec-fetch-mode", "referer"];
    let simple = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    !of_a_browser.iter().any(|header| headers.contains_key(*header))
        && !simple.iter().any(|simple| kind.trim_start().to_ascii_lowercase().starts_with(simple))
}

/// Checks that an unsafe request with a session comes from the session's own pages: it brings the token that only they
/// know.
async fn brings_its_token(
    request: Request,
    session: &Session,
    server: &ServerSettings,
) -> Result<Request, Refusal> {
    source::is_of_this_site(request.headers(), server)?;
    if let Some(header) = request.headers().get(CSRF_HEADER) {
        return if session.is_its_token(header.as_bytes()) { Ok(request) } else { Err(Refusal::Forged) };
    }
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(Refusal::Forged);
    }
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, FORM_BYTES).await.map_err(|_| Refusal::TooLong)?;
    let brought = login::field(&body, CSRF_FIELD).unwrap_or_default();
    if !session.is_its_token(brought.as_bytes()) {
        return Err(Refusal::Forged);
    }
    Ok(Request::from_parts(head, Body::from(body)))
}
