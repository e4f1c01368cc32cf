//! The answer to a request whose access is denied.

use axum::http::HeaderValue;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse as _, Response};

use super::denied::AccessDenial;
use crate::pages::error_page::at_the_door;
use ruzhi_model::Lang;

/// The answer: a page for a client that reads pages, else data.
pub(super) fn answer(denial: AccessDenial, page: bool, lang: Lang) -> Response {
    let report = denial.report();
    let mut response = if page {
        (denial.status(), at_the_door(lang, &report)).into_response()
    } else {
        let body = serde_json::json!({ "error": report });
        (denial.status(), axum::Json(body)).into_response()
    };
    let headers = response.headers_mut();
    match denial {
        AccessDenial::Unknown => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"ruzhi\""));
        }
        AccessDenial::TooOften { seconds } | AccessDenial::LoginsTooOften { seconds } => {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        _ => {}
    }
    response
}
