//! Static assets, embedded in the binary. Their addresses carry a digest of the content, so a browser caches them until
//! another version is served.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use ruzhi_model::Digest;

/// An asset.
pub(super) struct Asset {
    name: &'static str,
    media_type: &'static str,
    bytes: &'static str,
    version: LazyLock<String>,
}

macro_rules! asset {
    ($name:literal, $media_type:literal) => {
        Asset {
            name: $name,
            media_type: $media_type,
            bytes: include_str!(concat!("assets/", $name)),
            version: LazyLock::new(|| Digest::of(include_str!(concat!("assets/", $name))).short().to_owned()),
        }
    };
}

/// The stylesheet.
pub(super) static STYLE: Asset = asset!("style.css", "text/css; charset=utf-8");
/// The script for live numbers, times and questions.
pub(super) static LIVE: Asset = asset!("live.js", "text/javascript; charset=utf-8");
/// The icon in the tab and beside the name.
pub(super) static ICON: Asset = asset!("favicon.svg", "image/svg+xml");

impl Asset {
    /// Its address.
    pub(super) fn address(&self) -> String {
        format!("/assets/{}?v={}", self.name, *self.version)
    }
}

/// Serves an asset. Its address carries the version, so it may be cached for a year.
pub(super) async fn serve(Path(name): Path<String>) -> Response {
    let Some(asset) = [&STYLE, &LIVE, &ICON].into_iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, asset.bytes).into_response()
}
