//! What a form sends: small, in time, and of the one kind that our forms have.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;
use url::form_urlencoded;

/// Largest body of a form, in bytes: a code of 255 characters, percent-encoded, and room to spare.
const MAX_BYTES: usize = 4096;
/// How long a browser may take to send a form.
const WITHIN: Duration = Duration::from_secs(10);

/// Reads a form that has exactly these fields, in this order.
///
/// # Errors
/// The status that says what it is not.
pub(super) async fn read<const FIELDS: usize>(
    headers: &HeaderMap,
    body: Body,
    names: [&str; FIELDS],
) -> Result<[String; FIELDS], StatusCode> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let body = timeout(WITHIN, Limited::new(body, MAX_BYTES).collect());
    let bytes = match body.await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => return Err(StatusCode::BAD_REQUEST),
        Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
    };
    let fields = form_urlencoded::parse(&bytes);
    if !fields.map(|(name, _)| name).eq(names) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let values: Vec<String> = fields.map(|(_, value)| value.into_owned()).collect();
    values.try_into().map_err(|_| StatusCode::BAD_REQUEST)
}

/// The first field of this name.
pub(super) fn first(encoded: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(encoded).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
