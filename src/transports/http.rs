//! The HTTP server: its routes and its end.
//!
//! Knows which handler stands at which path, and in what order things stop. Knows nothing of messages.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    pin::pin,
    sync::Arc,
};

use axum::{
    Router,
    http::StatusCode,
    routing::{any, get, post},
};
use ipnet::IpNet;
use rmcp::ServerHandler;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::{access::Access, audit::Trail, mcp::Short, rest::Rest, store::Store};

use super::{
    TransportError,
    auth::Door,
    bodies::Bodies,
    client::Proxies,
    gate::Gate,
    legacy_sse::LegacySse,
    limits::{CLOSE_WAIT, CONNECTION_IDLE, HttpLimits, LEAVE_WAIT, WRITE_WAIT},
    listener::Listener,
    metadata::Place,
    names::Names,
    pace::Waits,
    places::{self, Places},
    refusals::Refusals,
    reply,
    rest::RestRoutes,
    serving::Serving,
    streamable::Streamable,
    tls::Tls,
    watch::{self, Exposition},
    workers::Workers,
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
    /// The short route of the server, where it has one: for calls that rmcp need not see.
    pub short: Option<Short>,
    /// The REST face, where there is one.
    pub rest: Option<Rest>,
    /// More routes, which stand behind the same gate.
    pub pages: Router,
    /// Who is let in.
    pub access: Access,
    /// Where sessions are kept that another replica may take up.
    pub store: Store,
    /// Whether there are other replicas on that store: else sessions are this process's alone.
    pub shares_sessions: bool,
    /// Where refused accesses are put on record.
    pub trail: Trail,
    /// What is shown at `/metrics`.
    pub exposition: Option<Exposition>,
    /// The threads that serve connections; none: the one that accepts them serves them, too.
    pub workers: Option<Workers>,
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
    let names = Names::of(address, config.tls.is_some(), config.public_url.as_ref());
    let gate = Gate::new(names).on_record(config.trail.clone());
    let (end, closing) = (CancellationToken::new(), CancellationToken::new());
    let calls = TaskTracker::new();
    let routes = routes(server, &gate, &config, &shutdown, &end, &calls);
    let HttpConfig { limits, tls, public_url, trusted_proxies, pages, access, trail, workers, .. } = config;
    let place = Place { public_url, has_tls: tls.is_some() };
    let proxies = Proxies::new(&trusted_proxies);
    // A proxy speaks for many, and so does this machine's own address.
    let own = [IpNet::new(Ipv4Addr::LOCALHOST.into(), 8), IpNet::new(Ipv6Addr::LOCALHOST.into(), 128)];
    let shared: Vec<IpNet> = trusted_proxies.into_iter().chain(own.into_iter().flatten()).collect();
    let shared = Proxies::new(&shared);
    let listener = Listener::new(listener, limits.connections)
        .at_most_of_an_address(limits.connections_per_address, shared);
    let waits = Waits { head: limits.head_wait, idle: CONNECTION_IDLE, write: WRITE_WAIT };
    let routes =
        Door { access, trail, refusals: Refusals::default(), place }.before(routes.merge(pages), gate);
    let serving = Serving { routes, tls, proxies, waits, leaving: shutdown.clone(), workers };
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
            tracing::warn!("calls in flight were given up at the end of their grace period");
        }
        end.cancel();
        sleep(CLOSE_WAIT).await;
    });
    // A call whose client has left has no connection any more, and goes on to its recorded end.
    let all = async {
        serving.as_mut().await;
        calls.wait().await;
    };
    tokio::select! {
        () = all => {}
        () = &mut ending => tracing::warn!("some connections or calls did not end in time"),
    }
    end.cancel();
    Ok(())
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
    let streams = Places::new(places::STREAMS, limits.streams, limits.streams_per_principal);
    // One body of full length has room, whatever is set.
    let [all, each] =
        [limits.bodies_bytes, limits.bodies_bytes_per_principal].map(|bytes| bytes.max(limits.body_bytes));
    let bodies = Bodies::new(all, each, shutdown.clone());
    let rest = config.rest.clone().map(|rest| {
        let (end, calls) = (end.clone(), calls.clone());
        RestRoutes { rest, limits: limits.clone(), bodies: Arc::clone(&bodies), end, calls }.routes()
    });
    let shared = (streams, bodies);
    let streamable =
        Streamable::new(server.clone(), gate, config, shared.clone(), end.clone(), calls.clone());
    let legacy_sse = Arc::new(LegacySse::new(server, config, shared, shutdown.clone(), calls.clone()));
    let streamable =
        Router::new().route("/mcp", any(Streamable::<S>::handle)).with_state(Arc::new(streamable));
    let legacy_sse = Router::new()
        .route("/sse", get(LegacySse::<S>::stream))
        .route("/messages", post(LegacySse::<S>::post))
        .with_state(legacy_sse);
    streamable
        .merge(legacy_sse)
        .merge(rest.unwrap_or_default())
        .merge(watch::metrics(config.exposition.clone()))
        .merge(watch::health(shutdown.clone(), config.store.clone()))
        .fallback(async || reply::error(StatusCode::NOT_FOUND, "no such page"))
}
