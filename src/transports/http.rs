//! The HTTP server: its routes, its loop and its end.
//!
//! Knows which handler stands at which path, and in what order things stop. Knows nothing of messages.

use std::{future, pin::pin, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    routing::{any, get, post},
};
use rmcp::ServerHandler;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use url::Url;

use crate::{access::Access, audit::Trail, store::Store};

use super::{
    TransportError,
    auth::Door,
    gate::Gate,
    legacy_sse::LegacySse,
    limits::{CLOSE_WAIT, HttpLimits},
    listener, reply,
    streamable::Streamable,
    watch::{self, Exposition},
};

/// How the HTTP server is set up.
#[derive(Debug, Clone, Default)]
pub struct HttpConfig {
    /// What it takes at most.
    pub limits: HttpLimits,
    /// More routes, which stand behind the same gate.
    pub pages: Router,
    /// Who is let in.
    pub access: Access,
    /// Where clients find this server, where it is not at the address it listens on.
    pub public_url: Option<Url>,
    /// Where sessions are kept that another replica may take up.
    pub store: Store,
    /// Where refused accesses are put on record.
    pub trail: Trail,
    /// What is shown at `/metrics`.
    pub exposition: Option<Exposition>,
}

/// Serves MCP over HTTP on `listener` until `shutdown` is cancelled and every answer is out, for at most
/// [`HttpLimits::grace`].
///
/// # Errors
///
/// [`TransportError::Listener`] when the listener has no address, [`TransportError::Http`] when the server fails.
pub async fn serve_http<S>(
    listener: TcpListener,
    server: S,
    config: HttpConfig,
    shutdown: CancellationToken,
) -> Result<(), TransportError>
where
    S: ServerHandler + Clone,
{
    let limits = config.limits.clone();
    let gate = Gate::of(listener.local_addr().map_err(TransportError::Listener)?);
    let end = CancellationToken::new();
    let calls = TaskTracker::new();
    let routes = routes(server, &gate, &config, &shutdown, &end, &calls).merge(config.pages);
    let door = Door { access: config.access, trail: config.trail, public_url: config.public_url };
    let routes = door.before(routes, gate);
    let serve = axum::serve(listener::capped(listener, limits.connections), routes)
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let mut serving = pin!(serve.into_future());

    // Cancelling rmcp first would lose the answers that are on their way, so it is the last step. Readiness goes
    // and accepting stops with `shutdown` itself; idle connections are closed then, too.
    let mut ending = pin!(async {
        shutdown.cancelled().await;
        calls.close();
        if timeout(limits.grace, calls.wait()).await.is_err() {
            tracing::warn!(
                calls = calls.len(),
                "calls in flight were given up at the end of their grace period"
            );
        }
        end.cancel();
        sleep(CLOSE_WAIT).await;
    });
    let outcome = tokio::select! {
        outcome = &mut serving => outcome,
        () = &mut ending => {
            tracing::warn!("some connections did not close in time");
            Ok(())
        }
    };
    end.cancel();
    outcome.map_err(TransportError::Http)
}

/// What there is, without gate and door.
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
    let streamable = Streamable::new(server.clone(), gate, limits, end.clone(), calls.clone());
    let legacy_sse = Arc::new(LegacySse::new(server, limits, shutdown.clone(), calls.clone()));
    let streamable =
        Router::new().route("/mcp", any(Streamable::<S>::handle)).with_state(Arc::new(streamable));
    let legacy_sse = Router::new()
        .route("/sse", get(|State(sessions): State<Arc<LegacySse<S>>>| future::ready(sessions.open())))
        .route("/messages", post(LegacySse::<S>::post))
        .with_state(legacy_sse);
    streamable
        .merge(legacy_sse)
        .merge(watch::metrics(config.exposition.clone()))
        .merge(watch::health(shutdown.clone(), config.store.clone()))
        .fallback(async || reply::error(StatusCode::NOT_FOUND, "no such page"))
}
