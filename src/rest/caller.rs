//! Who makes a call, as the head of its HTTP request tells it. No person can be asked over plain HTTP, and nobody is told
//! how far a call is.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use tokio_util::sync::CancellationToken;

use super::TOOL_ROUTE;
use crate::calls::Caller;
use crate::domain::Principal;
use crate::traces::{Face, Origin, Place};

/// Reads who calls. `cancelled` is cancelled when they hang up.
pub(super) fn of(principal: Arc<Principal>, headers: &HeaderMap, cancelled: CancellationToken) -> Caller {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let place = Place::sent(text("traceparent"), text("tracestate"));
    Caller {
        principal,
        client: text(header::USER_AGENT.as_str()).map(str::to_owned),
        cancelled,
        origin: Origin { place, face: Face::Rest, method: TOOL_ROUTE },
        progress: None,
        person: None,
        takes_tasks: false,
    }
}
