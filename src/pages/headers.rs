//! The headers of every page: nothing runs, nothing frames it, nothing keeps it.

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

use super::style;

/// No script, and no style but our own.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = style::SOURCE.as_str();
    let policy = format!(
        "default-src 'none'; style-src {style}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

const STRICT: [(HeaderName, HeaderValue); 6] = [
    // With no-referrer, browsers would send `Origin: null` with a form.
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// Sets them.
pub(super) async fn strict(mut response: Response) -> Response {
    response.headers_mut().extend(STRICT);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    response
}
