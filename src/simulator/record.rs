//! What really happened, for tests to hold the answers against: effects and counts. Nothing here is served over HTTP.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::operation::Operation;

/// Longest `X-Request-ID` that is kept, in bytes. A uuid has 36.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// A write that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What was asked for.
    pub operation: Operation,
    /// The id of the record that was created.
    pub id: String,
    /// The request's one `X-Request-ID`, unless it had none, several, or one over 128 bytes.
    pub request_id: Option<String>,
    /// The `external_id` of a customer who has one.
    pub external_id: Option<String>,
}

/// Effects in the order in which they took place, and how often each operation was asked for.
///
/// There are never more effects than the store keeps records: it never drops one.
#[derive(Default)]
pub(super) struct Record {
    effects: Mutex<Vec<Effect>>,
    requests: [AtomicU64; Operation::ALL.len()],
}

impl Record {
    fn effects(&self) -> MutexGuard<'_, Vec<Effect>> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn took_effect(&self, effect: Effect) {
        self.effects().push(effect);
    }

    pub(super) fn all_effects(&self) -> Vec<Effect> {
        self.effects().clone()
    }

    pub(super) fn requested(&self, operation: Operation) {
        if let Some(count) = self.requests.get(operation as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn requests(&self, operation: Operation) -> u64 {
        self.requests.get(operation as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

/// The one value of a header; `None` when it is missing, there twice, or not printable ASCII.
pub(super) fn one_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    value.to_str().ok()
}

/// The request's `X-Request-ID`, as an effect keeps it.
pub(super) struct RequestId(pub(super) Option<String>);

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let id = one_header(&parts.headers, "x-request-id");
        Ok(Self(id.filter(|id| id.len() <= MAX_REQUEST_ID_BYTES).map(str::to_owned)))
    }
}
