//! Admits a request, or answers why its access is denied.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum_extra::extract::CookieJar;

use super::csrf::{CSRF_FIELD, CSRF_HEADER, CsrfToken};
use super::denied::AccessDenial;
use super::origin::{self, RequestOrigin};
use super::session::{self, Session};
use super::throttle::ThrottleDecision;
use super::{answer, headers, language, login, tokens};
use crate::state::AppState;
use ruzhi_app::{PATIENCE, Principal};
use ruzhi_config::{Role, ServerSettings};
use ruzhi_model::Lang;

/// The largest form.
const FORM_BYTES: usize = 256 << 10;

/// Requires access to a router, and puts the caller into each request's extensions, as a [`Principal`] and a
/// [`CsrfToken`].
pub fn layer(router: Router<Arc<AppState>>, state: &Arc<AppState>) -> Router<Arc<AppState>> {
    router.layer(middleware::from_fn_with_state(Arc::clone(state), authenticate))
}

async fn authenticate(State(state): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    let origin = RequestOrigin::of(&request, &state.app.deployment().config.server);
    let jar = CookieJar::from_headers(request.headers());
    let lang = language::of(request.uri(), request.headers(), &jar);
    let chosen = language::chosen(request.uri());
    let html = origin.reads_pages;
    let path = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let mut response = match admit(&state, request, &origin, &jar, lang, safe).await {
        Ok((mut request, cookie)) => {
            request.extensions_mut().insert(origin);
            request.extensions_mut().insert(lang);
            let mut response = next.run(request).await;
            if let Some(cookie) = cookie {
                headers::set_cookie(&mut response, &cookie);
            }
            response
        }
        Err(AccessDenial::Unknown) if html && safe => login::lead_to(&path),
        Err(denial) => answer::answer(denial, html, lang),
    };
    if let Some(lang) = chosen {
        headers::set_cookie(&mut response, &language::cookie(lang));
    }
    if origin.is_secure {
        headers::keep_cookies_secure(&mut response);
    }
    response
}

type AdmittedRequest = (Request, Option<axum_extra::extract::cookie::Cookie<'static>>);

/// Identifies the caller, and checks that this request may be theirs.
async fn admit(
    state: &AppState,
    request: Request,
    origin: &RequestOrigin,
    jar: &CookieJar,
    lang: Lang,
    safe: bool,
) -> Result<AdmittedRequest, AccessDenial> {
    let deployment = state.app.deployment();
    let server = &deployment.config.server;
    let now = state.app.clock.now();
    let alone = server.people.is_empty();
    if alone {
        origin.is_this_machine(request.version(), request.headers(), server)?;
    }
    if login::is_open(request.uri().path()) {
        if !safe {
            origin::is_of_this_site(request.headers(), server)?;
        }
        return Ok((request, None));
    }
    if alone && safe {
        origin::is_asked_here(request.headers(), server)?;
    }
    let principal = |name: &str, role: Role| {
        let origin = format!("{} {}", if origin.reads_pages { "page" } else { "api" }, origin.address());
        Principal { name: name.to_owned(), role, origin, lang, patience: PATIENCE }
    };
    if let (false, Some(shown)) = (alone, request.headers().get(AUTHORIZATION)) {
        let token = shown.to_str().ok().and_then(bearer).unwrap_or_default();
        // A right token is always accepted, however many wrong ones its address has shown: a token cannot be guessed,
        // and a neighbour's mistakes must not blind monitoring.
        let Some(person) = tokens::recognise(&server.people, token) else {
            let standing = state.auth.throttle.standing(origin.ip, origin.is_shared, now);
            if let ThrottleDecision::Waits(denial) | ThrottleDecision::Together(denial) = standing {
                return Err(denial);
            }
            state.auth.throttle.failed(origin.ip, now);
            return Err(AccessDenial::Unknown);
        };
        return Ok((with(request, principal(&person.name, person.role), None), None));
    }
    let known = session::shown(jar, origin.is_secure).and_then(|id| {
        let session = state.auth.sessions.find(id, now)?;
        match session.holder(&server.people) {
            Some((name, role)) => Some((session, name, role)),
            None => {
                state.auth.sessions.end(id);
                None
            }
        }
    });
    match known {
        Some((session, name, role)) => {
            let request = if safe {
                origin::is_asked_by_a_link_at_most(request.headers(), origin.reads_pages)?;
                request
            } else {
                brings_its_token(request, &session, server).await?
            };
            Ok((with(request, principal(&name, role), Some(session.csrf)), None))
        }
        None if alone && safe => {
            let (id, session) = state.auth.sessions.begin(None, now);
            let cookie = session::cookie(id, origin.is_secure);
            Ok((with(request, principal(session::LOCAL, Role::Operator), Some(session.csrf)), Some(cookie)))
        }
        None if alone && is_a_program(request.headers()) => {
            Ok((with(request, principal(session::LOCAL, Role::Operator), None), None))
        }
        None if alone => Err(AccessDenial::Forged),
        None => Err(AccessDenial::Unknown),
    }
}

fn with(mut request: Request, principal: Principal, csrf: Option<String>) -> Request {
    request.extensions_mut().insert(principal);
    request.extensions_mut().insert(CsrfToken(csrf));
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
) -> Result<Request, AccessDenial> {
    origin::is_of_this_site(request.headers(), server)?;
    if let Some(header) = request.headers().get(CSRF_HEADER) {
        return if session.is_its_token(header.as_bytes()) { Ok(request) } else { Err(AccessDenial::Forged) };
    }
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(AccessDenial::Forged);
    }
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, FORM_BYTES).await.map_err(|_| AccessDenial::TooLong)?;
    let brought = login::field(&body, CSRF_FIELD).unwrap_or_default();
    if !session.is_its_token(brought.as_bytes()) {
        return Err(AccessDenial::Forged);
    }
    Ok(Request::from_parts(head, Body::from(body)))
}
