//! A bare rmcp server: one tool that answers at once, on stdio or over Streamable HTTP with sessions.
//!
//! What it takes to start, and to keep a session, is what rmcp itself takes of our server's start and sessions. It is
//! written as rmcp's own examples are, with every setting as rmcp has it, but for `TCP_NODELAY`.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService, stdio_pipes};
use rmcp::{ServiceExt, tool, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// The name of the tool.
pub(crate) const TOOL: &str = "get_customer";

/// The server; each session has its own.
#[derive(Debug, Clone, Default)]
struct Bare;

/// Arguments of the tool.
#[derive(Debug, Deserialize, JsonSchema)]
struct Get {
    /// Whom to read.
    customer_id: String,
}

/// Its result.
#[derive(Debug, Serialize, JsonSchema)]
struct Customer {
    id: String,
}

#[tool_router(server_handler)]
impl Bare {
    /// Reads a customer.
    #[tool]
    async fn get_customer(&self, Parameters(get): Parameters<Get>) -> Json<Customer> {
        Json(Customer { id: get.customer_id })
    }
}

/// Serves one client on stdin and stdout until stdin ends.
///
/// # Errors
/// What the runtime or the session fails with.
pub(crate) fn serve_stdio() -> io::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let session = Bare.serve(stdio_pipes()).await.map_err(io::Error::other)?;
        session.waiting().await.map_err(io::Error::other)?;
        Ok(())
    })
}

/// Serves `/mcp` until the process is ended.
///
/// # Errors
/// What the listener fails with.
pub(crate) async fn serve_http(listener: TcpListener) -> io::Result<()> {
    let service: StreamableHttpService<Bare, LocalSessionManager> =
        StreamableHttpService::new(|| Ok(Bare), Arc::default(), StreamableHttpServerConfig::default());
    let listener = listener.tap_io(|connection| {
        // Answers in two writes would wait for each other's acknowledgement.
        let _ = connection.set_nodelay(true);
    });
    axum::serve(listener, Router::new().route_service("/mcp", service)).await
}
