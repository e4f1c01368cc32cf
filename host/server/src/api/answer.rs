//! Answers and errors as they are written.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use ruzhi_message::{Report, ReportKind, exit};
use ruzhi_model::Text;

/// An answer, or the reason there is none.
pub(super) type ApiResult<T> = Result<Json<T>, ApiFailure>;

/// The failure of a request.
pub(crate) struct ApiFailure(pub(crate) Report);

impl From<Report> for ApiFailure {
    fn from(report: Report) -> Self {
        Self(report)
    }
}

impl IntoResponse for ApiFailure {
    fn into_response(self) -> Response {
        (status(&self.0), Json(serde_json::json!({ "error": self.0 }))).into_response()
    }
}

/// The HTTP status of a failure.
pub(crate) fn status(report: &Report) -> StatusCode {
    match (report.kind(), report.exit()) {
        (ReportKind::Forbidden, _) => StatusCode::FORBIDDEN,
        (ReportKind::Unknown, _) => StatusCode::NOT_FOUND,
        // A plan or rules whose state has changed by the time the run begins.
        (ReportKind::Conflict, _) | (ReportKind::Plain, exit::HELD) => StatusCode::CONFLICT,
        (ReportKind::Plain, exit::USAGE) => StatusCode::BAD_REQUEST,
        (ReportKind::Unavailable | ReportKind::Plain, _) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The answer to an action that returns nothing else.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Acknowledgement {
    /// Always true.
    pub(super) done: bool,
}

impl Acknowledgement {
    pub(super) fn answer(_: ()) -> Json<Self> {
        Json(Self { done: true })
    }
}

/// The failure of a request, as it is written.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorBody {
    /// The failure.
    error: ErrorDetail,
}

#[derive(Serialize, ToSchema)]
struct ErrorDetail {
    /// A stable code.
    code: String,
    /// A description of what failed.
    message: Text,
    /// The underlying causes, outermost first.
    causes: Vec<String>,
    /// The exit code of a command that ends with it: 1 failed, 2 invalid, 3 waits for a person.
    exit: u8,
    /// Advice on the next step, with the command to run.
    hint: Option<Text>,
    /// Advice for a page, if it differs: the page to open or the button to press.
    page_hint: Option<Text>,
    /// The problems in the configuration files.
    #[schema(value_type = Option<Object>)]
    problems: Option<serde_json::Value>,
}

/// Errors of any request. Access is checked first, and its denials are among them.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the description's macro reads it")]
pub(super) enum RequestErrors {
    /// The request is invalid
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// No valid token
    #[response(status = 401)]
    Unknown(ErrorBody),
    /// A page of another site sent the browser here
    #[response(status = 403)]
    Foreign(ErrorBody),
    /// No people are configured, and the request does not come from this machine under its own name
    #[response(status = 421)]
    Elsewhere(ErrorBody),
    /// Too many wrong tokens came from this address; `Retry-After` has the seconds to wait
    #[response(status = 429)]
    TooOften(ErrorBody),
    /// It cannot be read or done at present
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// Errors of a request for something that may not exist.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the description's macro reads it")]
pub(super) enum LookupErrors {
    /// It does not exist
    #[response(status = 404)]
    Missing(ErrorBody),
}

/// Errors of a request that only an operator may make. Listed after [`RequestErrors`], whose 403 it replaces.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the description's macro reads it")]
pub(super) enum PermissionErrors {
    /// The caller is not an operator, or a page of another site sent the browser here
    #[response(status = 403)]
    Forbidden(ErrorBody),
}

/// Errors of an action. Listed after [`RequestErrors`], whose 403 it replaces.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the description's macro reads it")]
pub(super) enum ActionErrors {
    /// The caller is not an operator, or the request does not come from a page of the session
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// It does not exist
    #[response(status = 404)]
    Missing(ErrorBody),
    /// The body did not arrive in time; nothing was done
    #[response(status = 408)]
    Late(ErrorBody),
    /// Its state has changed, or another request is in progress; nothing was done
    #[response(status = 409)]
    Conflict(ErrorBody),
    /// The form is too long
    #[response(status = 413)]
    TooLong(ErrorBody),
}

/// The answer at an address that does not exist.
pub(super) async fn nowhere() -> ApiFailure {
    ApiFailure(
        Report::new(
            exit::USAGE,
            "address.unknown",
            Text::new("there is nothing at this address", "该地址不存在"),
            Some(Text::new(
                "/api/v1/openapi.json lists what there is",
                "/api/v1/openapi.json 列出了全部接口",
            )),
        )
        .of_kind(ReportKind::Unknown),
    )
}

/// The answer to a method that the address does not support.
pub(super) async fn not_so() -> Response {
    let report = Report::new(
        exit::USAGE,
        "address.method",
        Text::new("this address is asked for with another method", "该地址不支持此请求方法"),
        Some(Text::new("/api/v1/openapi.json says with which", "/api/v1/openapi.json 说明了可用的方法")),
    );
    (StatusCode::METHOD_NOT_ALLOWED, Json(serde_json::json!({ "error": report }))).into_response()
}
