//! Login: a person shows their token once, and gets a session.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use axum_extra::extract::CookieJar;
use reqwest::Url;

use super::denied::AccessDenial;
use super::origin::RequestOrigin;
use super::throttle::ThrottleDecision;
use super::{headers, session, tokens};
use crate::input::spelled;
use crate::pages::login::page as login_page;
use crate::state::AppState;
use ruzhi_app::TallyResult;
use ruzhi_model::Lang;

/// The largest login form, a token and a path: its sender is not authenticated yet.
const LARGEST_FORM: usize = 16 << 10;

/// Login and logout.
pub fn routes() -> Router<Arc<AppState>> {
    let login = get(show).post(log_in).layer(DefaultBodyLimit::max(LARGEST_FORM));
    Router::new().route("/login", login).route("/logout", post(log_out))
}

/// True for paths open to everyone: the login page and its assets.
pub(super) fn is_open(path: &str) -> bool {
    path == "/login" || path.starts_with("/assets/")
}

/// Redirects to the login page, and from there back.
pub(super) fn lead_to(path: &str) -> Response {
    let mut target = String::from("/login");
    if let Ok(mut url) = Url::parse("http://localhost/login") {
        url.query_pairs_mut().append_pair("next", path);
        target = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    }
    see(&target)
}

fn see(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, location);
    response
}

/// A field of a form as a browser sends it, or of a query.
pub(super) fn field(form: &[u8], name: &str) -> Option<String> {
    let pairs = spelled(std::str::from_utf8(form).ok()?);
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// A path of this server, whatever was asked for: the login never redirects to another site.
fn path_here(asked: Option<String>) -> String {
    let plain = |path: &String| {
        path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains('\\')
            && path.chars().all(|c| c.is_ascii_graphic())
    };
    asked.filter(plain).filter(|path| !path.starts_with("/login")).unwrap_or_else(|| "/".to_owned())
}

async fn show(State(state): State<Arc<AppState>>, Extension(lang): Extension<Lang>, uri: Uri) -> Response {
    if state.app.deployment().config.server.people.is_empty() {
        return see("/");
    }
    let next = path_here(uri.query().and_then(|query| field(query.as_bytes(), "next")));
    login_page(lang, &next, None).into_response()
}

async fn log_in(
    State(state): State<Arc<AppState>>,
    Extension(lang): Extension<Lang>,
    Extension(origin): Extension<RequestOrigin>,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    let deployment = state.app.deployment();
    let server = &deployment.config.server;
    let next = path_here(field(&form, "next"));
    if server.people.is_empty() {
        return see("/");
    }
    let now = state.app.clock.now();
    let denied = |denial: AccessDenial| {
        let told = login_page(lang, &next, Some(&denial.report()));
        let mut response = (denial.status(), told).into_response();
        if let AccessDenial::TooOften { seconds } | AccessDenial::LoginsTooOften { seconds } = denial {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    };
    let standing = state.auth.throttle.standing(origin.ip, origin.is_shared, now);
    if let ThrottleDecision::Waits(denial) = standing {
        return denied(denial);
    }
    let token = field(&form, "token").unwrap_or_default();
    let Some(person) = tokens::recognise(&server.people, token.trim()) else {
        if let ThrottleDecision::Together(denial) = standing {
            return denied(denial);
        }
        state.auth.throttle.failed(origin.ip, now);
        if let Some(unsaid) = state.auth.wrong.say(now) {
            tracing::warn!(from = origin.address(), unsaid, "a wrong token was shown at the login page");
        }
        return denied(AccessDenial::Unknown);
    };
    // Each login is a row of the audit log.
    if let TallyResult::TooMany { seconds } = state.auth.logins.count(&person.name, now) {
        return denied(AccessDenial::LoginsTooOften { seconds });
    }
    let from = format!("page {}", origin.address());
    if let Err(report) = ruzhi_app::logged_in(&state.app, &person.name, person.role, &from).await {
        return (StatusCode::SERVICE_UNAVAILABLE, login_page(lang, &next, Some(&report))).into_response();
    }
    if let Some(before) = session::shown(&CookieJar::from_headers(&headers), origin.is_secure) {
        state.auth.sessions.end(before);
    }
    let (number, _) = state.auth.sessions.begin(Some(person), now);
    let mut response = see(&next);
    headers::set_cookie(&mut response, &session::cookie(number, origin.is_secure));
    response
}

async fn log_out(
    State(state): State<Arc<AppState>>,
    Extension(origin): Extension<RequestOrigin>,
    headers: HeaderMap,
) -> Response {
    if let Some(number) = session::shown(&CookieJar::from_headers(&headers), origin.is_secure) {
        state.auth.sessions.end(number);
    }
    let mut response = see("/login");
    headers::set_cookie(&mut response, &session::no_cookie(origin.is_secure));
    response
}
