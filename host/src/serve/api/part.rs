//! The parts of a request, read once; what cannot be read is told like everything else.

use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::answer::Failed;
use crate::failure::{Failure, exit};
use crate::model::Text;

/// The names in the address.
pub(super) struct Names<T>(pub(super) T);

/// The parameters of a question.
pub(super) struct Asked<T>(pub(super) T);

/// What an action is asked with: JSON, or nothing where everything has a default.
pub(super) struct Wish<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Names<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let Path(names) = Path::<T>::from_request_parts(parts, state)
            .await
            .map_err(|error: PathRejection| wrong("address", "地址", &error.body_text()))?;
        Ok(Self(names))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let Query(asked) = Query::<T>::from_request_parts(parts, state)
            .await
            .map_err(|error: QueryRejection| wrong("query", "查询参数", &error.body_text()))?;
        Ok(Self(asked))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Wish<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let body = axum::body::Bytes::from_request(request, state)
            .await
            .map_err(|error: BytesRejection| wrong("body", "请求正文", &error.body_text()))?;
        let text = if body.trim_ascii().is_empty() { b"{}".as_slice() } else { &body };
        let wish =
            serde_json::from_slice(text).map_err(|error| wrong("body", "请求正文", &error.to_string()))?;
        Ok(Self(wish))
    }
}

fn wrong(en: &str, zh: &str, why: &str) -> Failed {
    Failed(Failure::new(
        exit::USAGE,
        "request",
        Text::new(format!("the {en} of the request is not right: {why}"), format!("{zh}有误：{why}")),
        Some(Text::new("/api/v1/openapi.json describes it", "格式见 /api/v1/openapi.json")),
    ))
}
