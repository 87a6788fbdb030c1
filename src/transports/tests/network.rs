//! What stands between the network and the routes: TLS, slow clients, caps on connections, names, the client's address.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Extension, Router, routing::get};
use ipnet::IpNet;
use reqwest::{Certificate, Client};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::http::Site;
use crate::transports::{HttpConfig, HttpLimits, Tls, TlsError, client::Proxies, listener::Listener};

/// A certificate of this machine in two files.
struct Files(TempDir);

impl Files {
    fn new() -> (Self, Certificate) {
        let files = Self(tempfile::tempdir().unwrap());
        let root = files.renew();
        (files, root)
    }

    /// Puts another certificate there.
    fn renew(&self) -> Certificate {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs::write(self.0.path().join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(self.0.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()
    }

    fn load(&self) -> Result<Tls, TlsError> {
        Tls::load(self.0.path().join("cert.pem"), self.0.path().join("key.pem"))
    }
}

/// A client that trusts this certificate alone, with no connection yet.
fn trusting(root: &Certificate) -> reqwest::ClientBuilder {
    Client::builder().no_proxy().tls_certs_only([root.clone()])
}

async fn status(
    client: reqwest::ClientBuilder,
    address: SocketAddr,
) -> reqwest::Result<(u16, reqwest::Version)> {
    let url = format!("https://localhost:{}/health/live", address.port());
    let answer = client.resolve("localhost", address).build()?.get(url).send().await?;
    Ok((answer.status().as_u16(), answer.version()))
}

#[tokio::test]
async fn tls_speaks_both_versions_of_http_and_reads_its_files_again() {
    let (files, root) = Files::new();
    let tls = Arc::new(files.load().unwrap());
    let site = Site::with(HttpConfig { tls: Some(Arc::clone(&tls)), ..HttpConfig::default() }).await;
    let at = site.address;
    assert_eq!(status(trusting(&root), at).await.unwrap(), (200, reqwest::Version::HTTP_2));
    assert_eq!(status(trusting(&root).http1_only(), at).await.unwrap(), (200, reqwest::Version::HTTP_11));
    let old = trusting(&root).max_tls_version(reqwest::tls::Version::TLS_1_2);
    assert_eq!(status(old, at).await.unwrap().0, 200);

    fs::write(files.0.path().join("key.pem"), "not a key").unwrap();
    tls.reload();
    assert_eq!(status(trusting(&root), at).await.unwrap().0, 200, "the certificate before stays");
    let renewed = files.renew();
    tls.reload();
    assert_eq!(status(trusting(&renewed), at).await.unwrap().0, 200);
    assert!(status(trusting(&root), at).await.is_err(), "the old one is shown no more");
    let plain = site.client.get(site.url("/health/live")).send().await;
    assert!(plain.is_err(), "no plain HTTP beside TLS");
}

#[test]
fn a_bad_certificate_is_told_with_its_file() {
    let (files, _) = Files::new();
    let at = |name: &str| files.0.path().join(name);
    let refused = |cert: &str, key: &str| Tls::load(at(cert), at(key)).unwrap_err().to_string();
    fs::write(at("empty.pem"), "").unwrap();
    assert!(refused("empty.pem", "key.pem").ends_with("empty.pem: no PEM certificate in it"));
    assert!(refused("cert.pem", "cert.pem").ends_with("cert.pem: no PEM private key in it"));
    assert!(refused("none.pem", "key.pem").contains("none.pem: "));
    let (other, _) = Files::new();
    fs::copy(other.0.path().join("key.pem"), at("other.pem")).unwrap();
    assert!(refused("cert.pem", "other.pem").contains("other.pem: "), "another certificate's key");
}

/// Sends this, and reads until the server closes the connection.
async fn until_closed(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Closed, with or without a word.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Paused time runs on as soon as everybody waits.
#[tokio::test(start_paused = true)]
async fn clients_that_are_late_lose_their_connection() {
    let site = Site::start(HttpLimits::default()).await;
    let request = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (sent, answers) in [
        (String::new(), 0),
        ("GET /health/live HTTP/1.1\r\nHost: loc".to_owned(), 0),
        // Half of what an HTTP/2 client begins with.
        ("PRI * HTTP/2.0\r\n".to_owned(), 0),
        (request.to_owned(), 1),
        (format!("{request}GET /health/li"), 1),
    ] {
        let answer = until_closed(site.address, &sent).await;
        assert_eq!(answer.matches("HTTP/1.1 200").count(), answers, "{sent:?}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_its_answer_loses_its_connection() {
    const BYTES: usize = 64 * 1024 * 1024;
    let pages = Router::new().route("/large", get(async || vec![b'x'; BYTES]));
    let site = Site::with(HttpConfig { pages, ..HttpConfig::default() }).await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    // Nothing is read meanwhile.
    tokio::time::sleep(Duration::from_mins(2)).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.len() < BYTES, "{} bytes", answer.len());
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_end_is_given_up() {
    let (files, _) = Files::new();
    let tls = Some(Arc::new(files.load().unwrap()));
    let site = Site::with(HttpConfig { tls, ..HttpConfig::default() }).await;
    assert_eq!(until_closed(site.address, "").await, "");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_answered_408() {
    let site = Site::start(HttpLimits::default()).await;
    let head = "Host: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n";
    let slow = format!("POST /mcp HTTP/1.1\r\n{head}Content-Length: 9\r\n\r\n{{");
    let answer = until_closed(site.address, &slow).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn one_address_cannot_have_all_connections() {
    let listening = async |shared: &[IpNet]| {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let mut clients = Vec::new();
        for _ in 0..4 {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        (Listener::new(socket, 10).at_most_of_an_address(2, Proxies::new(shared)), clients)
    };
    let (listener, mut clients) = listening(&[]).await;
    let _accepted = (listener.accept().await, listener.accept().await);
    tokio::select! {
        _ = listener.accept() => panic!("a third one"),
        () = async {
            for refused in &mut clients[2..] {
                assert_eq!(refused.read(&mut [0]).await.unwrap_or(0), 0, "closed at once");
            }
        } => {}
    }
    // A proxy speaks for many.
    let (listener, _clients) = listening(&["127.0.0.0/8".parse().unwrap()]).await;
    let mut accepted = Vec::new();
    while accepted.len() < 4 {
        accepted.push(listener.accept().await);
    }
}

#[tokio::test]
async fn clients_on_this_machine_are_many() {
    let limits = HttpLimits { connections_per_address: 2, ..HttpLimits::default() };
    let site = Site::start(limits).await;
    let mut kept = Vec::new();
    for _ in 0..4 {
        let client = Client::builder().no_proxy().build().unwrap();
        assert_eq!(client.get(site.url("/health/live")).send().await.unwrap().status(), 200);
        kept.push(TcpStream::connect(site.address).await.unwrap());
    }
}

#[tokio::test]
async fn handlers_see_the_client_that_a_trusted_proxy_names() {
    for (trusted, seen) in [("127.0.0.0/8", "192.0.2.1"), ("10.0.0.0/8", "127.0.0.1")] {
        let pages = Router::new()
            .route("/who", get(async |Extension(client): Extension<std::net::IpAddr>| client.to_string()));
        let trusted_proxies = vec![trusted.parse().unwrap()];
        let site = Site::with(HttpConfig { trusted_proxies, pages, ..HttpConfig::default() }).await;
        let asked = site.client.get(site.url("/who")).header("x-forwarded-for", "1.1.1.1, 192.0.2.1");
        assert_eq!(asked.send().await.unwrap().text().await.unwrap(), seen);
    }
}

#[tokio::test]
async fn the_public_url_names_a_host_and_an_origin() {
    let public_url = Some("https://mcp.example.com".parse().unwrap());
    let site = Site::with(HttpConfig { public_url, ..HttpConfig::default() }).await;
    let ask = async |host: &str, origin: &str| {
        let request = site.client.post(site.url("/mcp")).header("host", host).header("origin", origin);
        let request = request.header("accept", "application/json, text/event-stream");
        request.json(&super::initialize("2025-11-25")).send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask("mcp.example.com", "https://mcp.example.com").await, 200);
    assert_eq!(ask("mcp.example.com:443", "https://mcp.example.com").await, 200);
    assert_eq!(ask("mcp.example.com", "http://mcp.example.com").await, 403);
    assert_eq!(ask("mcp.example.com", "https://mcp.example.com:8443").await, 403);
    assert_eq!(ask("evil.example", "https://mcp.example.com").await, 403);
    assert_eq!(ask("mcp.example.com:8443", "https://mcp.example.com").await, 403);
}

#[tokio::test]
async fn while_the_server_leaves_it_answers_and_asks_clients_to_go() {
    let limits = HttpLimits { grace: Duration::from_mins(10), ..HttpLimits::default() };
    let site = Site::start(limits).await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    site.shutdown.cancel();
    // Sent after the end began, on a connection from before it.
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    site.ends().await;
}
