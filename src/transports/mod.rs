//! How messages reach the server and its answers leave: stdio, Streamable HTTP at `/mcp`, legacy SSE at
//! `GET /sse` with `POST /messages`, the routes of the REST face, and the gate before the HTTP routes.
//!
//! Knows rmcp and axum. Knows nothing of tools, configuration or the upstream: the server behind it is any
//! [`rmcp::ServerHandler`] that is cheap to clone, and the short route to the same calls is a part of [`mcp`](crate::mcp).
//!
//! | module | does |
//! |---|---|
//! | `message` | bytes to JSON-RPC messages, batches included, or the error that says why not |
//! | `ledger` | counts what a connection is owed, and puts the answers of a batch together |
//! | `wire`, `outbox` | rmcp's transport over messages in and lines out; stdio and legacy SSE share it |
//! | `short_lines` | its plain calls, which rmcp need not see |
//! | `connection` | serves one connection over the wire, and says what its end means |
//! | `stdio`, `standard` | lines on stdin and stdout; what these are |
//! | `legacy_sse` | a stream of events out, POSTs in |
//! | `rest` | the REST face's routes |
//! | `under_way` | a call over HTTP goes on to its end where its client leaves |
//! | `bodies` | how much of request bodies is held at once |
//! | `streamable`, `batch` | rmcp's Streamable HTTP, and what it leaves to us |
//! | `sessions`, `asked`, `in_flight` | its sessions; who asks for them; their requests under way |
//! | `short_posts` | calls over HTTP that rmcp need not see, in a session or without |
//! | `shared` | sessions that another replica may take up |
//! | `places` | places for sessions and streams, shared out among principals |
//! | `gate`, `names` | refuses foreign Host and Origin headers; which ones are ours |
//! | `auth`, `metadata`, `client` | refuses who is not known, and says where tokens come from; the client's address and principal |
//! | `http`, `reply`, `held` | the routes and the server's end; answers, and what they hold |
//! | `serving`, `workers` | the server's loop, and the threads that serve its connections |
//! | `pace`, `listener`, `addresses`, `tls` | what a connection may take |
//! | `refusals` | how fast a principal is told that it is over a limit |
//! | `watch` | health and metrics |
//! | `pages` | a server for pages alone, beside stdio |

mod addresses;
mod asked;
mod auth;
mod batch;
mod bodies;
mod client;
mod connection;
mod gate;
mod held;
mod http;
mod in_flight;
mod ledger;
mod legacy_sse;
pub mod limits;
mod listener;
mod message;
mod metadata;
mod names;
mod outbox;
mod pace;
mod pages;
mod places;
mod refusals;
mod reply;
mod rest;
mod serving;
mod sessions;
mod shared;
mod short_lines;
mod short_posts;
mod standard;
mod stdio;
mod streamable;
mod tls;
mod under_way;
mod watch;
mod wire;
mod workers;

#[cfg(test)]
mod tests;

pub use http::{HttpConfig, serve_http};
pub use limits::HttpLimits;
pub use names::origin;
pub use pages::serve_pages;
pub use stdio::serve_stdio;
pub use tls::{Tls, TlsError};
pub use watch::Exposition;
pub use workers::Workers;

use rmcp::transport::streamable_http_server::session::local::LocalSessionManagerError;

/// Why serving ended, or one message could not be passed on. No text here holds any part of a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The bytes did not reach the client, which is still there.
    #[error("writing to the client failed: {0}")]
    Write(#[source] std::io::Error),
    /// The client has closed its end.
    #[error("the client has closed its stream")]
    Closed,
    /// An answer could not be written as JSON.
    #[error("an answer could not be written as JSON: {0}")]
    Encode(#[source] serde_json::Error),
    /// The session was not opened. rmcp's own error quotes the message, so it is not kept.
    #[error("the session with the client could not be opened")]
    Session,
    /// The task that served the client ended abnormally.
    #[error("the task that served the client ended abnormally: {0}")]
    Task(#[source] tokio::task::JoinError),
    /// The listener has no address.
    #[error("the listener has no address: {0}")]
    Listener(#[source] std::io::Error),
    /// As many sessions are open as may be.
    #[error("as many sessions are open as may be")]
    SessionsFull,
    /// rmcp could not serve a session of Streamable HTTP.
    #[error(transparent)]
    LocalSession(#[from] LocalSessionManagerError),
}
