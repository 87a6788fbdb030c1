//! Does to a request what chance decided.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{ConnectInfo, FromRequest, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::body;
use super::kind::Kind;
use crate::simulator::operation::Operation;
use crate::simulator::refusal::Refusal;
use crate::simulator::shared::Shared;
use crate::simulator::socket::Cut;

/// Most late commits that are outstanding at a time, each with its request. Beyond it 503.
const MAX_LATE_COMMITS: usize = 1_000;

/// Tells the token endpoint how long its next token opens the API.
#[derive(Clone, Copy)]
pub(in crate::simulator) struct TokenLife(pub(in crate::simulator) Duration);

/// Lets a request through, or not, or spoils its answer. Expects the operation among its extensions, and the
/// whole body.
pub(in crate::simulator) async fn inject(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let operation = request.extensions().get::<Operation>().copied();
    let Some(operation) = operation.filter(|operation| shared.chance.concerns(*operation)) else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = Bytes::from_request(Request::new(body), &()).await else {
        return Refusal::Malformed("the body could not be read").into_response();
    };
    let plan = shared.chance.draw(operation, parts.uri.query().unwrap_or_default(), &body);
    let cut = parts.extensions.get::<ConnectInfo<Cut>>().map(|ConnectInfo(cut)| cut.clone());
    let request = Request::from_parts(parts, body.into());
    if !plan.latency.is_zero() {
        tracing::debug!(%operation, latency = ?plan.latency, "a fault of the simulator");
        shared.clock.sleep(plan.latency).await;
    }
    match plan.kind {
        None => next.run(request).await,
        Some(kind) => {
            tracing::debug!(%operation, fault = ?kind, "a fault of the simulator");
            happen(kind, shared, cut.unwrap_or_default(), request, next).await
        }
    }
}

async fn happen(kind: Kind, shared: Arc<Shared>, cut: Cut, mut request: Request, next: Next) -> Response {
    match kind {
        // The plan holds it elsewhere.
        Kind::Latency(_) => next.run(request).await,
        Kind::Status(status) => failure(status),
        Kind::StatusAfter(status) => {
            next.run(request).await;
            failure(status)
        }
        Kind::RateLimit(wait) => {
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            rate_limited(&seconds.to_string())
        }
        Kind::RateLimitDate(wait) => {
            // A date has whole seconds: the part of one that it leaves out is added first.
            let until = SystemTime::from(shared.clock.now()) + wait + Duration::from_millis(999);
            rate_limited(&httpdate::fmt_http_date(until))
        }
        Kind::ResetBefore => reset(&cut),
        Kind::ResetAfter => {
            next.run(request).await;
            reset(&cut)
        }
        Kind::LateCommit(delay) => {
            if shared.late.len() >= MAX_LATE_COMMITS {
                return failure(StatusCode::SERVICE_UNAVAILABLE);
            }
            let stop = shared.stop.clone();
            let due = shared.clock.sleep(delay);
            shared.late.spawn(async move {
                tokio::select! {
                    () = due => drop(next.run(request).await),
                    () = stop.cancelled() => {}
                }
            });
            reset(&cut)
        }
        Kind::Hang => hang(&shared, &cut).await,
        Kind::HangAfter => {
            next.run(request).await;
            hang(&shared, &cut).await
        }
        Kind::Spoilt(how) => body::spoil(next.run(request).await, how).await,
        Kind::Trickle(rate) => body::trickle(next.run(request).await, rate, shared.clock.clone()).await,
        Kind::ExpireToken => Refusal::WrongToken.into_response(),
        Kind::ShortToken(life) => {
            request.extensions_mut().insert(TokenLife(life));
            next.run(request).await
        }
    }
}

fn failure(status: StatusCode) -> Response {
    let mut response = Refusal::Ordered(status).into_response();
    if status.is_redirection() {
        // A client that follows it asks for a path that there is not.
        response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/redirected"));
    }
    response
}

fn rate_limited(retry_after: &str) -> Response {
    let mut response = Refusal::Ordered(StatusCode::TOO_MANY_REQUESTS).into_response();
    if let Ok(value) = HeaderValue::from_str(retry_after) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// Tears the connection. The answer never leaves; it only makes the server try to write.
fn reset(cut: &Cut) -> Response {
    cut.now();
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Never answers: ends with the client's patience, which drops this, or with the simulator.
async fn hang(shared: &Shared, cut: &Cut) -> Response {
    shared.stop.cancelled().await;
    reset(cut)
}
