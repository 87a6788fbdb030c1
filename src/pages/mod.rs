//! What a person sees in a browser: the pages on which a write is approved or declined, and the card.
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
//! | `GET /approvals` | where people sign in: what waits for them |
//! | `GET`, `POST /approvals/sign-in` | off to the issuer; or a token that was typed |
//! | `GET /approvals/callback` | back from the issuer |
//! | `POST /approvals/sign-out` | ends it |

mod card;
mod cookie;
mod form;
mod headers;
mod own;
mod people;
mod plain;
mod sign_in;
mod style;
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

use crate::calls::approvals::{
    ApprovalId, Approvals, CodeRefused, Decision, PressRefused, Proof, Refusal, Sight, StoreError, Visitor,
};
use crate::domain::Environment;
use crate::sealing::Sealer;
pub use card::card;
use people::People;
pub use sign_in::{Begun, Returned, SignInRefused, SignIns};
use views::{Prove, Told, Write};

/// What the pages stand on.
#[derive(Debug)]
struct Desk {
    approvals: Arc<Approvals>,
    environment: Environment,
    /// Where people sign in.
    people: Option<People>,
}

/// The routes of the pages, without any gate.
pub fn routes(approvals: Arc<Approvals>, environment: Environment) -> Router {
    with(Router::new(), Desk { approvals, environment, people: None })
}

/// The same where people sign in to approve. `sealer` is the same at every replica.
pub fn routes_for_people(
    approvals: Arc<Approvals>,
    environment: Environment,
    sign_ins: Arc<dyn SignIns>,
    sealer: Arc<Sealer>,
) -> Router {
    let of_people = Router::new()
        .route("/approvals", get(people::list))
        .route("/approvals/sign-in", get(people::begin).post(people::sign_in))
        .route("/approvals/callback", get(people::callback))
        .route("/approvals/sign-out", post(people::sign_out));
    with(of_people, Desk { approvals, environment, people: Some(People { sign_ins, sealer }) })
}

fn with(more: Router<Arc<Desk>>, desk: Desk) -> Router {
    more.route("/approvals/{id}", get(show).post(press))
        .route("/approvals/{id}/code", post(prove))
        .layer(middleware::map_response(headers::strict))
        .with_state(Arc::new(desk))
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
            Ok(proof) => desk.go_on(&id, proof.as_ref()).await,
            Err(error) => unavailable(error),
        };
    }
    desk.page_for(&id, &headers, StatusCode::OK).await
}

async fn prove(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (id, [code]) = match desk.submitted_about(&id, &uri, &headers, body, ["code"]).await {
        Ok(submitted) => submitted,
        Err(refused) => return refused,
    };
    match desk.approvals.prove_by_code(&id, code).await {
        Ok(proof) => desk.go_on(&id, Some(&proof)).await,
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
    let (id, [token, decision]) =
        match desk.submitted_about(&id, &uri, &headers, body, ["token", "decision"]).await {
            Ok(submitted) => submitted,
            Err(refused) => return refused,
        };
    let decision = match decision.as_str() {
        "approve" => Decision::Approve,
        "decline" => Decision::Decline,
        _ => return unread(&id, StatusCode::BAD_REQUEST),
    };
    let visitor = match desk.visitor(&id, &headers).await {
        Ok(visitor) => visitor,
        Err(error) => return unavailable(error),
    };
    match desk.approvals.decide(&id, visitor, &token, decision).await {
        Ok(_) => desk.go_on(&id, None).await,
        Err(PressRefused::Unknown) => gone(StatusCode::NOT_FOUND),
        Err(PressRefused::Unproven) => desk.page(&id, Visitor::Anybody, StatusCode::FORBIDDEN).await,
        Err(PressRefused::Foreign) => foreign(&id),
        Err(PressRefused::Over) => desk.page_for(&id, &headers, StatusCode::CONFLICT).await,
        Err(PressRefused::NotTheirs) => views::page(StatusCode::FORBIDDEN, &Told::not_theirs()),
        Err(PressRefused::Store(error)) => unavailable(error),
    }
}

impl Desk {
    /// Whether this form was sent by one of our own pages; one that was not is put on record.
    fn is_from_here(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let is_ours = own::is_from_here(uri, headers);
        if !is_ours {
            self.approvals.refused(Refusal::ForeignForm, None);
        }
        is_ours
    }

    /// The fields of a form about an approval, from one of our own pages: no other form is read at all.
    async fn submitted_about<const N: usize>(
        &self,
        id: &str,
        uri: &Uri,
        headers: &HeaderMap,
        body: Body,
        fields: [&str; N],
    ) -> Result<(ApprovalId, [String; N]), Response> {
        let id = ApprovalId::parse(id).ok_or_else(|| gone(StatusCode::NOT_FOUND))?;
        if !self.is_from_here(uri, headers) {
            return Err(foreign(&id));
        }
        match form::read(headers, body, fields).await {
            Ok(values) => Ok((id, values)),
            Err(refused) => Err(unread(&id, refused)),
        }
    }

    async fn is_https(&self) -> bool {
        self.approvals.origin().await.is_some_and(|origin| origin.starts_with("https://"))
    }

    /// Who this browser shows to be there.
    async fn visitor(&self, id: &ApprovalId, headers: &HeaderMap) -> Result<Visitor, StoreError> {
        let Some(people) = &self.people else {
            return Ok(cookie::of(headers, id, self.is_https().await).as_deref().into());
        };
        Ok(self.person(people, headers).await?.map_or(Visitor::Anybody, Visitor::Person))
    }

    async fn page_for(&self, id: &ApprovalId, headers: &HeaderMap, status: StatusCode) -> Response {
        match self.visitor(id, headers).await {
            Ok(visitor) => self.page(id, visitor, status).await,
            Err(error) => unavailable(error),
        }
    }

    /// The page as this visitor may see it.
    async fn page(&self, id: &ApprovalId, visitor: Visitor, status: StatusCode) -> Response {
        let sight = match self.approvals.sight(id, visitor).await {
            Ok(sight) => sight,
            Err(error) => return unavailable(error),
        };
        match sight {
            Sight::Unknown => gone(StatusCode::NOT_FOUND),
            Sight::Unproven { is_over: true, .. } => gone(StatusCode::GONE),
            Sight::NotTheirs => views::page(StatusCode::FORBIDDEN, &Told::not_theirs()),
            Sight::Unproven { .. } if self.people.is_some() => self.sign_in_page(status, Some(id), None),
            Sight::Unproven { is_over: false, expires_at } => {
                views::page(status, &Prove::new(id, self.approvals.ways(), expires_at, None))
            }
            Sight::Proven(view) => views::page(status, &Write::new(id, *view, self.environment)),
        }
    }

    /// On to the bare address, perhaps with a proof.
    async fn go_on(&self, id: &ApprovalId, proof: Option<&Proof>) -> Response {
        let location = [(header::LOCATION, views::address(id))];
        let Some(proof) = proof else { return (StatusCode::SEE_OTHER, location).into_response() };
        let cookie = [(header::SET_COOKIE, cookie::set(id, proof, self.is_https().await))];
        (StatusCode::SEE_OTHER, location, cookie).into_response()
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
