//! A KYC story, told in a terminal by a real MCP client: what an agent asks, what its person is asked, what comes back.
//!
//! `story` has the acts and what must be so after each, `client` is the agent's host with a person who says yes,
//! `screen` is the terminal. Knows a server by its two streams: which one it is, and how it was started, is the
//! caller's to say. It stops at the first answer that is not from a simulator.

mod client;
mod screen;
mod story;

use std::io;
use std::sync::Arc;

use rmcp::ServiceExt;
use rmcp::service::ClientInitializeError;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

pub use screen::Screen;

/// Why the story was not told to its end.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The server and the client did not come together.
    #[error("the server does not answer")]
    Start(#[source] Box<ClientInitializeError>),
    /// A request got no answer.
    #[error("the server left a request without an answer")]
    Request(#[from] rmcp::ServiceError),
    /// An answer was not what the story stands on.
    #[error("{0}")]
    Otherwise(String),
    /// Nobody reads any more, or the disk is full.
    #[error("the story cannot be written")]
    Output(#[from] io::Error),
}

/// Plays the story with the server behind these streams, and shows it.
///
/// # Errors
/// The first thing that was not as it should be.
pub async fn play(
    server: (impl AsyncRead + Send + Unpin + 'static, impl AsyncWrite + Send + Unpin + 'static),
    screen: &Arc<Screen>,
) -> Result<(), DemoError> {
    let host = client::Host::new(Arc::clone(screen));
    // On the heap: the futures of rmcp are large.
    let connected = Box::pin(host.serve(server)).await;
    let client = connected.map_err(|error| DemoError::Start(Box::new(error)))?;
    let told = story::tell(client.peer(), screen).await;
    // However it ended, the connection is closed: that is what ends the server.
    let _ = client.cancel().await;
    screen.clear();
    told
}
