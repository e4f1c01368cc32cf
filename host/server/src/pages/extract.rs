//! Extractors for the ids in a page's address, its query parameters and its forms.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::response::Response;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};

use super::error_page;
use super::view::View;
use crate::auth::csrf::CSRF_FIELD;
use crate::input::Input;
use crate::state::AppState;
use ruzhi_app::ActionInput;
use ruzhi_message::{Report, exit};
use ruzhi_model::Text;

/// The ids in the address. An address with an invalid id is unknown.
pub(super) struct PageIds<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<AppState>> for PageIds<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Response> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(_) => Err(error_page::missing(View::from_request_parts(parts, state).await?).await),
        }
    }
}

/// The query parameters. Unknown ones, such as those that other sites add to links, are ignored; known ones must be
/// valid.
pub(super) struct PageQuery<T>(pub(super) T);

impl<T: DeserializeOwned + IntoParams + Send> FromRequestParts<Arc<AppState>> for PageQuery<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Response> {
        match Input::query(parts.uri.query().unwrap_or_default()).parameters() {
            Ok(asked) => Ok(Self(asked)),
            Err(report) => {
                let view = View::from_request_parts(parts, state).await?;
                Err(error_page::page(&view, &to_be_corrected(report)))
            }
        }
    }
}

/// The fields of a form except the CSRF token. A form that cannot be read goes on to the use case, which first checks
/// the caller's permission.
pub(super) struct ActionForm<T>(pub(super) ActionInput<T>);

impl<T: DeserializeOwned + ToSchema> FromRequest<Arc<AppState>> for ActionForm<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Self, Infallible> {
        let body = Bytes::from_request(request, state).await.map_err(|error| {
            let text = Text::new("the form cannot be taken", "无法接收表单");
            Report::new(exit::USAGE, "request", text, None).because(&error)
        });
        let input = body.and_then(|body| Input::form(&body)?.without(CSRF_FIELD).fields());
        Ok(Self(input.map_err(to_be_corrected)))
    }
}

fn to_be_corrected(report: Report) -> Report {
    report.hinting(Text::new("go back, correct it, and send it again", "请返回修改后重新提交"))
}
