//! One connection from its first message to its last: rmcp over the wire, and what its end means.
//!
//! Knows nothing of where messages come from and lines go to.

use std::{borrow::Cow, future::pending, io, sync::Arc, time::Duration};

use futures_util::{Sink, Stream};
use rmcp::{
    ErrorData, RoleServer, ServerHandler, Service,
    model::{ClientNotification, ClientRequest, ProtocolVersion, ServerConfig, ServerResult},
    service::{NotificationContext, QuitReason, RequestContext, ServerInitializeError, serve_server_with_ct},
    transport::Transport,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    TransportError,
    ledger::Ledger,
    outbox::Outbox,
    short_lines::ShortLines,
    wire::{Received, Wire},
};

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

/// Serves one connection until its input ends, its client is gone, or `ending` says so. `short_lines` takes the calls that
/// rmcp need not see.
pub(crate) async fn serve<S, I, O>(
    (server, short_lines): (S, ShortLines),
    input: I,
    output: O,
    ledger: Arc<Ledger>,
    ending: Ending,
) -> Result<(), TransportError>
where
    S: ServerHandler,
    I: Stream<Item = Received> + Send + Unpin + 'static,
    O: Sink<String, Error: Into<TransportError>> + Send + Unpin + 'static,
{
    let end = ending.end.clone();
    let out = Arc::new(Outbox::new(output, end));
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
    let end = ending.end.clone();
    let revisions = server.supported_protocol_versions();
    let server = Noted { server, ledger: Arc::clone(&ledger) };
    let wire = Wire::new(input, Arc::clone(&out), ledger, short_lines, revisions, ending);
    let outcome = tokio::select! {
        outcome = run(server, wire, end) => outcome,
        never = last_resort => never,
    };
    match out.failure() {
        _ if matches!(outcome, Err(TransportError::Task(_))) => outcome,
        // A client that has gone is no failure of ours.
        Some(TransportError::Write(error)) if !is_gone(error) => {
            Err(TransportError::Write(error.kind().into()))
        }
        Some(_) => Ok(()),
        None => outcome,
    }
}

/// Whether the client has left; one that left what was written to its socket unread resets it.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

/// A server of which the ledger knows how each request is cancelled.
struct Noted<S> {
    server: S,
    ledger: Arc<Ledger>,
}

impl<S: ServerHandler> Service<RoleServer> for Noted<S> {
    fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<ServerResult, ErrorData>> + Send + '_ {
        self.ledger.begin(&context.id, context.ct.clone());
        Service::handle_request(&self.server, request, context)
    }

    fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> impl Future<Output = Result<(), ErrorData>> + Send + '_ {
        Service::handle_notification(&self.server, notification, context)
    }

    fn get_info(&self) -> ServerConfig {
        Service::get_info(&self.server)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Service::supported_protocol_versions(&self.server)
    }
}

async fn run<S, T>(server: S, wire: T, end: CancellationToken) -> Result<(), TransportError>
where
    S: Service<RoleServer>,
    T: Transport<RoleServer, Error = TransportError> + 'static,
{
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
