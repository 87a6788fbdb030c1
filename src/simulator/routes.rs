//! Which path leads where, and what every request passes on its way there.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};

use super::fault::inject;
use super::gate::require_bearer;
use super::oauth;
use super::operation::Operation;
use super::operations as op;
use super::refusal::Refusal;
use super::request::read_whole_body;
use super::shared::Shared;
use super::signature::require_signature;

/// The whole simulator as a service.
///
/// A request for an operation passes: the whole body, the count, the bearer token, the signature, the faults.
/// So a late commit is one that would have been accepted, and a wrong request is refused whatever the faults.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    // A layer that is added later runs earlier.
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
        .route_layer(middleware::from_fn_with_state(shared.clone(), inject))
        .route_layer(middleware::from_fn_with_state(shared.clone(), require_signature))
        .route_layer(middleware::from_fn_with_state(shared.clone(), require_bearer));
    let tokens = Router::new()
        .route("/oauth/accesstoken", post(oauth::access_token))
        .route_layer(middleware::from_fn_with_state(shared.clone(), inject));
    operations
        .merge(tokens)
        .route_layer(middleware::from_fn_with_state(shared.clone(), count))
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
        .fallback(async || Refusal::NotFound("path"))
        .layer(middleware::from_fn(read_whole_body))
        .layer(middleware::from_fn(log))
        .with_state(shared)
}

/// Counts the request, and tells the steps behind it which operation it is for.
async fn count(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    if let Some(operation) = route.and_then(|route| Operation::at(request.method(), route.as_str())) {
        shared.record.requested(operation);
        request.extensions_mut().insert(operation);
    }
    next.run(request).await
}

/// Says what was asked and how it went: the route, never the path, which holds ids.
async fn log(method: Method, route: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    tracing::debug!(%method, route, status = response.status().as_u16(), "the simulator answered");
    response
}
