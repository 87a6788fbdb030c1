//! Signatures: refuses requests for the nine operations that the real API would refuse.
//!
//! The scheme is draft-cavage HTTP signatures with `rsa-sha256`, as Fintecture's official SDKs sign. The signing
//! string has a line each, joined by newlines:
//!
//! ```text
//! (request-target): get /v1/customers?page%5Bnumber%5D=1     method in lower case, path and query as received
//! date: Fri, 15 Jan 2027 08:00:00 GMT
//! digest: SHA-256=<base64 of the body's sha256>              only with a body
//! x-request-id: <uuid v4>
//! ```

mod header;
mod key;
mod seen;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{FromRequest, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use uuid::{Uuid, Variant};

use self::header::SignatureHeader;
pub use self::key::PublicKey;
use self::seen::Seen;
use super::record::one_header;
use super::refusal::Refusal;
use super::shared::Shared;

/// How far a request's `Date` may be from the simulator's clock, either way.
pub const MAX_DATE_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How long an `X-Request-ID` may not come again. Whoever replays a request later fails by its date.
pub const REQUEST_ID_MEMORY: SignedDuration = SignedDuration::from_mins(10);

/// What has to be signed with a body, and without.
const SIGNED_WITH_BODY: &str = "(request-target) date digest x-request-id";
const SIGNED_WITHOUT_BODY: &str = "(request-target) date x-request-id";

/// Lets a request through whose signature is right, and any where no public key was given.
///
/// # Errors
/// [`Refusal::Signature`], which says what is wrong.
pub(super) async fn require_signature(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let Some(verifier) = &shared.verifier else { return Ok(next.run(request).await) };
    let (parts, body) = request.into_parts();
    let body = Bytes::from_request(Request::new(body), &())
        .await
        .map_err(|_| Refusal::Malformed("the body could not be read"))?;
    verifier.check(&parts, &body, shared.clock.now()).map_err(Refusal::Signature)?;
    Ok(next.run(Request::from_parts(parts, body.into())).await)
}

/// Checks signatures with one key.
pub(super) struct Verifier {
    key: PublicKey,
    seen: Mutex<Seen>,
}

impl Verifier {
    pub(super) fn new(key: PublicKey) -> Self {
        Self { key, seen: Mutex::default() }
    }

    /// Whether a request is signed as it must be.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    fn check(&self, parts: &Parts, body: &[u8], now: Timestamp) -> Result<(), &'static str> {
        let one = |name: &str, problem: &'static str| one_header(&parts.headers, name).ok_or(problem);
        let signature = SignatureHeader::parse(one("signature", "one Signature header is required")?)?;
        let date = one("date", "one Date header is required")?;
        let request_id = one("x-request-id", "one X-Request-ID header is required")?;

        if signature.key_id.is_empty() {
            return Err("the keyId of the Signature is empty");
        }
        if signature.algorithm != "rsa-sha256" {
            return Err("the algorithm of the Signature must be rsa-sha256");
        }
        check_date(date, now)?;
        let id = request_uuid(request_id).ok_or("the X-Request-ID must be a uuid of version 4")?;

        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let method = parts.method.as_str().to_ascii_lowercase();
        let signed = if body.is_empty() {
            if parts.headers.contains_key("digest") {
                return Err("a Digest header belongs to a body, and there is none");
            }
            if signature.headers != SIGNED_WITHOUT_BODY {
                return Err(
                    "without a body, the headers of the Signature must be '(request-target) date x-request-id'",
                );
            }
            format!("(request-target): {method} {target}\ndate: {date}\nx-request-id: {request_id}")
        } else {
            let given = one("digest", "with a body, one Digest header is required")?;
            if given != format!("SHA-256={}", STANDARD.encode(digest(&SHA256, body))) {
                return Err(
                    "the Digest does not fit the body; it must be SHA-256=<base64 of the body's sha256>",
                );
            }
            if signature.headers != SIGNED_WITH_BODY {
                return Err(
                    "with a body, the headers of the Signature must be '(request-target) date digest x-request-id'",
                );
            }
            format!(
                "(request-target): {method} {target}\ndate: {date}\ndigest: {given}\nx-request-id: {request_id}"
            )
        };
        if !self.key.verifies(signed.as_bytes(), &signature.signature) {
            return Err("the signature does not fit the request and the public key");
        }
        // Only now: a request that is not the signer's own must not use up an id.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.first_time(id, now) {
            Ok(())
        } else {
            Err("the X-Request-ID was used before; each request needs its own")
        }
    }
}

fn check_date(date: &str, now: Timestamp) -> Result<(), &'static str> {
    let parsed = httpdate::parse_http_date(date).ok().filter(|time| httpdate::fmt_http_date(*time) == date);
    let time = parsed.and_then(|time| Timestamp::try_from(time).ok());
    let time = time.ok_or("the Date is not of the form 'Fri, 15 Jan 2027 08:00:00 GMT'")?;
    if now.duration_since(time).unsigned_abs() > Duration::try_from(MAX_DATE_SKEW).unwrap_or_default() {
        return Err("the Date is more than 5 minutes from now");
    }
    Ok(())
}

/// A uuid of version 4, written with its hyphens.
fn request_uuid(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok().filter(|_| text.len() == uuid::fmt::Hyphenated::LENGTH)?;
    (id.get_version_num() == 4 && id.get_variant() == Variant::RFC4122).then_some(id)
}
