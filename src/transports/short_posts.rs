//! Calls over HTTP that rmcp need not see: they take the short route, by the rules of those that it sees.
//!
//! A session's client that leaves its call does not cancel it, as its revision says; the call goes on to its recorded
//! end. Knows HTTP and sessions. Knows nothing of what is called.

use std::sync::Arc;

use axum::{
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    message::Refusal,
    reply,
    sessions::{Claim, InUse, Sessions},
    under_way::to_its_end,
};
use crate::{
    domain::Principal,
    mcp::{PlainCall, Short},
};

/// The way of such calls.
pub(crate) struct ShortPosts {
    pub(crate) short: Short,
    pub(crate) sessions: Arc<Sessions>,
    /// Ends every call.
    pub(crate) end: CancellationToken,
    /// Holds a token for each.
    pub(crate) calls: TaskTracker,
}

/// One of them.
pub(crate) struct Taken {
    call: PlainCall,
    cancelled: CancellationToken,
    /// Of its id, where it is in a session.
    claim: Option<Claim>,
}

impl ShortPosts {
    /// The call that a POST is, to this session or to none; or why it is refused.
    pub(crate) fn take(
        &self,
        session: Option<&str>,
        parts: &Parts,
        bytes: &[u8],
    ) -> Option<Result<Taken, Refusal>> {
        let call = match session {
            None => self.short.read(&parts.headers, bytes)?,
            Some(session) => {
                let agreement = self.sessions.only_agreement(session)?;
                self.short.read_in_session(&agreement, &parts.headers, bytes)?
            }
        };
        let cancelled = self.end.child_token();
        let claim = session.map(|session| {
            self.sessions.claim((session.to_owned(), call.id().clone()), Some(cancelled.clone()))
        });
        Some(match claim.transpose() {
            Ok(claim) => Ok(Taken { call, cancelled, claim }),
            Err(InUse) => Err(Refusal::duplicate_id()),
        })
    }

    /// The answer to this principal.
    pub(crate) async fn answer(&self, taken: Taken, principal: Arc<Principal>, parts: Parts) -> Response {
        let Taken { call, cancelled, claim } = taken;
        let (short, is_in_session) = (self.short.clone(), claim.is_some());
        let left = if is_in_session { CancellationToken::new() } else { cancelled.clone() };
        let (held, until) = ((parts, self.calls.token(), claim), cancelled.clone());
        let answer = to_its_end(left, async move |_| {
            let _held = held;
            short.answer(call, principal, until).await
        });
        match answer.await {
            Some(_) if is_in_session && cancelled.is_cancelled() => no_answer(),
            Some(message) => reply::json_body(StatusCode::OK, message),
            None => reply::error(StatusCode::INTERNAL_SERVER_ERROR, "the call failed inside the server"),
        }
    }
}

/// A call that was cancelled gets none, and a request must have an answer: so it is a stream of no event, as rmcp's ends.
fn no_answer() -> Response {
    let stream = HeaderValue::from_static("text/event-stream");
    (StatusCode::OK, [(header::CONTENT_TYPE, stream)]).into_response()
}
