//! What an answer is written as.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use ruzhi_message::{Failure, exit};
use ruzhi_model::Text;

/// An answer, or why there is none.
pub(super) type Answer<T> = Result<Json<T>, Failed>;

/// Why something was not answered or not done.
pub(crate) struct Failed(pub(crate) Failure);

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (status(&self.0), Json(serde_json::json!({ "error": self.0 }))).into_response()
    }
}

/// What HTTP calls it.
pub(crate) fn status(failure: &Failure) -> StatusCode {
    match failure.code() {
        "access.forbidden" => StatusCode::FORBIDDEN,
        code if code.ends_with(".unknown") => StatusCode::NOT_FOUND,
        // A plan that stands otherwise by the time its run begins, and rules that do.
        code if code.starts_with("activation.") || code.starts_with("plan.") => StatusCode::CONFLICT,
        code if code.starts_with("store.") || code.starts_with("scheduler.") => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ if failure.exit() == exit::HELD => StatusCode::CONFLICT,
        _ if failure.exit() == exit::USAGE => StatusCode::BAD_REQUEST,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What has no answer but that it was done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Done {
    /// Always true.
    pub(super) done: bool,
}

impl Done {
    pub(super) fn answer(_: ()) -> Json<Self> {
        Json(Self { done: true })
    }
}

/// Why something was not answered or not done, as it is written.
#[derive(Serialize, ToSchema)]
pub(super) struct Problem {
    /// What went wrong, to what, and what to do next.
    error: ProblemText,
}

#[derive(Serialize, ToSchema)]
struct ProblemText {
    /// A code that stays.
    code: String,
    /// What happened, to what.
    message: Text,
    /// What is behind it, from the outside in.
    causes: Vec<String>,
    /// What to do next.
    hint: Option<Text>,
    /// What is wrong in the files of the configuration.
    #[schema(value_type = Option<Object>)]
    problems: Option<serde_json::Value>,
}

/// Why any question is not answered.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the description's macro reads it")]
pub(super) enum NotAnswered {
    /// Asked wrongly
    #[response(status = 400)]
    Wrongly(Problem),
    /// No valid token
    #[response(status = 401)]
    Unknown(Problem),
    /// It could not be read or done now
    #[response(status = 503)]
    Now(Problem),
}

/// What is asked about is not there.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the description's macro reads it")]
pub(super) enum NotThere {
    /// There is no such thing
    #[response(status = 404)]
    Nothing(Problem),
}

/// What is asked for is not for everybody.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the description's macro reads it")]
pub(super) enum NotForViewers {
    /// This needs an operator
    #[response(status = 403)]
    Operator(Problem),
}

/// Why an action is not done.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the description's macro reads it")]
pub(super) enum NotDone {
    /// This needs an operator, or does not come from a page of the session
    #[response(status = 403)]
    Operator(Problem),
    /// There is no such thing
    #[response(status = 404)]
    Nothing(Problem),
    /// It stands otherwise by now, or somebody else is at it; nothing was done
    #[response(status = 409)]
    Otherwise(Problem),
}

/// There is nothing at this address.
pub(super) async fn nowhere() -> Failed {
    Failed(Failure::new(
        exit::USAGE,
        "address.unknown",
        Text::new("there is nothing at this address", "该地址不存在"),
        Some(Text::new("/api/v1/openapi.json lists what there is", "/api/v1/openapi.json 列出了全部接口")),
    ))
}

/// There is something at this address, and it is asked for otherwise.
pub(super) async fn not_so() -> Response {
    let failure = Failure::new(
        exit::USAGE,
        "address.method",
        Text::new("this address is asked for with another method", "该地址不支持此请求方法"),
        Some(Text::new("/api/v1/openapi.json says with which", "/api/v1/openapi.json 说明了可用的方法")),
    );
    (StatusCode::METHOD_NOT_ALLOWED, Json(serde_json::json!({ "error": failure }))).into_response()
}
