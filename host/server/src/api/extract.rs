//! Extractors for the parts of a request. Their failures are reported like any other.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};

use super::answer::ApiFailure;
use crate::input::Input;
use ruzhi_app::ActionInput;
use ruzhi_message::{Report, exit};
use ruzhi_model::Text;

/// The names in the address.
pub(super) struct PathParams<T>(pub(super) T);

/// The parameters of a question.
pub(super) struct QueryParams<T>(pub(super) T);

/// The body of an action: a JSON object, or nothing if every field has a default. One that cannot be read goes on to
/// the use case, which first checks the caller's permission.
pub(super) struct ActionBody<T>(pub(super) ActionInput<T>);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathParams<T> {
    type Rejection = ApiFailure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiFailure> {
        let Path(names) =
            Path::<T>::from_request_parts(parts, state).await.map_err(|error: PathRejection| {
                let text = Text::new("a name in the address is not valid", "地址中有无效的名称");
                described(Report::new(exit::USAGE, "request", text, None).because(&error))
            })?;
        Ok(Self(names))
    }
}

impl<T: DeserializeOwned + IntoParams, S: Send + Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = ApiFailure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiFailure> {
        let asked = Input::query(parts.uri.query().unwrap_or_default()).parameters();
        asked.map(Self).map_err(described)
    }
}

impl<T: DeserializeOwned + ToSchema, S: Send + Sync> FromRequest<S> for ActionBody<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let body = Bytes::from_request(request, state).await.map_err(|error| {
            let text = Text::new("the body cannot be taken", "无法接收请求正文");
            Report::new(exit::USAGE, "request", text, None).because(&error)
        });
        let input = body.and_then(|body| Input::json(&body)?.fields());
        Ok(Self(input.map_err(|report| described(report).0)))
    }
}

pub(super) fn described(report: Report) -> ApiFailure {
    ApiFailure(match report.hint() {
        Some(_) => report,
        None => report.hinting(Text::new("/api/v1/openapi.json describes it", "格式见 /api/v1/openapi.json")),
    })
}
