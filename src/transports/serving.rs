//! The server's loop: takes connections in, shakes hands over TLS beside the loop, speaks HTTP/1 or HTTP/2 on each,
//! and lets go of clients that are late. Each connection is a task of its own, so that a slow one holds up nobody.
//!
//! Knows connections. Knows nothing of routes and messages.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, Response, Version, header},
};
use futures_util::FutureExt;
use hyper::{
    body::Incoming,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    client::Proxies,
    held::Held,
    limits::{HEAD_BYTES, HTTP2_PING, HTTP2_STREAM_WINDOW, HTTP2_STREAMS, HTTP2_UNSENT, HTTP2_WINDOW},
    listener::{Accepted, Listener},
    pace::{Busy, Late, Pace, Paced, Waits},
    tls::Tls,
    workers::Workers,
};
use crate::measures;

/// What every connection is served with.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) routes: Router,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) proxies: Proxies,
    pub(crate) waits: Waits,
    /// Cancelled as soon as the end is near: clients are asked to open no further request on their connections.
    pub(crate) leaving: CancellationToken,
    /// Who serves connections; none: whoever accepts them.
    pub(crate) workers: Option<Workers>,
}

impl Serving {
    /// Serves until `closing` is cancelled and every connection is closed: those without a request at once, the
    /// others when theirs is answered. What waits to be accepted by then is served, too.
    pub(crate) async fn run(self, listener: Listener, closing: CancellationToken) {
        let connections = TaskTracker::new();
        let this = Arc::new(self);
        let begin = |accepted| {
            let Accepted { stream, peer, place } = accepted;
            let (serving, closing) = (Arc::clone(&this), closing.clone());
            let connection = async move |stream| {
                serving.connection(stream, peer, closing).await;
                drop(place);
            };
            match &this.workers {
                Some(workers) => workers.serve(&connections, stream, connection),
                None => drop(connections.spawn(connection(stream))),
            }
        };
        loop {
            tokio::select! {
                accepted = listener.accept() => begin(accepted),
                () = closing.cancelled() => break,
            }
        }
        while let Some(accepted) = listener.accept().now_or_never() {
            begin(accepted);
        }
        drop(listener);
        connections.close();
        connections.wait().await;
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr, closing: CancellationToken) {
        match &self.tls {
            None => self.converse(stream, peer, closing).await,
            Some(tls) => match timeout(self.waits.head, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.converse(stream, peer, closing).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => measures::limit_hit("header-seconds"),
            },
        }
    }

    async fn converse<T>(&self, stream: T, peer: SocketAddr, closing: CancellationToken)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let pace = Pace::new();
        let service = {
            let (this, pace) = (self.clone(), Arc::clone(&pace));
            let routes = TowerToHyperService::new(this.routes.clone());
            service_fn(move |request| {
                let busy = pace.request(request.version() == Version::HTTP_2);
                this.answer(&routes, request, peer, busy)
            })
        };
        let builder = builder();
        let stream = TokioIo::new(Paced::new(stream, Arc::clone(&pace)));
        let mut connection = pin!(builder.serve_connection(stream, service));
        let mut is_closing = false;
        let mut look_at = Instant::now() + self.waits.head;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    return;
                }
                () = closing.cancelled(), if !is_closing => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = sleep_until(look_at) => match pace.look(&self.waits) {
                    Ok(left) => look_at = Instant::now() + left,
                    // An HTTP/2 client is told, so that it sends nothing more meanwhile.
                    Err(Late::Idle) if !is_closing => {
                        is_closing = true;
                        connection.as_mut().graceful_shutdown();
                        look_at = Instant::now() + self.waits.head;
                    }
                    Err(late) => {
                        if late == Late::Head {
                            measures::limit_hit("header-seconds");
                        }
                        tracing::debug!(?late, "let go of a connection whose client is late");
                        return;
                    }
                },
            }
        }
    }

    fn answer(
        &self,
        routes: &TowerToHyperService<Router>,
        request: Request<Incoming>,
        peer: SocketAddr,
        busy: Busy,
    ) -> impl Future<Output = Result<Response<Held<Body, Busy>>, Infallible>> + use<> {
        let mut request = request.map(Body::new);
        let client = self.proxies.client(peer.ip(), request.headers());
        request.extensions_mut().insert(client);
        let may_close = request.version() < Version::HTTP_2;
        let leaving = self.leaving.clone();
        let answer = routes.call(request);
        async move {
            let mut response = answer.await?;
            if may_close && leaving.is_cancelled() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response.map(|body| Held::new(body, busy)))
        }
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // The pace has the times of HTTP/1: hyper's own stops while it finds out which version is spoken.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_header_list_size(HEAD_BYTES)
        // What is sent and not read waits here: a body that nobody reads, of a request that waits or is refused.
        .initial_stream_window_size(HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(HTTP2_WINDOW)
        .max_send_buf_size(HTTP2_UNSENT)
        .keep_alive_interval(HTTP2_PING)
        .keep_alive_timeout(HTTP2_PING);
    builder
}
