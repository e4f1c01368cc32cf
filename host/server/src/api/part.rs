//! Extractors for the parts of a request. Their failures are reported like any other.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Path, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};

use super::answer::Failed;
use super::document;
use crate::input::{Input, no_parameter, spelled};
use ruzhi_app::Wished;
use ruzhi_message::{Failure, exit};
use ruzhi_model::Text;

/// The names in the address.
pub(super) struct Names<T>(pub(super) T);

/// The parameters of a question.
pub(super) struct Asked<T>(pub(super) T);

/// The body of an action: a JSON object, or nothing if every field has a default. One that cannot be read goes on to
/// the desk, which first checks the visitor's permission.
pub(super) struct Wish<T>(pub(super) Wished<T>);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Names<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let Path(names) =
            Path::<T>::from_request_parts(parts, state).await.map_err(|error: PathRejection| {
                let text = Text::new("a name in the address is not valid", "地址中有无效的名称");
                described(Failure::new(exit::USAGE, "request", text, None).because(&error))
            })?;
        Ok(Self(names))
    }
}

impl<T: DeserializeOwned + IntoParams, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failed> {
        let asked = Input::query(parts.uri.query().unwrap_or_default()).asked();
        asked.map(Self).map_err(described)
    }
}

impl<T: DeserializeOwned + ToSchema, S: Send + Sync> FromRequest<S> for Wish<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let body = Bytes::from_request(request, state).await.map_err(|error| {
            let text = Text::new("the body cannot be taken", "无法接收请求正文");
            Failure::new(exit::USAGE, "request", text, None).because(&error)
        });
        let wish = body.and_then(|body| Input::json(&body)?.wish());
        Ok(Self(wish.map_err(|failure| described(failure).0)))
    }
}

fn described(failure: Failure) -> Failed {
    Failed(match failure.hint() {
        Some(_) => failure,
        None => {
            failure.hinting(Text::new("/api/v1/openapi.json describes it", "格式见 /api/v1/openapi.json"))
        }
    })
}

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
                return described(Failure::new(exit::USAGE, "request", text, None)).into_response();
            }
        } else if !taken.contains(&name) {
            let mut known = taken;
            known.push(LANG.to_owned());
            return Failed(no_parameter(&name, &known)).into_response();
        }
    }
    next.run(request).await
}

/// The parameter that selects the language at every address.
const LANG: &str = "lang";
