//! What a page is asked with: the ids in its address, the parameters behind it, and what a form sends.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::response::Response;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};

use super::trouble;
use super::view::View;
use crate::Process;
use crate::access::CSRF_FIELD;
use crate::desk::Wished;
use crate::input::Input;
use ruzhi_message::{Failure, exit};
use ruzhi_model::Text;

/// The ids in the address. One with anything else in their places is the address of no page.
pub(super) struct Ids<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Process>> for Ids<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, process: &Arc<Process>) -> Result<Self, Response> {
        match Path::from_request_parts(parts, process).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(_) => Err(trouble::missing(View::from_request_parts(parts, process).await?).await),
        }
    }
}

/// What the address asks for behind its path. Parameters that the page does not know are passed over, as those of others'
/// links are; one that it knows has to be right.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned + IntoParams + Send> FromRequestParts<Arc<Process>> for Asked<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, process: &Arc<Process>) -> Result<Self, Response> {
        match Input::query(parts.uri.query().unwrap_or_default()).asked() {
            Ok(asked) => Ok(Self(asked)),
            Err(failure) => {
                let view = View::from_request_parts(parts, process).await?;
                Err(trouble::page(&view, &to_be_corrected(failure)))
            }
        }
    }
}

/// What a form sends beside what proves the page. One that cannot be read goes on to the desk, which judges first whether
/// the visitor may send it.
pub(super) struct Sent<T>(pub(super) Wished<T>);

impl<T: DeserializeOwned + ToSchema> FromRequest<Arc<Process>> for Sent<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, process: &Arc<Process>) -> Result<Self, Infallible> {
        let body = Bytes::from_request(request, process).await.map_err(|error| {
            let text = Text::new("the form cannot be taken", "无法接收表单");
            Failure::new(exit::USAGE, "request", text, None).because(&error)
        });
        let wish = body.and_then(|body| Input::form(&body)?.without(CSRF_FIELD).wish());
        Ok(Self(wish.map_err(to_be_corrected)))
    }
}

fn to_be_corrected(failure: Failure) -> Failure {
    failure.hinting(Text::new("go back, correct it, and send it again", "请返回修改后重新提交"))
}
