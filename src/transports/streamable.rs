//! `/mcp`: rmcp's Streamable HTTP service, with the errors that JSON-RPC demands where rmcp answers in plain text,
//! and batches for the one revision that has them.
//!
//! Knows HTTP and rmcp's service. Knows nothing of what a session is made of.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use rmcp::{
    ServerHandler,
    model::ProtocolVersion,
    transport::{StreamableHttpServerConfig, StreamableHttpService},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    batch,
    gate::Gate,
    limits::HttpLimits,
    message::{self, Refusal},
    reply,
    sessions::{self, Sessions},
};

pub(crate) const SESSION_ID: &str = "mcp-session-id";

/// The handler of `/mcp`.
pub(crate) struct Streamable<S> {
    service: StreamableHttpService<S, Sessions>,
    sessions: Arc<Sessions>,
    limits: HttpLimits,
    end: CancellationToken,
    calls: TaskTracker,
}

impl<S: ServerHandler + Clone> Streamable<S> {
    /// `calls` holds a token for every call until the last byte of its answer is out. Cancelling `end` ends every
    /// session and stream.
    pub(crate) fn new(
        server: S,
        gate: &Gate,
        limits: &HttpLimits,
        end: CancellationToken,
        calls: TaskTracker,
    ) -> Self {
        let sessions = Arc::new(Sessions::new(limits));
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(true)
            .with_json_response(true)
            .with_max_request_body_bytes(limits.body_bytes)
            .with_allowed_hosts(gate.names().hosts.clone())
            .with_allowed_origins(gate.names().origins_with_ports())
            .enforce_origin_validation()
            .with_cancellation_token(end.clone());
        let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::clone(&sessions), config);
        Self { service, sessions, limits: limits.clone(), end, calls }
    }

    /// Any method of `/mcp`.
    pub(crate) async fn handle(State(this): State<Arc<Self>>, request: Request) -> Response {
        if this.end.is_cancelled() {
            return reply::shutting_down();
        }
        if request.method() != Method::POST {
            return this.service.handle(request).await.map(Body::new);
        }
        // A subscription is open until somebody ends it, so a shutdown does not wait for it. At the revision that
        // has subscriptions rmcp checks this header against the body.
        let is_subscription =
            request.headers().get("mcp-method").is_some_and(|method| method == "subscriptions/listen");
        if is_subscription {
            return this.post(request).await;
        }
        let in_flight = this.calls.token();
        this.post(request).await.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _ = &in_flight;
                frame
            }))
        })
    }

    async fn post(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let bytes = match reply::json_bytes(&parts.headers, body, &self.limits).await {
            Ok(bytes) => bytes,
            Err(response) => return response,
        };
        if message::is_batch(&bytes) {
            return self.batch(&parts, &bytes).await;
        }
        let (response, is_full) = sessions::noticing_full(self.forward(parts, bytes.clone())).await;
        if is_full {
            return reply::busy("as many sessions are open as may be");
        }
        // The content type is right, so this is rmcp's answer to a body that it cannot read.
        if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return reply::refused(&message::explain(&bytes));
        }
        response.map(Body::new)
    }

    async fn batch(&self, parts: &Parts, bytes: &Bytes) -> Response {
        let members = match message::split(bytes) {
            Ok(members) => members,
            Err(refusal) => return reply::refused(&refusal),
        };
        let session = parts.headers.get(SESSION_ID).and_then(|id| id.to_str().ok());
        let revision = session.and_then(|id| self.sessions.revision(id));
        match (session, revision) {
            (_, Some(revision)) if revision == ProtocolVersion::V_2025_03_26 => {
                batch::serve(&members, |bytes| self.forward(parts.clone(), bytes)).await
            }
            (Some(_), None) => reply::error(StatusCode::NOT_FOUND, "no such session"),
            _ => reply::refused(&Refusal::batch_at_this_revision()),
        }
    }

    async fn forward(&self, parts: Parts, bytes: Bytes) -> axum::http::Response<BoxBody<Bytes, Infallible>> {
        let session = parts.headers.get(SESSION_ID).and_then(|id| id.to_str().ok());
        let id = session.and_then(|session| Some((session.to_owned(), message::request_id(&bytes)?)));
        // rmcp would route both answers to one stream and leave the other open for ever.
        let Ok(claim) = id.map(|id| self.sessions.claim(id)).transpose() else {
            let refusal = Full::new(Bytes::from(Refusal::duplicate_id().to_json())).boxed();
            let mut response = axum::http::Response::new(refusal);
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            return response;
        };
        let response = self.service.handle(Request::from_parts(parts, Full::new(bytes))).await;
        response.map(|body| {
            body.map_frame(move |frame| {
                let _ = &claim;
                frame
            })
            .boxed()
        })
    }
}
