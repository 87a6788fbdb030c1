//! The HTTP server: its routes and its end.
//!
//! Knows which handler stands at which path, and in what order things stop. Knows nothing of messages.

use std::{pin::pin, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use ipnet::IpNet;
use rmcp::ServerHandler;
use serde_json::json;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::{audit::Trail, store::Store};

use super::{
    TransportError,
    client::Proxies,
    gate::{self, Gate},
    legacy_sse::LegacySse,
    limits::{CLOSE_WAIT, CONNECTION_IDLE, HttpLimits, LEAVE_WAIT, WRITE_WAIT},
    listener::Listener,
    names::Names,
    pace::Waits,
    pages,
    places::{self, Places},
    reply,
    serving::Serving,
    streamable::Streamable,
    tls::Tls,
};

/// How the HTTP server is set up.
#[derive(Debug, Clone, Default)]
pub struct HttpConfig {
    /// What it takes at most.
    pub limits: HttpLimits,
    /// The certificate that it shows; none: plain HTTP.
    pub tls: Option<Arc<Tls>>,
    /// Where clients and people find it, where that is not its own address.
    pub public_url: Option<Url>,
    /// The proxies whose word on their client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// More routes, which stand behind the same gate.
    pub pages: Router,
    /// Where sessions are kept that another replica may take up.
    pub store: Store,
    /// Whether there are other replicas on that store: else sessions are this process's alone.
    pub shares_sessions: bool,
    /// Where refused accesses are put on record.
    pub trail: Trail,
}

/// Serves MCP over HTTP on `listener` until `shutdown` is cancelled and every answer is out, for at most
/// [`HttpLimits::grace`].
///
/// # Errors
///
/// [`TransportError::Listener`] when the listener has no address.
pub async fn serve_http<S>(
    listener: TcpListener,
    server: S,
    config: HttpConfig,
    shutdown: CancellationToken,
) -> Result<(), TransportError>
where
    S: ServerHandler + Clone,
{
    let address = listener.local_addr().map_err(TransportError::Listener)?;
    let gate = Gate::new(Names::of(address, config.tls.is_some(), config.public_url.as_ref()));
    let (end, closing) = (CancellationToken::new(), CancellationToken::new());
    let calls = TaskTracker::new();
    let routes = routes(server, &gate, &config, &shutdown, &end, &calls);
    let HttpConfig { limits, tls, trusted_proxies, pages, .. } = config;
    let proxies = Proxies::new(&trusted_proxies);
    let listener = Listener::new(listener, limits.connections)
        .at_most_of_an_address(limits.connections_per_address, proxies.clone());
    let waits = Waits { head: limits.head_wait, idle: CONNECTION_IDLE, write: WRITE_WAIT };
    let routes = routes.merge(pages::behind(gate, pages));
    let serving = Serving { routes, tls, proxies, waits, leaving: shutdown.clone() };
    let mut serving = pin!(serving.run(listener, closing.clone()));

    // Readiness goes with `shutdown` itself, and for a moment everything else goes on, so that whoever looks at it
    // has time to send nothing more. Cancelling rmcp before the calls are answered would lose their answers, so it is
    // the last step.
    let mut ending = pin!(async {
        shutdown.cancelled().await;
        let deadline = Instant::now() + limits.grace;
        sleep(LEAVE_WAIT.min(limits.grace / 10)).await;
        closing.cancel();
        calls.close();
        if timeout_at(deadline, calls.wait()).await.is_err() {
            tracing::warn!(
                calls = calls.len(),
                "calls in flight were given up at the end of their grace period"
            );
        }
        end.cancel();
        sleep(CLOSE_WAIT).await;
    });
    tokio::select! {
        () = &mut serving => {}
        () = &mut ending => tracing::warn!("some connections did not close in time"),
    }
    end.cancel();
    Ok(())
}

pub(crate) fn routes<S>(
    server: S,
    gate: &Gate,
    config: &HttpConfig,
    shutdown: &CancellationToken,
    end: &CancellationToken,
    calls: &TaskTracker,
) -> Router
where
    S: ServerHandler + Clone,
{
    let limits = &config.limits;
    let streams = Places::new(places::STREAMS, limits.streams, limits.streams_per_principal);
    let streamable =
        Streamable::new(server.clone(), gate, config, Arc::clone(&streams), end.clone(), calls.clone());
    let legacy_sse = Arc::new(LegacySse::new(server, config, streams, shutdown.clone(), calls.clone()));
    let streamable =
        Router::new().route("/mcp", any(Streamable::<S>::handle)).with_state(Arc::new(streamable));
    let legacy_sse = Router::new()
        .route("/sse", get(LegacySse::<S>::stream))
        .route("/messages", post(LegacySse::<S>::post))
        .with_state(legacy_sse);
    let health = Router::new()
        .route("/health/live", get(async || Json(json!({"status": "ok"}))))
        .route("/health/ready", get(ready))
        .with_state(shutdown.clone());
    streamable
        .merge(legacy_sse)
        .route_layer(middleware::from_fn_with_state(gate.clone(), gate::check))
        .merge(health)
        .fallback(async || reply::error(StatusCode::NOT_FOUND, "no such page"))
}

async fn ready(State(shutdown): State<CancellationToken>) -> Response {
    if shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "shutting_down"}))).into_response();
    }
    Json(json!({"status": "ok"})).into_response()
}
