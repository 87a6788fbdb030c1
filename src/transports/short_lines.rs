//! The plain calls of a connection of lines, which rmcp need not see: each in a task of its own, on the books as any
//! other. Where one connection is all there is, its calls share the other threads, too, as soon as there are many at once.
//!
//! Knows what the handshake has settled. Knows nothing of bytes, sockets or HTTP.

use std::{fmt, sync::Arc};

use futures_util::Sink;
use http::request::Parts;
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, InitializeRequestParams, JsonRpcMessage, RequestId,
    ServerJsonRpcMessage, ServerResult,
};
use tokio_util::sync::CancellationToken;

use super::{TransportError, client, ledger::Ledger, message::Plain, outbox::Outbox, workers::Workers};
use crate::mcp::{Agreement, PlainCall, Short};

/// Calls at once that one thread carries alone: for fewer, another one takes longer to wake than it takes off them.
const ON_ONE_THREAD: usize = 16;

/// The way of such calls, open from the end of the handshake on.
#[derive(Debug, Default)]
pub(crate) struct ShortLines {
    short: Option<Short>,
    workers: Option<Workers>,
    asked: Option<InitializeRequestParams>,
    agreement: Option<Agreement>,
}

/// A call that goes this way.
pub(crate) struct PlainRequest {
    short: Short,
    workers: Option<Workers>,
    call: PlainCall,
    parts: Option<Parts>,
}

impl ShortLines {
    /// Without a short route it stays closed.
    pub(crate) fn new(short: Option<Short>) -> Self {
        Self { short, ..Self::default() }
    }

    /// The same, where these threads have nothing to do but for this connection.
    pub(crate) fn spread_over(self, workers: Workers) -> Self {
        Self { workers: Some(workers), ..self }
    }

    /// Looks at a request on its way to rmcp; `is_first` is the one that opens the session.
    pub(crate) fn look(&mut self, request: &ClientRequest, is_first: bool) {
        match request {
            ClientRequest::InitializeRequest(initialize) if is_first => {
                self.asked = Some(initialize.params.clone());
            }
            // After another handshake rmcp alone knows what holds.
            ClientRequest::InitializeRequest(_) => self.short = None,
            _ => {}
        }
    }

    /// Looks at a message of rmcp's on its way out.
    pub(crate) fn look_at_answer(&mut self, message: &ServerJsonRpcMessage) {
        if let JsonRpcMessage::Response(response) = message
            && let ServerResult::InitializeResult(result) = &response.result
            && let Some(asked) = self.asked.take()
        {
            self.agreement = Some(Agreement::new(&asked, result.protocol_version.clone()));
        }
    }

    /// The call that goes this way, or the message for rmcp.
    pub(crate) fn take(&self, plain: Plain) -> Result<Box<PlainRequest>, Box<ClientJsonRpcMessage>> {
        let (Some(short), Some(agreement)) = (&self.short, &self.agreement) else {
            return Err(Box::new(plain.into_message()));
        };
        let Plain { message, parts } = plain;
        match short.take(agreement, parts.as_ref().map(|parts| &parts.headers), message) {
            Ok(call) => {
                let (short, workers) = (short.clone(), self.workers.clone());
                Ok(Box::new(PlainRequest { short, workers, call, parts }))
            }
            Err(message) => Err(Box::new(Plain { message, parts }.into_message())),
        }
    }
}

impl PlainRequest {
    /// Its id.
    pub(crate) fn id(&self) -> &RequestId {
        self.call.id()
    }

    /// Begins it, with a token that cancels it. Its answer goes out, unless it was cancelled.
    pub(crate) fn begin<O>(self, ledger: Arc<Ledger>, out: Arc<Outbox<O>>, token: CancellationToken)
    where
        O: Sink<String, Error: Into<TransportError>> + Send + Unpin + 'static,
    {
        let Self { short, workers, call, parts } = self;
        let id = call.id().clone();
        ledger.begin(&id, token.clone());
        let workers = workers.filter(|_| ledger.serves_more_than(ON_ONE_THREAD));
        let call = async move {
            let principal =
                parts.as_ref().map_or_else(client::local, |parts| client::principal(&parts.extensions));
            let answer = short.answer(call, principal, token).await;
            // The body that it came with counts until here.
            drop(parts);
            let answer = String::from_utf8(answer).unwrap_or_default();
            if let Some(line) = ledger.answered(&id, answer) {
                // Where it fails, the session ends.
                let _ = out.write(line).await;
            }
        };
        match workers {
            Some(workers) => workers.spawn(call),
            None => drop(tokio::spawn(call)),
        }
    }
}

impl fmt::Debug for PlainRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PlainRequest").field(&self.call).finish()
    }
}
