//! `/mcp`: rmcp's Streamable HTTP service, with the errors that JSON-RPC demands where rmcp answers in plain text,
//! and batches for the one revision that has them.
//!
//! Knows HTTP, rmcp's service and whose a session is. Knows nothing of what one is made of.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, BodyStream, Full, StreamBody, combinators::BoxBody};
use rmcp::{
    ServerHandler,
    model::ProtocolVersion,
    transport::{
        StreamableHttpServerConfig, StreamableHttpService, streamable_http_server::session::SessionStore,
    },
};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use super::{
    asked::{Refused, asked_by},
    batch,
    bodies::Bodies,
    client,
    gate::Gate,
    held::Held,
    http::HttpConfig,
    limits::HttpLimits,
    message::{self, Refusal},
    places::Places,
    reply,
    sessions::{Claim, Kept, Sessions, Sight},
    shared::{Record, Shared},
    short_posts::ShortPosts,
};
use crate::{
    audit::{RefusedAccess, Trail},
    domain::Principal,
};

pub(crate) const SESSION_ID: &str = "mcp-session-id";
/// How long the head of a session's answer waits for the answer.
const SOON: Duration = Duration::from_millis(50);
/// How long rmcp may take to throw an answer away that nobody waits for: the next call of its id would get it.
const THROWN_AWAY: Duration = Duration::from_millis(100);

type Answer = axum::http::Response<BoxBody<Bytes, Infallible>>;

/// The handler of `/mcp`.
pub(crate) struct Streamable<S> {
    service: StreamableHttpService<S, Sessions>,
    short_posts: Option<ShortPosts>,
    sessions: Arc<Sessions>,
    shared: Option<Arc<Shared>>,
    streams: Arc<Places>,
    bodies: Arc<Bodies>,
    trail: Trail,
    limits: HttpLimits,
    end: CancellationToken,
    calls: TaskTracker,
}

/// A request that may go on: who asks, in which session of theirs, and what the store has of that where this replica has
/// none.
struct Visit {
    principal: Arc<Principal>,
    session: Option<String>,
    record: Option<Record>,
    /// Makes the end of the server wait.
    in_flight: Option<TaskTrackerToken>,
}

/// What the head of a request carries to its handler, and is dropped when that has ended: a client that cancels its call
/// or leaves it is gone before.
#[derive(Clone)]
struct UntilHandled {
    claim: Option<Arc<Claim>>,
    _in_flight: Option<TaskTrackerToken>,
}

impl Drop for UntilHandled {
    fn drop(&mut self) {
        // The last holder of the claim: no body waits for the answer, and rmcp has yet to throw that away.
        if let Some(claim) = self.claim.take().and_then(Arc::into_inner)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move {
                sleep(THROWN_AWAY).await;
                drop(claim);
            });
        }
    }
}

