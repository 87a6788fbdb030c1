//! A server for pages alone, beside stdio. It may be reached from a network before anybody has proven anything, so a
//! connection has one request and a short life: nobody can keep the places from the person who is to decide.
//!
//! Knows the gate and connections. Knows nothing of what the pages are.

use axum::{Router, http::StatusCode, middleware};
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
    limits::{CLOSE_WAIT, PAGE_CONNECTION_LIFE, PAGE_CONNECTIONS, PAGE_HEAD_WAIT},
    listener::{Accepted, Listener},
    names::Names,
    reply,
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
    let address = listener.local_addr().map_err(TransportError::Listener)?;
    let gate = Gate::new(Names::of(address, false, None));
    let routes = behind(gate, pages).fallback(async || reply::error(StatusCode::NOT_FOUND, "no such page"));
    let service = TowerToHyperService::new(routes);
    let listener = Listener::new(listener, PAGE_CONNECTIONS);
    let connections = TaskTracker::new();
    loop {
        let Accepted { stream, place, .. } = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        // With keep-alive a client would begin a new time for a head with every request, and stay for ever.
        let connection = http1::Builder::new()
            .keep_alive(false)
            .timer(TokioTimer::new())
            .header_read_timeout(PAGE_HEAD_WAIT)
            .serve_connection(TokioIo::new(stream), service.clone());
        let shutdown = shutdown.clone();
        connections.spawn(async move {
            let _place = place;
            let mut connection = std::pin::pin!(connection);
            let served = async {
                tokio::select! {
                    ended = &mut connection => ended,
                    () = shutdown.cancelled() => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                }
            };
            match timeout(PAGE_CONNECTION_LIFE, served).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a connection to a page ended early"),
                Err(_) => tracing::debug!("a connection to a page took too long and was closed"),
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
fn behind(gate: Gate, pages: Router) -> Router {
    pages.layer(middleware::from_fn_with_state(gate, gate::check))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::{get, post};
    use bytes::Bytes;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        task::JoinHandle,
    };

    use super::*;

    struct Site {
        address: SocketAddr,
        shutdown: CancellationToken,
        serving: JoinHandle<Result<(), TransportError>>,
    }

    impl Site {
        async fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let shutdown = CancellationToken::new();
            let form = post(async |form: Bytes| form);
            let pages = Router::new().route("/page", get(async || "a page")).route("/form", form);
            let serving = tokio::spawn(serve_pages(listener, pages, shutdown.clone()));
            Self { address, shutdown, serving }
        }

        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }

        /// Sends this and reads until the server closes the connection, which takes its whole life at most.
        async fn ask(&self, text: &str) -> String {
            let mut stream = self.connect().await;
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            // Closed, with or without a word.
            let _ = timeout(PAGE_CONNECTION_LIFE * 2, stream.read_to_end(&mut answer)).await.unwrap();
            String::from_utf8(answer).unwrap()
        }
    }

    #[tokio::test]
    async fn pages_stand_behind_the_gate_and_end_with_the_process() {
        let site = Site::start().await;
        let idle = site.connect().await;
        let own = site.address.to_string();
        let answers =
            [("/page", own.as_str(), 200), ("/page", "evil.example", 403), ("/mcp", "localhost", 404)];
        for (path, host, status) in answers {
            let answer = site.ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
            assert_eq!(answer.ends_with("a page"), status == 200, "{answer}");
        }
        site.shutdown.cancel();
        site.serving.await.unwrap().unwrap();
        let mut idle = idle;
        assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0, "an idle connection is closed");
    }

    #[tokio::test]
    async fn a_connection_is_for_one_request() {
        let site = Site::start().await;
        let request = "GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n";
        let answer = site.ask(&request.repeat(2)).await;
        assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
        assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    }

    #[tokio::test]
    async fn those_who_keep_their_connections_do_not_keep_others_out() {
        let site = Site::start().await;
        let request = "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let mut kept = Vec::new();
        for _ in 0..PAGE_CONNECTIONS {
            let mut stream = site.connect().await;
            stream.write_all(request.as_bytes()).await.unwrap();
            stream.read_exact(&mut [0; 12]).await.unwrap();
            kept.push(stream);
        }
        assert!(site.ask(request).await.ends_with("a page"));
        for mut stream in kept {
            // What the server has closed takes no second request.
            let _ = stream.write_all(request.as_bytes()).await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            assert!(!String::from_utf8(rest).unwrap().contains("HTTP/1.1"));
        }
    }

    /// Paused time runs on as soon as everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_does_not_finish_its_request_loses_its_place() {
        let site = Site::start().await;
        let form = "POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf";
        for sent in ["", "GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\n", form] {
            let answer = site.ask(sent).await;
            assert!(!answer.contains("200"), "{sent:?}: {answer}");
        }
    }
}
