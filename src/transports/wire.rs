//! rmcp's transport over a stream of messages in and a sink of lines out: what stdio and legacy SSE have in
//! common, and what rmcp's own line transport leaves out. Bad input is answered instead of ignored, batches are
//! served where their revision has them, the end waits for the answers, and requests beyond the cap wait in a queue
//! of their own, so that no call can keep back the message that it waits for.
//!
//! Knows nothing of bytes, sockets or HTTP.

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use futures_util::{FutureExt, Sink, Stream, StreamExt};
use rmcp::{
    RoleServer,
    model::{
        ClientJsonRpcMessage, ClientNotification, ClientRequest, GetMeta, JsonRpcMessage, JsonRpcRequest,
        ProtocolVersion, RequestId, ServerJsonRpcMessage,
    },
    transport::Transport,
};
use tokio::time::{Instant, timeout_at};

use super::{
    TransportError,
    connection::Ending,
    ledger::{Ledger, Line},
    limits::{CALLS_HELD_BACK, CALLS_IN_FLIGHT, CLOSE_WAIT},
    message::{Inbound, Refusal},
    outbox::Outbox,
    short_lines::{PlainRequest, ShortLines},
};

/// What the wire reads: a message, or the reason why there is none.
pub(crate) type Received = Result<Inbound, Refusal>;

/// A message on its way.
#[derive(Debug)]
enum Queued {
    /// To rmcp.
    Message(ClientJsonRpcMessage),
    /// The same, of a batch: its requests are noted when the batch comes in, all others when they are handed on.
    OfBatch(ClientJsonRpcMessage),
    /// Past rmcp.
    Plain(Box<PlainRequest>),
}

/// A request that waits for room.
#[derive(Debug)]
enum Waiting {
    Request(Box<JsonRpcRequest<ClientRequest>>),
    Plain(Box<PlainRequest>),
}

