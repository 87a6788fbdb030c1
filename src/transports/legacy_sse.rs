//! HTTP+SSE of 2024-11-05: `GET /sse` opens a session and streams its messages, `POST /messages` brings the
//! client's. The stream is the session: when it closes, the session ends and its handlers are cancelled.
//!
//! A client that does not read its stream makes its own session wait, then its own POSTs (503), and nobody else's.
//!
//! Knows HTTP and the wire. Knows nothing of Streamable HTTP.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    body::Body,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{Extensions, HeaderValue, StatusCode, request::Parts},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{StreamExt, stream};
use rmcp::ServerHandler;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{
    sync::{CancellationToken, PollSendError, PollSender},
    task::TaskTracker,
};
use uuid::Uuid;

use super::{
    TransportError,
    bodies::Bodies,
    client,
    connection::{self, Ending},
    held::Held,
    http::HttpConfig,
    ledger::Ledger,
    limits::{HttpLimits, SSE_EVENTS_WAITING, SSE_KEEP_ALIVE, SSE_MESSAGES_WAITING, SSE_POST_WAIT},
    message::{self, Inbound, Refusal},
    places::Places,
    reply,
    short_lines::ShortLines,
    wire::Received,
};
use crate::{
    audit::{RefusedAccess, Trail},
    domain::Principal,
    mcp::Short,
};

/// Every session of legacy SSE.
#[derive(Debug)]
pub(crate) struct LegacySse<S> {
    server: S,
    short: Option<Short>,
    sessions: Arc<Sessions>,
    streams: Arc<Places>,
    bodies: Arc<Bodies>,
    trail: Trail,
    limits: HttpLimits,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

type Sessions = Mutex<HashMap<Uuid, Session>>;

#[derive(Debug, Clone)]
struct Session {
    messages: mpsc::Sender<Received>,
    ledger: Arc<Ledger>,
    owner: Arc<Principal>,
}

#[derive(Debug, serde::Deserialize)]
pub(crate) struct Target {
    session_id: String,
}

impl<S: ServerHandler + Clone> LegacySse<S> {
    pub(crate) fn new(
        server: S,
        config: &HttpConfig,
        (streams, bodies): (Arc<Places>, Arc<Bodies>),
        shutdown: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            server,
            short: config.short.clone(),
            sessions: Arc::default(),
            streams,
            bodies,
            trail: config.trail.clone(),
            limits: config.limits.clone(),
            shutdown,
            tasks,
        }
    }

    /// `GET /sse`.
    pub(crate) fn stream(
        State(this): State<Arc<Self>>,
        extensions: Extensions,
    ) -> impl Future<Output = Response> + use<S> {
        let owner = client::principal(&extensions);
        drop(extensions);
        ready(this.open(owner))
    }

    fn open(&self, owner: Arc<Principal>) -> Response {
        if self.shutdown.is_cancelled() {
            return reply::shutting_down();
        }
        let place = match self.streams.take(&owner.name) {
            Ok(place) => place,
            Err(why) => return self.streams.refuse(why),
        };
        let id = Uuid::new_v4();
        let ledger = Arc::new(Ledger::default());
        let (messages, inbox) = mpsc::channel(SSE_MESSAGES_WAITING);
        let (outbox, events) = mpsc::channel::<String>(SSE_EVENTS_WAITING);
        lock(&self.sessions).insert(id, Session { messages, ledger: Arc::clone(&ledger), owner });

        let end = CancellationToken::new();
        let ending = Ending { shutdown: self.shutdown.clone(), end: end.clone(), grace: self.limits.grace };
        let server = (self.server.clone(), ShortLines::new(self.short.clone()));
        let sessions = Arc::clone(&self.sessions);
        // A task, since rmcp returns only once the client has sent its first request.
        self.tasks.spawn(async move {
            let output = PollSender::new(outbox);
            let outcome = connection::serve(server, ReceiverStream::new(inbox), output, ledger, ending).await;
            if let Err(error) = outcome {
                tracing::warn!(%error, "a legacy SSE session ended abnormally");
            }
            lock(&sessions).remove(&id);
            drop(place);
        });

        // A relative reference: a client resolves it against the address that it knows, which a proxy may have
        // given a prefix that we never see.
        let endpoint = Event::default().event("endpoint").data(format!("messages?session_id={id}"));
        let messages = ReceiverStream::new(events).map(|text| Event::default().event("message").data(text));
        let closed = end.drop_guard();
        let events = stream::iter([endpoint]).chain(messages).map(move |event| {
            // The guard lives in the body: when the client closes the stream, the session ends.
            let _ = &closed;
            Ok::<_, Infallible>(event)
        });
        let response = Sse::new(events).keep_alive(KeepAlive::new().interval(SSE_KEEP_ALIVE)).into_response();
        let mut response =
            response.map(|body| Body::new(Held::new(body, ()).at_most(self.limits.session_life)));
        // Without it nginx collects events until its buffer is full.
        response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
        response
    }

    /// `POST /messages?session_id=…`.
    pub(crate) async fn post(
        State(this): State<Arc<Self>>,
        target: Result<Query<Target>, QueryRejection>,
        request: Request,
    ) -> Response {
        let Ok(Query(Target { session_id })) = target else {
            return reply::error(StatusCode::BAD_REQUEST, "session_id is missing");
        };
        let session = Uuid::try_parse(&session_id).ok().and_then(|id| lock(&this.sessions).get(&id).cloned());
        let Some(session) = session else { return reply::no_such_session() };
        let principal = client::principal(request.extensions());
        // Answered like one that does not exist.
        if session.owner.name != principal.name {
            let principal = Some(principal.name.clone());
            this.trail.refused(&RefusedAccess { reason: "foreign_session", principal, path: "/messages" });
            return reply::no_such_session();
        }
        let (mut parts, body) = request.into_parts();
        let bytes = match reply::json_bytes(&mut parts, body, &this.limits, &this.bodies).await {
            Ok(bytes) => bytes,
            Err(response) => return response,
        };
        let inbound = match message::read(&bytes) {
            Ok(Inbound::Batch(_)) if !session.ledger.takes_batches() => {
                return reply::refused(&Refusal::batch_at_this_revision());
            }
            Ok(inbound) => with_parts(inbound, parts),
            Err(refusal) => return reply::refused(&refusal),
        };
        // The session reads nothing more once shutdown began.
        if this.shutdown.is_cancelled() {
            return reply::shutting_down();
        }
        match session.messages.send_timeout(Ok(inbound), SSE_POST_WAIT).await {
            Ok(()) => (StatusCode::ACCEPTED, "Accepted").into_response(),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                reply::busy("the session takes nothing more until its stream is read")
            }
            Err(mpsc::error::SendTimeoutError::Closed(_)) => reply::no_such_session(),
        }
    }
}

impl From<PollSendError<String>> for TransportError {
    fn from(_: PollSendError<String>) -> Self {
        Self::Closed
    }
}

/// Handlers see the HTTP request that brought their message, as they do over Streamable HTTP.
fn with_parts(mut inbound: Inbound, parts: Parts) -> Inbound {
    match &mut inbound {
        Inbound::One(message) => message.insert_extension(parts),
        Inbound::Plain(plain) => plain.parts = Some(parts),
        Inbound::Batch(members) => {
            for message in members.iter_mut().flatten() {
                message.insert_extension(parts.clone());
            }
        }
    }
    inbound
}

fn lock(sessions: &Sessions) -> MutexGuard<'_, HashMap<Uuid, Session>> {
    sessions.lock().unwrap_or_else(PoisonError::into_inner)
}
