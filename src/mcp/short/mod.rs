//! A short route for the plain `tools/call`. rmcp builds a whole service for a request of 2026-07-28 over HTTP, and takes
//! one of a session through a loop, tasks and channels.
//!
//! It takes two shapes and leaves everything else to rmcp, untouched: whatever is wrong with a request, rmcp says so. A
//! call that it takes goes through the same [`Calls`] as every other, and is answered in the same words; a test feeds
//! both ways the same requests. `request` knows the shape of 2026-07-28, `message` and `session` that of sessions;
//! `answer` writes the message. Decides nothing about tools. Knows headers and bodies; no listener and no door.

mod answer;
mod message;
mod request;
mod session;

use std::sync::Arc;

use http::HeaderMap;
use rmcp::ErrorData;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::server::Server;
use super::{links, refusal};
use crate::calls::{self, Answer, Caller, Calls};
use crate::domain::Principal;
pub use message::PlainMessage;
use request::Form;
pub use request::PlainCall;
pub use session::Agreement;

/// The short route of one server; cloning it clones pointers.
#[derive(Debug, Clone)]
pub struct Short {
    calls: Arc<Calls>,
    /// `_meta` of every result, as JSON.
    identity: Arc<str>,
}

impl Short {
    /// The route to the same calls as this server's.
    ///
    /// # Errors
    /// Where the server's own name is no JSON.
    pub fn of(server: &Server) -> Result<Self, serde_json::Error> {
        let identity = serde_json::to_string(server.identity())?.into();
        Ok(Self { calls: Arc::clone(server.calls()), identity })
    }

    /// The call that a POST is, where it is one of the shape that this route takes: its `Host`, `Origin`, `Content-Type`
    /// and length have been looked at. Nothing is kept of any other.
    #[must_use]
    pub fn read(&self, headers: &HeaderMap, body: &[u8]) -> Option<PlainCall> {
        request::read(headers, body, self.calls.tools())
    }

    /// The call that a POST is in a session of Streamable HTTP, where it is a plain one that reads. Of the POST the same has
    /// been looked at.
    #[must_use]
    pub fn read_in_session(
        &self,
        agreement: &Agreement,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Option<PlainCall> {
        if !agreement.suits(headers) || session::may_want_progress(body) {
            return None;
        }
        let message = PlainMessage::read(body)?;
        session::take(agreement, Some(headers), Box::new(message), self.calls.tools()).ok()
    }

    /// The call that a message of a session is, where it is one that reads; `headers` are those that it came with.
    ///
    /// # Errors
    /// The message where it is another.
    pub fn take(
        &self,
        agreement: &Agreement,
        headers: Option<&HeaderMap>,
        message: Box<PlainMessage>,
    ) -> Result<PlainCall, Box<PlainMessage>> {
        session::take(agreement, headers, message, self.calls.tools())
    }

    /// The JSON-RPC message that answers a call of this principal's. `cancelled` is cancelled when the client leaves.
    pub async fn answer(
        &self,
        call: PlainCall,
        principal: Arc<Principal>,
        cancelled: CancellationToken,
    ) -> Vec<u8> {
        let PlainCall { id, tool, arguments, client, origin, form } = call;
        // Nobody is asked and nobody told on the way: who wants that is not of the shape.
        let caller =
            Caller { principal, client, cancelled, progress: None, person: None, takes_tasks: false, origin };
        let answered = refusal::catch(async {
            let customer_id = arguments.get("customer_id").and_then(Value::as_str).map(str::to_owned);
            match self.calls.call(&caller, tool, arguments).await {
                Answer::Reply(reply) => {
                    self.result(&id, form, &caller.principal, customer_id.as_deref(), &reply)
                }
                Answer::Asked | Answer::Task(_) => {
                    Err(ErrorData::internal_error("the answer of the call was for another client", None))
                }
            }
        });
        answered.await.unwrap_or_else(|error| answer::error(&id, error))
    }

    fn result(
        &self,
        id: &request::Id,
        form: Form,
        principal: &Principal,
        customer_id: Option<&str>,
        reply: &calls::Reply,
    ) -> Result<Vec<u8>, ErrorData> {
        let links = if form.takes_links && !reply.is_error {
            links::of(&self.calls, principal, customer_id, &reply.body)
        } else {
            Vec::new()
        };
        let identity = form.is_stateless.then_some(&*self.identity);
        answer::result(id, reply, &links, identity)
            .map_err(|_| ErrorData::internal_error("a result got lost", None))
    }
}
