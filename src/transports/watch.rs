//! What is asked by whoever runs the server: whether it lives, whether it is ready, and its metrics.
//!
//! Health is told to anyone and says nothing else; metrics stand behind the gate. Knows nothing of what is counted.

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::store::{Name, Store};

/// How long the store may take to show that it works.
const STORE_WAIT: Duration = Duration::from_secs(2);
/// Prometheus' text.
const EXPOSITION: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Renders everything that is counted, for `/metrics`.
#[derive(Clone)]
pub struct Exposition(Arc<dyn Fn() -> String + Send + Sync>);

impl Exposition {
    /// Renders it in this way, as Prometheus' text.
    pub fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }
}

impl fmt::Debug for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exposition(..)")
    }
}

/// `/metrics`, where anything is counted.
pub(crate) fn metrics<S: Clone + Send + Sync + 'static>(exposition: Option<Exposition>) -> Router<S> {
    let Some(Exposition(render)) = exposition else { return Router::new() };
    let page = async move || ([(header::CONTENT_TYPE, EXPOSITION)], render()).into_response();
    Router::new().route("/metrics", get(page))
}

/// `/health/live` and `/health/ready`. The server is not ready from the moment on that `draining` is cancelled, nor
/// while its store cannot be reached.
pub(crate) fn health(draining: CancellationToken, store: Store) -> Router {
    Router::new()
        .route("/health/live", get(async || Json(json!({"status": "ok"}))))
        .route("/health/ready", get(ready))
        .with_state((draining, store))
}

async fn ready(State((draining, store)): State<(CancellationToken, Store)>) -> Response {
    let not_ready =
        |why: &str| (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": why}))).into_response();
    if draining.is_cancelled() {
        return not_ready("shutting_down");
    }
    if !is_usable(&store).await {
        return not_ready("store_unavailable");
    }
    // The signal may have come meanwhile.
    if draining.is_cancelled() {
        not_ready("shutting_down")
    } else {
        Json(json!({"status": "ok"})).into_response()
    }
}

/// Whether the store answers: a name that nothing is kept under is looked up in it.
async fn is_usable(store: &Store) -> bool {
    let looked = tokio::time::timeout(STORE_WAIT, store.get::<()>(&Name::new("health", &[]))).await;
    matches!(looked, Ok(Ok(_)))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(routes: Router, path: &str) -> (u16, String) {
        let request = http::Request::get(path).body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn it_is_ready_while_it_takes_calls_and_its_store_works() {
        let draining = CancellationToken::new();
        let routes = health(draining.clone(), Store::memory());
        let ready = (200, r#"{"status":"ok"}"#.to_owned());
        assert_eq!(ask(routes.clone(), "/health/ready").await, ready);
        let gone = health(draining.clone(), Store::gone());
        let unavailable = (503, r#"{"status":"store_unavailable"}"#.to_owned());
        assert_eq!(ask(gone.clone(), "/health/ready").await, unavailable);
        assert_eq!(
            ask(gone.clone(), "/health/live").await,
            ready,
            "a restart would not bring the store back"
        );
        draining.cancel();
        for routes in [routes, gone] {
            let ending = (503, r#"{"status":"shutting_down"}"#.to_owned());
            assert_eq!(ask(routes.clone(), "/health/ready").await, ending);
            assert_eq!(ask(routes, "/health/live").await, ready);
        }
    }

    #[tokio::test]
    async fn metrics_are_there_where_anything_is_counted() {
        let counted = Exposition::new(|| "a 1\n".to_owned());
        assert_eq!(ask(metrics(Some(counted)), "/metrics").await, (200, "a 1\n".to_owned()));
        assert_eq!(ask(metrics(None), "/metrics").await.0, 404);
    }
}
