//! The program as an HTTP server on a port of its own.

use super::agent::Agent;
use super::legacy_sse;
use super::process::Process;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

/// A running server.
#[derive(Debug)]
pub(crate) struct HttpServer {
    pub(crate) process: Process,
    address: String,
}

impl HttpServer {
    /// Waits until the process says where it listens.
    pub(crate) async fn ready(mut process: Process) -> Self {
        let line = process.logged("serving Streamable HTTP at ").await;
        let (_, rest) = line.split_once("http://").unwrap();
        let (address, _) = rest.split_once("/mcp").unwrap();
        Self { process, address: address.to_owned() }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client over Streamable HTTP.
    pub(crate) async fn agent(&self) -> Agent {
        Agent::over_http(&self.url("/mcp")).await
    }

    /// A client over Streamable HTTP with a token.
    pub(crate) async fn agent_with(&self, token: &str) -> Agent {
        let config = StreamableHttpClientTransportConfig::with_uri(self.url("/mcp")).auth_header(token);
        Agent::connect(StreamableHttpClientTransport::with_client(http(), config)).await
    }

    /// A client over legacy SSE.
    pub(crate) async fn agent_over_legacy_sse(&self) -> Agent {
        Agent::connect(legacy_sse::connect(&self.url("/sse")).await).await
    }
}

/// An HTTP client that never goes through a proxy. It knows no certificates: reading them takes longer than most
/// tests, and everything here is plain HTTP.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}
