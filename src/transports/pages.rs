//! A server for pages alone, beside stdio. It may be reached from a network before anybody has proven anything, so no
//! connection keeps its place without asking for something.
//!
//! Knows the gate and connections. Knows nothing of what the pages are.

use axum::{Router, http::StatusCode, middleware, serve::Listener as _};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    TransportError,
    gate::{self, Gate},
    limits::{CLOSE_WAIT, PAGE_CONNECTIONS, PAGE_HEAD_WAIT},
    listener, reply,
};

/// Serves pages behind the gate until `shutdown` is cancelled and every answer is out, for a moment at most.
///
/// # Errors
///
/// [`TransportError::Listener`] when the listener has no address.
pub async fn serve_pages(
    listener: TcpListener,
    pages: Router,
    shutdown: CancellationToken,
) -> Result<(), TransportError> {
    let gate = Gate::of(listener.local_addr().map_err(TransportError::Listener)?);
    let routes = behind(gate, pages).fallback(async || reply::error(StatusCode::NOT_FOUND, "no such page"));
    let service = TowerToHyperService::new(routes);
    let mut listener = listener::capped(listener, PAGE_CONNECTIONS);
    let connections = TaskTracker::new();
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        // The time for a head also runs between two requests, so it ends idle connections, too.
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PAGE_HEAD_WAIT)
            .serve_connection(TokioIo::new(stream), service.clone());
        let shutdown = shutdown.clone();
        connections.spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = &mut connection => ended,
                () = shutdown.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection to a page ended early");
            }
        });
    }
    connections.close();
    if timeout(CLOSE_WAIT, connections.wait()).await.is_err() {
        tracing::warn!("some connections to pages did not close in time");
    }
    Ok(())
}

/// Pages with the gate before them.
pub(super) fn behind(gate: Gate, pages: Router) -> Router {
    pages.layer(middleware::from_fn_with_state(gate, gate::check))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        task::JoinHandle,
    };

    use super::*;

    async fn serve() -> (TcpStream, u16, CancellationToken, JoinHandle<Result<(), TransportError>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let pages = Router::new().route("/page", get(async || "a page"));
        let serving = tokio::spawn(serve_pages(listener, pages, shutdown.clone()));
        (TcpStream::connect(address).await.unwrap(), address.port(), shutdown, serving)
    }

    async fn ask(stream: &mut TcpStream, path: &str, host: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn pages_stand_behind_the_gate_and_end_with_the_process() {
        let (mut stream, port, shutdown, serving) = serve().await;
        let page = ask(&mut stream, "/page", &format!("127.0.0.1:{port}")).await;
        assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("a page"), "{page}");
        for (path, host, status) in [("/page", "evil.example", 403), ("/mcp", "localhost", 404)] {
            let refused = ask(&mut stream, path, host).await;
            assert!(refused.starts_with(&format!("HTTP/1.1 {status}")), "{refused}");
        }
        shutdown.cancel();
        serving.await.unwrap().unwrap();
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "an idle connection is closed");
    }

    /// Paused time runs on as soon as everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_asks_for_nothing_loses_its_place() {
        for sent in ["", "GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\n"] {
            let (mut stream, ..) = serve().await;
            stream.write_all(sent.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            // Closed, with or without a word.
            let _ = stream.read_to_end(&mut answer).await;
            assert!(!String::from_utf8_lossy(&answer).contains("200"), "{sent:?}");
        }
    }
}
