//! rmcp's transport over a stream of messages in and a sink of lines out: what stdio and legacy SSE have in
//! common, and what rmcp's own line transport leaves out. Bad input is answered instead of ignored, batches are
//! served where their revision has them, and the end waits for the answers.
//!
//! Knows nothing of bytes in, sockets or HTTP.

use std::{
    borrow::Cow,
    collections::VecDeque,
    future::pending,
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use rmcp::{
    RoleServer, ServerHandler,
    model::{
        ClientJsonRpcMessage, ClientNotification, ClientRequest, GetMeta, JsonRpcMessage, JsonRpcRequest,
        ProtocolVersion, ServerJsonRpcMessage,
    },
    service::{QuitReason, ServerInitializeError, serve_server_with_ct},
    transport::Transport,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    TransportError,
    calls::{Calls, Line},
    limits::{CALLS_IN_FLIGHT, CLOSE_WAIT},
    message::{Inbound, Refusal},
};

/// What the wire reads: a message, or the reason why there is none.
pub(crate) type Received = Result<Inbound, Refusal>;

/// When and how a wire ends.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    /// Cancelled from outside: read no more, finish what is in flight, then end.
    pub(crate) shutdown: CancellationToken,
    /// Ends the session at once and cancels its handlers. The wire cancels it itself when it is through.
    pub(crate) end: CancellationToken,
    /// How long calls in flight may take to finish.
    pub(crate) grace: Duration,
}

/// Serves one connection until its input ends, its client is gone, or `ending` says so.
pub(crate) async fn serve<S, I, O>(
    server: S,
    input: I,
    output: O,
    calls: Arc<Calls>,
    ending: Ending,
) -> Result<(), TransportError>
where
    S: ServerHandler,
    I: Stream<Item = Received> + Send + Unpin + 'static,
    O: Sink<String, Error = TransportError> + Send + Unpin + 'static,
{
    let end = ending.end.clone();
    let out = Arc::new(Outbox { sink: Mutex::new(output), end, failure: OnceLock::new() });
    // Until a session is open rmcp writes its answers inline and reads nothing, so the wire does not see the
    // shutdown while such an answer waits for its client.
    let last_resort = {
        let Ending { shutdown, end, grace } = ending.clone();
        async move {
            shutdown.cancelled().await;
            sleep(grace).await;
            end.cancel();
            pending().await
        }
    };
    let wire = Wire {
        input,
        out: Arc::clone(&out),
        calls,
        queue: VecDeque::new(),
        is_open: false,
        revisions: server.supported_protocol_versions(),
        ending,
        deadline: None,
    };
    let outcome = tokio::select! {
        outcome = run(server, wire) => outcome,
        never = last_resort => never,
    };
    match out.failure.get() {
        // A client that has gone is no failure of ours.
        Some(TransportError::Write(error)) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(TransportError::Write(error.kind().into()))
        }
        Some(_) => Ok(()),
        None => outcome,
    }
}

