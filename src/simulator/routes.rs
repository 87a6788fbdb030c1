//! Which path leads where, and what every request passes on its way there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use secrecy::SecretString;

use super::clock::Clock;
use super::gate::require_bearer;
use super::oauth;
use super::operations as op;
use super::refusal::Refusal;
use super::request::read_whole_body;
use super::seeds;
use super::store::Store;
use super::tokens::Tokens;

/// What all requests share. No lock is held across an await: each is taken for one look or one change.
pub(super) struct Shared {
    pub(super) clock: Clock,
    store: Mutex<Store>,
    tokens: Mutex<Tokens>,
}

impl Shared {
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The whole simulator as a service. With a token, that one and those it gives out open it; without, any.
pub(super) fn router(token: Option<SecretString>, clock: Clock) -> Router {
    let shared = Arc::new(Shared {
        clock,
        store: Mutex::new(Store::new(seeds::customers())),
        tokens: Mutex::new(Tokens::new(token)),
    });
    let operations = Router::new()
        .route("/v1/customers", get(op::list_all_customers).post(op::create_customer))
        .route("/v1/customers/{customer_id}", get(op::get_customer_by_id))
        .route(
            "/v1/customers/{customer_id}/bank-accounts",
            get(op::list_all_customer_bank_accounts).post(op::create_customer_bank_account),
        )
        .route("/v1/customers/{customer_id}/bank-accounts/{account_id}", get(op::get_bank_account_by_id))
        .route("/v1/customers/{customer_id}/verification", post(op::initiate_customer_verification))
        .route("/v1/customers/{customer_id}/verifications", get(op::list_all_customer_verifications))
        .route(
            "/v1/customers/{customer_id}/verification/{verification_id}",
            get(op::get_customer_verification_by_id),
        )
        .route_layer(middleware::from_fn_with_state(shared.clone(), require_bearer));
    // A layer that is added later runs earlier. Faults and signature checks would belong between the
    // body and the operations: there they see every request whole.
    operations
        .route("/oauth/accesstoken", post(oauth::access_token))
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
        .fallback(async || Refusal::NotFound("path"))
        .layer(middleware::from_fn(read_whole_body))
        .layer(middleware::from_fn(log))
        .with_state(shared)
}

/// Says what was asked and how it went: the route, never the path, which holds ids.
async fn log(method: Method, route: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    tracing::debug!(%method, route, status = response.status().as_u16(), "the simulator answered");
    response
}