impl<S: ServerHandler + Clone> Streamable<S> {
    /// `calls` holds a token for every call until the last byte of its answer is out. Cancelling `end` ends every
    /// session and stream.
    pub(crate) fn new(
        server: S,
        gate: &Gate,
        config: &HttpConfig,
        (streams, bodies): (Arc<Places>, Arc<Bodies>),
        end: CancellationToken,
        calls: TaskTracker,
    ) -> Self {
        let limits = config.limits.clone();
        let shared = config.shares_sessions.then(|| Shared::new(config.store.clone(), &limits));
        let sessions = Sessions::new(&limits, shared.clone());
        let mut rmcp = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(true)
            .with_json_response(true)
            .with_max_request_body_bytes(limits.body_bytes)
            .with_allowed_hosts(gate.names().hosts.clone())
            .with_allowed_origins(gate.names().origins_with_ports())
            .enforce_origin_validation()
            .with_cancellation_token(end.clone());
        rmcp.session_store =
            shared.is_some().then(|| Arc::new(Kept(Arc::clone(&sessions))) as Arc<dyn SessionStore>);
        let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::clone(&sessions), rmcp);
        let trail = config.trail.clone();
        let short_posts = config.short.clone().map(|short| {
            let sessions = Arc::clone(&sessions);
            ShortPosts { short, sessions, end: end.clone(), calls: calls.clone() }
        });
        Self { service, short_posts, sessions, shared, streams, bodies, trail, limits, end, calls }
    }

    /// Any method of `/mcp`.
    pub(crate) async fn handle(State(this): State<Arc<Self>>, request: Request) -> Response {
        if this.end.is_cancelled() {
            return reply::shutting_down();
        }
        let (parts, body) = request.into_parts();
        let mut visit = match this.admit(&parts).await {
            Ok(visit) => visit,
            Err(response) => return response,
        };
        // A subscription is open until somebody ends it, so a shutdown does not wait for it. At the revision that
        // has subscriptions rmcp checks this header against the body.
        let is_subscription =
            parts.headers.get("mcp-method").is_some_and(|method| method == "subscriptions/listen");
        match parts.method {
            Method::POST if !is_subscription => {
                visit.in_flight = Some(this.calls.token());
                let response = this.post(&visit, parts, body).await;
                response.map(|body| Body::new(Held::new(body, visit.in_flight)))
            }
            Method::POST | Method::GET => {
                let place = match this.streams.take(&visit.principal.name) {
                    Ok(place) => place,
                    Err(why) => return this.streams.refuse(why),
                };
                let response = if parts.method == Method::POST {
                    this.post(&visit, parts, body).await
                } else {
                    this.answer(&visit, parts, Bytes::new()).await
                };
                let life = this.limits.session_life;
                response.map(|body| Body::new(Held::new(body, place).at_most(life)))
            }
            _ => this.answer(&visit, parts, Bytes::new()).await,
        }
    }

    /// Looks whose the session is, before anything else of the request is read: another principal's is answered like
    /// one that does not exist.
    async fn admit(&self, parts: &Parts) -> Result<Visit, Response> {
        let principal = client::principal(&parts.extensions);
        let mut visit = Visit { principal, session: None, record: None, in_flight: None };
        let Some(id) = parts.headers.get(SESSION_ID).and_then(|id| id.to_str().ok()) else {
            return Ok(visit);
        };
        // A request of the revision without sessions has none, whatever it says.
        if is_stateless(&parts.headers) {
            return Ok(visit);
        }
        visit.session = Some(id.to_owned());
        match self.sessions.sight(id, &visit.principal) {
            Sight::Own => return Ok(visit),
            Sight::Foreign => return Err(self.foreign(&visit.principal)),
            Sight::Unknown => {}
        }
        let Some(shared) = &self.shared else { return Err(reply::no_such_session()) };
        match shared.find(id).await {
            Ok(Some(record)) if record.owner == visit.principal.name => {
                Ok(Visit { record: Some(record), ..visit })
            }
            Ok(Some(_)) => Err(self.foreign(&visit.principal)),
            Ok(None) => Err(reply::no_such_session()),
            // Not 404, with which a client would throw its session away.
            Err(_) => Err(reply::busy("the store of the sessions cannot be reached")),
        }
    }

    fn foreign(&self, principal: &Principal) -> Response {
        let principal = Some(principal.name.clone());
        self.trail.refused(&RefusedAccess { reason: "foreign_session", principal, path: "/mcp" });
        reply::no_such_session()
    }

    async fn post(&self, visit: &Visit, mut parts: Parts, body: Body) -> Response {
        let bytes = match reply::json_bytes(&mut parts, body, &self.limits, &self.bodies).await {
            Ok(bytes) => bytes,
            Err(response) => return response,
        };
        if let Err(refusal) = message::check_what_is_kept(&bytes) {
            return reply::refused(&refusal);
        }
        // A session that is only about to be taken up here is rmcp's to take up.
        if let Some(short_posts) = self.short_posts.as_ref().filter(|_| visit.record.is_none())
            && let Some(taken) = short_posts.take(visit.session.as_deref(), &parts, &bytes)
        {
            return match taken {
                Ok(call) => short_posts.answer(call, Arc::clone(&visit.principal), parts).await,
                Err(refusal) => reply::refused(&refusal),
            };
        }
        if message::is_batch(&bytes) {
            return self.batch(visit, &parts, &bytes).await;
        }
        if let Err(refusal) = message::check_members(&bytes) {
            return reply::refused(&refusal);
        }
        let response = self.answer(visit, parts, bytes.clone()).await;
        // The content type is right, so this is rmcp's answer to a body that it cannot read.
        if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return reply::refused(&message::explain(&bytes));
        }
        response
    }

    async fn batch(&self, visit: &Visit, parts: &Parts, bytes: &Bytes) -> Response {
        let members = match message::split(bytes) {
            Ok(members) => members,
            Err(refusal) => return reply::refused(&refusal),
        };
        let session = visit.session.as_deref();
        let revision = match &visit.record {
            Some(record) => Some(record.revision.clone()),
            None => session.and_then(|id| Some(self.sessions.agreement(id)?.revision().clone())),
        };
        match (session, revision) {
            (_, Some(revision)) if revision == ProtocolVersion::V_2025_03_26 => {
                batch::serve(&members, move |bytes| async move {
                    self.forward(visit, parts.clone(), bytes).await.0
                })
                .await
            }
            (Some(_), None) => reply::no_such_session(),
            _ => reply::refused(&Refusal::batch_at_this_revision()),
        }
    }

    /// rmcp's answer, or ours where the sessions are full.
    async fn answer(&self, visit: &Visit, parts: Parts, bytes: Bytes) -> Response {
        let is_call = parts.method == Method::POST && parts.headers.contains_key(SESSION_ID);
        match self.forward(visit, parts, bytes).await {
            (_, Some(Refused::Full(why))) => self.sessions.places().refuse(why),
            (answer, _) if is_call && is_stream(&answer) => begun(answer).await.map(Body::new),
            (answer, _) => answer.map(Body::new),
        }
    }

    async fn forward(&self, visit: &Visit, mut parts: Parts, bytes: Bytes) -> (Answer, Option<Refused>) {
        let in_session = |id| Some((visit.session.clone()?, id));
        let call = message::request_id(&bytes).and_then(in_session);
        // rmcp would route both answers to one stream and leave the other open for ever.
        let Ok(claim) = call.map(|call| self.sessions.claim(call, None)).transpose() else {
            let refusal = Full::new(Bytes::from(Refusal::duplicate_id().to_json())).boxed();
            let mut response = axum::http::Response::new(refusal);
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            return (response, None);
        };
        let claim = claim.map(Arc::new);
        parts.extensions.insert(UntilHandled { claim: claim.clone(), _in_flight: visit.in_flight.clone() });
        // Where the session is taken up here, another request may have been first: then it is asked once more.
        let again = visit.record.is_some().then(|| parts.clone());
        let serve = async |parts| {
            let request = Request::from_parts(parts, Full::new(bytes.clone()));
            let served = Box::pin(self.service.handle(request));
            asked_by(Arc::clone(&visit.principal), visit.record.clone(), served).await
        };
        let (mut answer, mut refused) = serve(parts).await;
        if let (Some(Refused::TakenUp), Some(parts)) = (refused, again) {
            (answer, refused) = serve(parts).await;
        }
        // One that rmcp has not taken cancels nothing.
        if answer.status() == StatusCode::ACCEPTED
            && let Some(call) = message::cancelled_id(&bytes).and_then(in_session)
        {
            self.sessions.cancel(&call);
        }
        (answer.map(|body| Held::new(body, claim).boxed()), refused)
    }
}

fn is_stream(answer: &Answer) -> bool {
    answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream")
}

/// The answer once its body has begun. Its first event only says where to go on after a break; an answer that follows soon
/// leaves in one write with it and with the head.
async fn begun(answer: Answer) -> Answer {
    let (head, mut body) = answer.into_parts();
    let first = body.frame().await;
    let second = timeout(SOON, body.frame()).await.ok().flatten();
    let begin = stream::iter(first.into_iter().chain(second));
    let body = StreamBody::new(begin.chain(BodyStream::new(body)));
    axum::http::Response::from_parts(head, BodyExt::boxed(body))
}

/// Whether the request says that it is of the revision without sessions, or of a later one.
fn is_stateless(headers: &HeaderMap) -> bool {
    let version = headers.get("mcp-protocol-version").and_then(|version| version.to_str().ok());
    version.is_some_and(|version| version >= ProtocolVersion::V_2026_07_28.as_str())
}
