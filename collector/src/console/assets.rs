//! The style sheet, the script and the mark, built into the binary.

use std::sync::LazyLock;

use aws_lc_rs::digest::{Context, SHA256};
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use super::failure::Failure;

const STYLE: &str = include_str!("../../assets/console.css");
const SCRIPT: &str = include_str!("../../assets/console.js");
const MARK: &str = include_str!("../../assets/mark.svg");

/// Names this build's assets, so that a browser keeps them until they change and no longer.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut context = Context::new(&SHA256);
    for asset in [STYLE, SCRIPT, MARK] {
        context.update(asset.as_bytes());
    }
    data_encoding::HEXLOWER.encode(&context.finish().as_ref()[..8])
});

pub(super) fn version() -> &'static str {
    &VERSION
}

/// Serves an asset; one of another build's name is this build's, and not to be kept.
pub(super) async fn asset(
    Path((version, name)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let (kind, body) = match name.as_str() {
        "console.css" => ("text/css; charset=utf-8", STYLE),
        "console.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "mark.svg" => ("image/svg+xml", MARK),
        _ => return Err(Failure::NotFound),
    };
    let keep = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-store" };
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, keep)], body).into_response())
}
