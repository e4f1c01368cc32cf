//! The OpenAPI document.

use std::sync::LazyLock;

use axum::Json;
use axum::http::Method;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, RefOr};
use utoipa::{Modify, OpenApi};

use super::answer::{ErrorBody, RequestErrors};
use super::described;
use ruzhi_app::LiveRun;

/// The document without its paths, which come with the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "ruzhi",
        description = "Everything the pages of `ruzhi serve` do, as JSON. Send a token of ruzhi.toml as \
                       `Authorization: Bearer`. A viewer may read, an operator may also act, and every action is \
                       recorded in the audit log. Numbers and addresses of people are masked unless an operator asks \
                       for them with `reveal`. Times are RFC 3339 in UTC. Every address also takes `lang`, `en` or \
                       `zh`, the language of a spreadsheet; a parameter or field that is not listed is an error. An \
                       action without a described body takes none, or an empty object.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact()
    ),
    components(schemas(LiveRun, ErrorBody)),
    security(("token" = []), ("session" = [])),
    modifiers(&SecuritySchemes)
)]
pub(super) struct ApiDocument;

/// Adds the ways to authenticate.
struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of ruzhi.toml."))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let cookie = ApiKeyValue::with_description(
            "ruzhi_session",
            "The cookie that /login sets. An unsafe request also sends the session's own token as `x-csrf-token`.",
        );
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The document.
pub fn document() -> &'static Document {
    static DOCUMENT: LazyLock<Document> = LazyLock::new(|| described().into_openapi());
    &DOCUMENT
}

/// The query parameters of a described address; none for an address or method that is not described.
pub(super) fn parameters(path: &str, method: &Method) -> Option<Vec<String>> {
    let there = document().paths.paths.get(path)?;
    let operation = match *method {
        Method::GET | Method::HEAD => there.get.as_ref(),
        Method::POST => there.post.as_ref(),
        _ => None,
    }?;
    let all = operation.parameters.iter().flatten();
    let of_query = all.filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.clone()),
        _ => None,
    });
    Some(of_query.collect())
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    responses((status = 200, description = "This document", body = Object), RequestErrors)
)]
pub(super) async fn show() -> Json<&'static Document> {
    Json(document())
}
