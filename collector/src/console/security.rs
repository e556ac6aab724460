//! What holds for every request and every answer of the console.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, Method, Uri};

use super::failure::Failure;

/// The headers of every answer. Whatever gets into a page all the same can load, run and send nothing.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Puts the headers on an answer; nothing is cached but the assets, which say for how long.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let asset = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !asset || !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Refuses what another site makes a browser send: the second lock beside the form's token, and the only one
/// at sign-in, where there is no session yet.
pub(super) async fn same_origin(request: Request, next: Next) -> Response {
    if request.method() != Method::GET
        && request.method() != Method::HEAD
        && !is_ours(request.headers(), request.uri())
    {
        return Failure::CrossSite.into_response();
    }
    next.run(request).await
}

/// Whether one of our own pages sent it. Browsers say so by `Sec-Fetch-Site` (all of them since 2023), older ones
/// by `Origin`, which our own referrer policy turns into `null` in a form: those sign in nowhere here. What sends
/// neither is no browser and has no cookie that it was not given.
fn is_ours(headers: &HeaderMap, uri: &Uri) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = headers.get(ORIGIN) else { return true };
    // HTTP/2 names the host in the request's target, HTTP/1.1 in a header.
    let host = uri
        .authority()
        .map(http::uri::Authority::as_str)
        .or_else(|| headers.get(HOST).and_then(|host| host.to_str().ok()));
    let origin = origin.to_str().unwrap_or_default();
    host.is_some_and(|host| origin.split_once("://").is_some_and(|(_, theirs)| theirs == host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_ours_by_what_the_browser_says_of_it() {
        for (site, origin, uri, host, expected) in [
            (Some("same-origin"), None, "/", None, true),
            (Some("cross-site"), None, "/", None, false),
            (Some("same-site"), None, "/", None, false),
            (
                Some("cross-site"),
                Some("https://console.example"),
                "/",
                Some("console.example"),
                false,
            ),
            (None, Some("https://console.example"), "/", Some("console.example"), true),
            (None, Some("https://console.example"), "https://console.example/", None, true),
            (None, Some("https://console.example:8443"), "/", Some("console.example"), false),
            (None, Some("https://evil.example"), "/", Some("console.example"), false),
            (None, Some("null"), "/", Some("console.example"), false),
            (None, Some("https://console.example"), "/", None, false),
            (None, None, "/", Some("console.example"), true),
        ] {
            let mut headers = HeaderMap::new();
            let mut set = |name: HeaderName, value: Option<&'static str>| {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            };
            set(HeaderName::from_static("sec-fetch-site"), site);
            set(ORIGIN, origin);
            set(HOST, host);
            let ours = is_ours(&headers, &uri.parse().unwrap());
            assert_eq!(ours, expected, "{site:?} {origin:?} {uri} {host:?}");
        }
    }
}
