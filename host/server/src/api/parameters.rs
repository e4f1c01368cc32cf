//! The parameters an address takes.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::answer::ApiFailure;
use super::document;
use super::extract::described;
use crate::input::{no_parameter, spelled};
use ruzhi_message::{Report, exit};
use ruzhi_model::Text;

/// Rejects unknown parameters and unknown languages, so that a misspelled filter is not answered as if it were absent.
pub(super) async fn known_only(path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let taken = path.and_then(|path| document::parameters(path.as_str(), request.method()));
    let Some(taken) = taken else { return next.run(request).await };
    for (name, value) in spelled(request.uri().query().unwrap_or_default()) {
        if name == LANG {
            if !matches!(value.as_str(), "" | "en" | "zh") {
                let text = Text::new(
                    "the parameter `lang` has to be one of en, zh",
                    "参数 `lang` 应为下列之一：en、zh",
                );
                return described(Report::new(exit::USAGE, "request", text, None)).into_response();
            }
        } else if !taken.contains(&name) {
            let mut known = taken;
            known.push(LANG.to_owned());
            return ApiFailure(no_parameter(&name, &known)).into_response();
        }
    }
    next.run(request).await
}

/// The parameter that selects the language at every address.
const LANG: &str = "lang";
