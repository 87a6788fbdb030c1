//! The REST face's place on the HTTP server: its routes behind the door, its bodies within the bounds of all bodies, its
//! calls waited for at the end, and given up where their client hangs up.
//!
//! Knows requests and connections. Knows nothing of tools.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{Method, StatusCode, request::Parts},
    response::Response,
    routing::{get, post},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{bodies::Bodies, client, held::Held, limits::HttpLimits, reply, under_way::to_its_end};
use crate::rest::{self, OPENAPI_ROUTE, Rest, TOOL_ROUTE};

/// What its handlers need.
pub(crate) struct RestRoutes {
    pub(crate) rest: Rest,
    pub(crate) limits: HttpLimits,
    pub(crate) bodies: Arc<Bodies>,
    /// Cancelled when calls have had their time to end.
    pub(crate) end: CancellationToken,
    /// Holds a token for every call until the last byte of its answer is out.
    pub(crate) calls: TaskTracker,
}

impl RestRoutes {
    /// The routes.
    pub(crate) fn routes(self) -> Router {
        Router::new()
            .route(TOOL_ROUTE, post(Self::call).fallback(wrong_method))
            .route(OPENAPI_ROUTE, get(Self::openapi).fallback(wrong_method))
            .with_state(Arc::new(self))
    }

    async fn call(
        State(this): State<Arc<Self>>,
        tool: Result<Path<String>, PathRejection>,
        request: Request,
    ) -> Response {
        if this.end.is_cancelled() {
            return reply::shutting_down();
        }
        let in_flight = this.calls.token();
        let (mut parts, body) = request.into_parts();
        let bytes = match reply::json_bytes(&mut parts, body, &this.limits, &this.bodies).await {
            Ok(bytes) => bytes,
            Err(response) => return response,
        };
        // What is no text in UTF-8 is the name of no tool.
        let tool = tool.map(|Path(tool)| tool).unwrap_or_default();
        let (rest, under_way) = (this.rest.clone(), in_flight.clone());
        let call = to_its_end(this.end.child_token(), async move |cancelled| {
            let request = for_rest(&mut parts, cancelled);
            let _held = (parts, under_way);
            rest.call(request, &tool, &bytes).await
        });
        let response = call.await.unwrap_or_else(|| this.rest.lost());
        response.map(|body| Body::new(Held::new(body, in_flight)))
    }

    async fn openapi(State(this): State<Arc<Self>>, request: Request) -> Response {
        let (mut parts, _) = request.into_parts();
        this.rest.openapi(for_rest(&mut parts, this.end.child_token())).await
    }
}

/// What the face sees of a request, whose headers nobody else needs any more.
fn for_rest(parts: &mut Parts, cancelled: CancellationToken) -> rest::Request {
    let headers = std::mem::take(&mut parts.headers);
    rest::Request { principal: client::principal(&parts.extensions), headers, cancelled }
}

/// 405; the router adds what is allowed.
async fn wrong_method(method: Method) -> Response {
    let said = format!("{method} is not for this address: the header Allow says what is");
    reply::error(StatusCode::METHOD_NOT_ALLOWED, &said)
}