impl Waiting {
    fn id(&self) -> &RequestId {
        match self {
            Self::Request(request) => &request.id,
            Self::Plain(request) => request.id(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Wire<I, O> {
    input: I,
    out: Arc<Outbox<O>>,
    ledger: Arc<Ledger>,
    queue: VecDeque<Queued>,
    /// Requests that came when as many were served as may be, noted in the ledger. Everything else passes them.
    held: VecDeque<Waiting>,
    /// Whether a request has opened a lifecycle. rmcp ends the session on anything else before it.
    is_open: bool,
    short_lines: ShortLines,
    revisions: Cow<'static, [ProtocolVersion]>,
    ending: Ending,
    /// Set once the wire reads no more.
    deadline: Option<Instant>,
}

impl<I, O> Wire<I, O>
where
    I: Stream<Item = Received> + Unpin,
    O: Sink<String, Error: Into<TransportError>> + Send + Unpin + 'static,
{
    /// `revisions` are those that the server serves.
    pub(crate) fn new(
        input: I,
        out: Arc<Outbox<O>>,
        ledger: Arc<Ledger>,
        short_lines: ShortLines,
        revisions: Cow<'static, [ProtocolVersion]>,
        ending: Ending,
    ) -> Self {
        let (queue, held) = (VecDeque::new(), VecDeque::new());
        Self {
            input,
            out,
            ledger,
            queue,
            held,
            is_open: false,
            short_lines,
            revisions,
            ending,
            deadline: None,
        }
    }

    fn take_in(&mut self, received: Received) {
        match received {
            Err(refusal) => self.refuse(&refusal),
            Ok(Inbound::Plain(plain)) => self.queue.push_back(match self.short_lines.take(*plain) {
                Ok(request) => Queued::Plain(request),
                Err(message) => Queued::Message(*message),
            }),
            Ok(Inbound::One(message)) => self.queue.push_back(Queued::Message(*message)),
            Ok(Inbound::Batch(_)) if !self.ledger.takes_batches() => {
                self.refuse(&Refusal::batch_at_this_revision());
            }
            Ok(Inbound::Batch(members)) => {
                let (messages, answer) = self.ledger.open_batch(members);
                self.queue.extend(messages.into_iter().map(Queued::OfBatch));
                self.write(answer);
            }
        }
    }

    /// Keeps the books, and holds back what rmcp must not see.
    fn admit(&mut self, queued: Queued) -> Option<ClientJsonRpcMessage> {
        let (message, is_noted) = match queued {
            Queued::Message(message) => (message, false),
            Queued::OfBatch(message) => (message, true),
            Queued::Plain(request) if self.ledger.open_plain(request.id()) => {
                self.held.push_back(Waiting::Plain(request));
                return self.next_held();
            }
            Queued::Plain(_) => {
                self.refuse(&Refusal::duplicate_id());
                return None;
            }
        };
        match &message {
            JsonRpcMessage::Request(request) if !is_noted && !self.ledger.open(request) => {
                self.refuse(&Refusal::duplicate_id());
                return None;
            }
            JsonRpcMessage::Request(_) => {}
            _ if !self.is_open => {
                tracing::debug!("dropped a message that came before the session was opened");
                return None;
            }
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.cancel(id);
                    // rmcp would drop the answer unseen, and nobody would know when the id is free.
                    return None;
                }
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
        }
        let JsonRpcMessage::Request(request) = message else { return Some(message) };
        self.held.push_back(Waiting::Request(Box::new(request)));
        self.next_held()
    }

    fn cancel(&mut self, id: &RequestId) {
        let held = self.held.iter().position(|waiting| waiting.id() == id);
        let answer = match held.and_then(|place| self.held.remove(place)) {
            Some(_) => self.ledger.forget(id),
            None => self.ledger.cancel(id),
        };
        self.write(answer);
    }

    /// The request for rmcp that has waited longest, once there is room for it. Those beside rmcp are begun.
    fn next_held(&mut self) -> Option<ClientJsonRpcMessage> {
        while self.ledger.has_room() {
            match self.held.pop_front()? {
                Waiting::Plain(request) => {
                    let (ledger, out) = (Arc::clone(&self.ledger), Arc::clone(&self.out));
                    request.begin(ledger, out, self.ending.end.child_token());
                }
                Waiting::Request(request) => {
                    self.ledger.serve(&request.id);
                    self.short_lines.look(&request.request, !self.is_open);
                    self.is_open = self.is_open || self.opens(&request);
                    return Some(JsonRpcMessage::Request(*request));
                }
            }
        }
        None
    }

    /// rmcp's own rule for what starts a session: `initialize`, or a request with everything that 2026-07-28
    /// wants in its `_meta`. `server/discover` and `ping` leave the choice open.
    fn opens(&self, request: &JsonRpcRequest<ClientRequest>) -> bool {
        match &request.request {
            ClientRequest::InitializeRequest(_) => true,
            ClientRequest::DiscoverRequest(_) | ClientRequest::PingRequest(_) => false,
            other => {
                let meta = other.get_meta();
                meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
                    && meta.protocol_version().is_some_and(|version| self.revisions.contains(&version))
            }
        }
    }

    fn refuse(&self, refusal: &Refusal) {
        self.write(Some(self.ledger.line(refusal.to_json())));
    }

    /// Writes beside `receive`, which may be dropped at any await. Bounded, since lines that nobody reads stop the reading.
    fn write(&self, line: Option<Line>) {
        if let Some(line) = line {
            let out = Arc::clone(&self.out);
            tokio::spawn(async move { out.write(line).await });
        }
    }

    /// What arrived before the shutdown is still served: over legacy SSE it was accepted already.
    fn take_what_is_there(&mut self) {
        while self.ledger.is_read()
            && self.queue.len() < CALLS_IN_FLIGHT
            && self.held.len() < CALLS_HELD_BACK
            && let Some(Some(received)) = self.input.next().now_or_never()
        {
            self.take_in(received);
        }
    }
}

/// rmcp gives handlers 5 s after the last message, less than a call may take: so the wait is here.
async fn drain(ledger: &Ledger, deadline: Instant) {
    if timeout_at(deadline, ledger.idle()).await.is_err() {
        tracing::warn!(
            owed = ledger.owed(),
            "calls in flight were given up at the end of their grace period"
        );
    }
}

impl<I, O> Transport<RoleServer> for Wire<I, O>
where
    I: Stream<Item = Received> + Send + Unpin + 'static,
    O: Sink<String, Error: Into<TransportError>> + Send + Unpin + 'static,
{
    type Error = TransportError;

    fn send(
        &mut self,
        item: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.short_lines.look_at_answer(&item);
        let line = serde_json::to_string(&item)
            .map(|text| self.ledger.outgoing(&item, text))
            .map_err(TransportError::Encode);
        let out = Arc::clone(&self.out);
        async move {
            match line? {
                Some(line) => out.write(line).await,
                None => Ok(()),
            }
        }
    }

    /// rmcp polls this inside a `select!` and drops it often: nothing may be lost at an await, so whatever was
    /// read goes through the queue.
    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            while let Some(queued) = self.queue.pop_front() {
                if let Some(message) = self.admit(queued) {
                    return Some(message);
                }
            }
            if let Some(request) = self.next_held() {
                return Some(request);
            }
            if let Some(deadline) = self.deadline {
                if !self.held.is_empty() && timeout_at(deadline, self.ledger.room()).await.is_ok() {
                    continue;
                }
                drain(&self.ledger, deadline).await;
                // What still runs is a subscription, or too late.
                self.ending.end.cancel();
                return None;
            }
            let received = tokio::select! {
                biased;
                () = self.ending.shutdown.cancelled() => {
                    self.take_what_is_there();
                    None
                }
                () = self.ledger.room(), if !self.held.is_empty() => continue,
                received = async {
                    self.ledger.until_read().await;
                    self.input.next().await
                }, if self.held.len() < CALLS_HELD_BACK => received,
            };
            match received {
                Some(received) => self.take_in(received),
                None => self.deadline = Some(Instant::now() + self.ending.grace),
            }
        }
    }

    /// Bounded: a client that reads nothing may hold the sink for ever, and rmcp waits for this.
    async fn close(&mut self) -> Result<(), Self::Error> {
        let deadline = Instant::now() + CLOSE_WAIT;
        // Calls that the end has just cancelled still say so, and rmcp waits for none but its own.
        if self.out.failure().is_none() {
            let _ = timeout_at(deadline, self.ledger.idle()).await;
        }
        if timeout_at(deadline, self.out.close()).await.is_err() {
            tracing::warn!("the client did not read its last answers");
        }
        Ok(())
    }
}
