//! What a person sees in a browser: the pages on which a write is approved or declined.
//!
//! Knows HTTP, HTML and approvals. Knows nothing of who asks for an approval, nor of the listener: whoever serves
//! these routes puts the gate before them, which holds `Host` to the names that are ours.
//!
//! | route | does |
//! |---|---|
//! | `GET /approvals/{id}` | with a proof: the write and two buttons; without: how to get one |
//! | `GET /approvals/{id}?key=K` | spends the key of an opened window for a proof, goes on to the bare address |
//! | `POST /approvals/{id}/code` | turns a typed code into a proof |
//! | `POST /approvals/{id}` | approves or declines |

mod cookie;
mod form;
mod headers;
mod own;
mod plain;
mod views;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::calls::approvals::{ApprovalId, Approvals, CodeRefused, Decision, PressRefused, Proof, Sight};
use crate::domain::Environment;
use views::{Prove, Told, Write};

/// What the pages stand on.
#[derive(Debug)]
struct Desk {
    approvals: Arc<Approvals>,
    environment: Environment,
}

/// The routes of the pages, without any gate.
pub fn routes(approvals: Arc<Approvals>, environment: Environment) -> Router {
    Router::new()
        .route("/approvals/style.css", get(views::style))
        .route("/approvals/{id}", get(show).post(press))
        .route("/approvals/{id}/code", post(prove))
        .layer(middleware::map_response(headers::strict))
        .with_state(Arc::new(Desk { approvals, environment }))
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Some(id) = ApprovalId::parse(&id) else { return gone(StatusCode::NOT_FOUND) };
    let key = form::first(query.as_deref().unwrap_or_default().as_bytes(), "key");
    if let Some(key) = key.filter(|_| method == Method::GET) {
        // Spent or not, the address goes on without its key.
        return match desk.approvals.prove_by_key(&id, &key).await {
            Ok(proof) => go_on(&id, proof.as_ref()),
            Err(error) => unavailable(error),
        };
    }
    desk.page(&id, cookie::of(&headers, &id).as_deref(), StatusCode::OK).await
}

/// The fields of a form about an approval, from one of our own pages: no other form is read at all.
async fn submitted<const N: usize>(
    id: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
    fields: [&str; N],
) -> Result<(ApprovalId, [String; N]), Response> {
    let id = ApprovalId::parse(id).ok_or_else(|| gone(StatusCode::NOT_FOUND))?;
    if !own::is_from_here(uri, headers) {
        return Err(foreign(&id));
    }
    match form::read(headers, body, fields).await {
        Ok(values) => Ok((id, values)),
        Err(refused) => Err(unread(&id, refused)),
    }
}

async fn prove(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (id, [code]) = match submitted(&id, &uri, &headers, body, ["code"]).await {
        Ok(submitted) => submitted,
        Err(refused) => return refused,
    };
    match desk.approvals.prove_by_code(&id, code).await {
        Ok(proof) => go_on(&id, Some(&proof)),
        Err(refused) => desk.code_refused(&id, refused).await,
    }
}

async fn press(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (id, [token, decision]) = match submitted(&id, &uri, &headers, body, ["token", "decision"]).await {
        Ok(submitted) => submitted,
        Err(refused) => return refused,
    };
    let decision = match decision.as_str() {
        "approve" => Decision::Approve,
        "decline" => Decision::Decline,
        _ => return unread(&id, StatusCode::BAD_REQUEST),
    };
    let proof = cookie::of(&headers, &id);
    match desk.approvals.decide(&id, proof.as_deref(), &token, decision).await {
        Ok(_) => go_on(&id, None),
        Err(PressRefused::Unknown) => gone(StatusCode::NOT_FOUND),
        Err(PressRefused::Unproven | PressRefused::NotTheirs) => {
            desk.page(&id, None, StatusCode::FORBIDDEN).await
        }
        Err(PressRefused::Foreign) => foreign(&id),
        Err(PressRefused::Over) => desk.page(&id, proof.as_deref(), StatusCode::CONFLICT).await,
        Err(PressRefused::Store(error)) => unavailable(error),
    }
}

impl Desk {
    /// The page as this visitor may see it.
    async fn page(&self, id: &ApprovalId, proof: Option<&str>, status: StatusCode) -> Response {
        let sight = match self.approvals.sight(id, proof).await {
            Ok(sight) => sight,
            Err(error) => return unavailable(error),
        };
        match sight {
            Sight::Unknown => gone(StatusCode::NOT_FOUND),
            Sight::Unproven { is_over: true, .. } | Sight::NotTheirs { .. } => gone(StatusCode::GONE),
            Sight::Unproven { is_over: false, expires_at } => {
                views::page(status, &Prove::new(id, self.approvals.ways(), expires_at, None))
            }
            Sight::Proven(view) => views::page(status, &Write::new(id, *view, self.environment)),
        }
    }

    async fn code_refused(&self, id: &ApprovalId, refused: CodeRefused) -> Response {
        let (status, error) = match refused {
            CodeRefused::Unknown | CodeRefused::NoCode => return gone(StatusCode::NOT_FOUND),
            CodeRefused::Over => return gone(StatusCode::GONE),
            CodeRefused::Locked => return views::page(StatusCode::GONE, &Told::locked()),
            CodeRefused::Store(error) => return unavailable(error),
            CodeRefused::Wrong { left } => (StatusCode::FORBIDDEN, views::wrong_code(left)),
            CodeRefused::Closed { retry_after_seconds } => {
                (StatusCode::TOO_MANY_REQUESTS, views::codes_closed(retry_after_seconds))
            }
        };
        let expires_at = match self.approvals.sight(id, None).await {
            Ok(Sight::Unproven { is_over: false, expires_at }) => expires_at,
            Ok(_) => return gone(StatusCode::GONE),
            Err(error) => return unavailable(error),
        };
        let mut response =
            views::page(status, &Prove::new(id, self.approvals.ways(), expires_at, Some(error)));
        if let CodeRefused::Closed { retry_after_seconds } = refused {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after_seconds.into());
        }
        response
    }
}

/// On to the bare address, perhaps with a proof.
fn go_on(id: &ApprovalId, proof: Option<&Proof>) -> Response {
    let location = [(header::LOCATION, views::address(id))];
    match proof {
        Some(proof) => {
            (StatusCode::SEE_OTHER, location, [(header::SET_COOKIE, cookie::set(id, proof))]).into_response()
        }
        None => (StatusCode::SEE_OTHER, location).into_response(),
    }
}

fn gone(status: StatusCode) -> Response {
    views::page(status, &Told::gone())
}

/// What is kept elsewhere cannot be looked at now.
fn unavailable(error: impl std::fmt::Display) -> Response {
    tracing::warn!(%error, "an approval page could not be served");
    let retry_after = [(header::RETRY_AFTER, views::TRY_AGAIN_SECONDS)];
    (retry_after, views::page(StatusCode::SERVICE_UNAVAILABLE, &Told::unavailable())).into_response()
}

fn foreign(id: &ApprovalId) -> Response {
    views::page(StatusCode::FORBIDDEN, &Told::foreign(id))
}

fn unread(id: &ApprovalId, status: StatusCode) -> Response {
    views::page(status, &Told::unread(id))
}
