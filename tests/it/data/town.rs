//! Everybody around a server: the upstream, who gives out tokens, a store, a collector, and the files that it has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::{Request, ResponseTemplate};

use super::sinks::Sinks;
use super::{upstream, vault};
use crate::support::canaries::ISSUED;
use crate::support::collector::{Collector, hex};
use crate::support::http_server::{HttpServer, http};
use crate::support::issuer::{FakeIssuer, TOKEN};
use crate::support::redis::Redis;
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;

/// The key of the audit trail. Nothing may hold it.
pub(super) const AUDIT_KEY: &str = "canary-audit-key-canary-audit-key-canary-audit-key-canary-audit-key";
/// What is shown to the store.
pub(super) const STORE_PASSWORD: &str = "canary-store-password";
/// What is shown to the collector.
pub(super) const COLLECTOR_KEY: &str = "canary-collector-key";

pub(super) struct Town {
    pub(super) bank: Upstream,
    pub(super) token_url: Upstream,
    pub(super) issuer: FakeIssuer,
    collector: Collector,
    redis: Redis,
    folder: TempDir,
}

impl Town {
    pub(super) async fn new() -> Self {
        let token = json!({"access_token": ISSUED, "expires_in": 3600});
        let town = Self {
            bank: Upstream::answering(upstream::answer).await,
            token_url: Upstream::answering(ResponseTemplate::new(200).set_body_json(token)).await,
            issuer: FakeIssuer::start().await,
            collector: Collector::start().await,
            redis: Redis::start().await,
            folder: tempfile::tempdir().unwrap(),
        };
        town.file("audit-key", AUDIT_KEY);
        town.file("store-key", vault::KEY);
        town
    }

    /// Writes a file. Returns its path.
    pub(super) fn file(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A server with everybody at hand: it masks, and asks a person before each write.
    pub(super) async fn server(&self, setup: Setup) -> HttpServer {
        let with_password = format!("redis://default:{STORE_PASSWORD}@");
        setup
            .variable("RUST_LOG", "trace")
            .variable("OTEL_EXPORTER_OTLP_ENDPOINT", self.collector.address())
            .variable("OTEL_EXPORTER_OTLP_HEADERS", &format!("api-key={COLLECTOR_KEY}"))
            .variable("FINTECTURE_STORE_URL", &self.redis.url().replace("redis://", &with_password))
            .flag(&format!("--store-key={}", self.path("store-key")))
            .flag(&format!("--audit-log={}", self.path("trail")))
            .flag(&format!("--audit-key={}", self.path("audit-key")))
            .flag("--trusted-proxy=127.0.0.1/32")
            .flag("--confirm-writes=always")
            .flag("--personal-data=masked")
            .http()
            .await
    }

    /// Ends the server, and adds what everybody has seen of it.
    pub(super) async fn tells(&self, server: HttpServer, token: &str, sinks: &mut Sinks) {
        vault::look(sinks.at("store"), &self.redis, &self.bank.base_url()).await;
        let metrics = http().get(server.url("/metrics")).bearer_auth(token).send().await.unwrap();
        sinks.at("metrics").shows(&metrics.text().await.unwrap());
        server.process.signal(Signal::SIGTERM);
        let (status, log) = server.process.ended().await;
        assert_eq!(status.code(), Some(0), "{log}");
        sinks.at("log").shows(&log);
        let spans = self.collector.spans();
        assert!(!spans.is_empty());
        for span in &spans {
            sinks.at("traces").shows(&hex(&span.trace_id));
        }
        sinks.at("traces").shows(&self.collector.text());
        sinks.at("traces").shows(&self.collector.header("api-key").unwrap());
        sinks.at("audit trail").shows(&std::fs::read_to_string(self.path("trail")).unwrap());
        for request in self.bank.requests().await {
            sinks.at("upstream").shows(&in_words(&request));
        }
        for request in self.token_url.requests().await {
            sinks.at("token URL").shows(&in_words(&request));
        }
        for asked in self.issuer.seen(TOKEN) {
            sinks.at("issuer").shows(&opened(asked.authorization.as_deref().unwrap_or_default()));
            sinks.at("issuer").shows(&format!("{:?}", asked.form));
        }
    }

    /// The `X-Request-ID` of the last request to the upstream.
    pub(super) async fn last_request_id(&self) -> String {
        let requests = self.bank.requests().await;
        requests.last().unwrap().headers["x-request-id"].to_str().unwrap().to_owned()
    }
}

/// A request as whoever gets it reads it.
fn in_words(request: &Request) -> String {
    let query: Vec<String> =
        request.url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    let headers: Vec<String> = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", opened(value.to_str().unwrap())))
        .collect();
    let body = String::from_utf8_lossy(&request.body);
    format!("{} {} {} {body}", request.url.path(), query.join(" "), headers.join("\n"))
}

/// A header, with what HTTP Basic hides in plain words.
fn opened(header: &str) -> String {
    let basic = header.strip_prefix("Basic ").and_then(|basic| STANDARD.decode(basic).ok());
    basic.map_or_else(|| header.to_owned(), |basic| String::from_utf8(basic).unwrap())
}

/// What a client sends beside its parameters: who it is, and the trace that it belongs to.
pub(super) fn about_the_client(can_ask: bool) -> Value {
    let capabilities = if can_ask { json!({"elicitation": {"form": {}}}) } else { json!({}) };
    json!({
        "io.modelcontextprotocol/clientInfo": {"name": super::CLIENT, "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": capabilities,
        "traceparent": format!("00-{}-b7ad6b7169203331-01", super::TRACE),
    })
}