async fn run<S, I, O>(server: S, wire: Wire<I, O>) -> Result<(), TransportError>
where
    S: ServerHandler,
    Wire<I, O>: Transport<RoleServer> + 'static,
{
    let end = wire.ending.end.clone();
    match serve_server_with_ct(server, wire, end).await {
        Ok(service) => match service.waiting().await {
            Ok(QuitReason::JoinError(error)) | Err(error) => Err(TransportError::Task(error)),
            Ok(_) => Ok(()),
        },
        Err(ServerInitializeError::Cancelled | ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(ServerInitializeError::TransportError { .. }) => Err(TransportError::Closed),
        Err(_) => Err(TransportError::Session),
    }
}

/// The way out, shared by the answers that are written at the same time.
#[derive(Debug)]
struct Outbox<O> {
    sink: Mutex<O>,
    end: CancellationToken,
    failure: OnceLock<TransportError>,
}

impl<O> Outbox<O>
where
    O: Sink<String, Error = TransportError> + Unpin,
{
    async fn write(&self, mut line: Line) -> Result<(), TransportError> {
        let text = std::mem::take(&mut line.text);
        let sent = self.sink.lock().await.send(text).await;
        // No later answer can reach the client either, so there is nothing left to serve.
        sent.map_err(|error| {
            if self.failure.set(error).is_ok() {
                tracing::info!("the client is gone before its answers were: the session ends");
            }
            self.end.cancel();
            TransportError::Closed
        })
    }
}

/// A message on its way to rmcp.
#[derive(Debug)]
struct Queued {
    message: ClientJsonRpcMessage,
    /// The requests of a batch are noted when the batch comes in, all others when they are handed on.
    is_noted: bool,
}

#[derive(Debug)]
struct Wire<I, O> {
    input: I,
    out: Arc<Outbox<O>>,
    calls: Arc<Calls>,
    queue: VecDeque<Queued>,
    /// Whether a request has opened a lifecycle. rmcp ends the session on anything else before it.
    is_open: bool,
    revisions: Cow<'static, [ProtocolVersion]>,
    ending: Ending,
    /// Set once the wire reads no more.
    deadline: Option<Instant>,
}

impl<I, O> Wire<I, O>
where
    I: Stream<Item = Received> + Unpin,
    O: Sink<String, Error = TransportError> + Send + Unpin + 'static,
{
    fn take_in(&mut self, received: Received) {
        match received {
            Err(refusal) => self.refuse(&refusal),
            Ok(Inbound::One(message)) => self.queue.push_back(Queued { message: *message, is_noted: false }),
            Ok(Inbound::Batch(_)) if !self.calls.takes_batches() => {
                self.refuse(&Refusal::batch_at_this_revision())
            }
            Ok(Inbound::Batch(members)) => {
                let (messages, answer) = self.calls.open_batch(members);
                self.queue.extend(messages.into_iter().map(|message| Queued { message, is_noted: true }));
                self.write(answer);
            }
        }
    }

    /// Keeps the books, and holds back what rmcp must not see.
    fn admit(&mut self, Queued { message, is_noted }: Queued) -> Option<ClientJsonRpcMessage> {
        match &message {
            JsonRpcMessage::Request(request) => {
                if !is_noted && !self.calls.open(request) {
                    self.refuse(&Refusal::duplicate_id());
                    return None;
                }
                self.is_open = self.is_open || self.opens(request);
            }
            _ if !self.is_open => {
                tracing::debug!("dropped a message that came before the session was opened");
                return None;
            }
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    let answer = self.calls.cancelled(id);
                    self.write(answer);
                }
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
        }
        Some(message)
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
        self.write(Some(self.calls.line(refusal.to_json())));
    }

    /// Writes beside `receive`, which may be dropped at any await. Bounded, since the line counts as held.
    fn write(&self, line: Option<Line>) {
        if let Some(line) = line {
            let out = Arc::clone(&self.out);
            tokio::spawn(async move { out.write(line).await });
        }
    }

    /// What arrived before the shutdown is still served: over legacy SSE it was accepted already.
    fn take_what_is_there(&mut self) {
        while self.calls.has_room()
            && self.queue.len() < CALLS_IN_FLIGHT
            && let Some(Some(received)) = self.input.next().now_or_never()
        {
            self.take_in(received);
        }
    }
}

/// rmcp gives handlers 5 s after the last message, less than a call may take: so the wait is here.
async fn drain(calls: &Calls, deadline: Instant) {
    if timeout_at(deadline, calls.idle()).await.is_err() {
        tracing::warn!(owed = calls.owed(), "calls in flight were given up at the end of their grace period");
    }
}

impl<I, O> Transport<RoleServer> for Wire<I, O>
where
    I: Stream<Item = Received> + Send + Unpin + 'static,
    O: Sink<String, Error = TransportError> + Send + Unpin + 'static,
{
    type Error = TransportError;

    fn send(
        &mut self,
        item: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let line = serde_json::to_string(&item)
            .map(|text| self.calls.outgoing(&item, text))
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
            if let Some(deadline) = self.deadline {
                drain(&self.calls, deadline).await;
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
                received = async {
                    self.calls.room().await;
                    self.input.next().await
                } => received,
            };
            match received {
                Some(received) => self.take_in(received),
                None => self.deadline = Some(Instant::now() + self.ending.grace),
            }
        }
    }

    /// Bounded: a client that reads nothing may hold the sink for ever, and rmcp waits for this.
    async fn close(&mut self) -> Result<(), Self::Error> {
        let closed = timeout(CLOSE_WAIT, async { self.out.sink.lock().await.close().await });
        if closed.await.is_err() {
            tracing::warn!("the client did not read its last answers");
        }
        Ok(())
    }
}
