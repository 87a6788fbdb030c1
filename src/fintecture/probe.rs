//! Looks at one part of the way to the upstream at a time, for a person who wants to know which part is broken.

use std::error::Error;
use std::io;

use url::Url;

use super::body;
use super::client::Client;
use super::credentials::Credentials;
use super::failure::Failure;

/// A connection that came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Such as `HTTP/1.1`.
    pub version: String,
    /// Whether it is protected by TLS.
    pub has_tls: bool,
}

/// Why no connection came about. Quotes no URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoConnection {
    /// The other side was reached, and TLS could not be agreed on or its certificate not be trusted.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// Nobody was reached.
    #[error("nobody was reached: {0}")]
    Tcp(String),
    /// A connection stood, and nothing came over it in time.
    #[error("nothing was answered in time")]
    Silent,
    /// Something was answered that is no HTTP, or the connection broke.
    #[error("what answers there speaks no HTTP: {0}")]
    NotHttp(String),
}

/// Where the token of requests is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSource {
    /// It was set; only a request shows whether it is good.
    Set,
    /// The token endpoint gave it out.
    Fetched,
}

impl Client {
    /// Where the upstream is.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// Whether requests are signed.
    #[must_use]
    pub fn signs(&self) -> bool {
        self.signer.is_some()
    }

    /// Connects, and asks for nothing in particular: without any credential, and whatever the answer's status.
    ///
    /// # Errors
    /// [`NoConnection`] says how far it came.
    pub async fn probe_connection(&self) -> Result<Connection, NoConnection> {
        let asked =
            async { self.pools.http()?.head(self.base_url.clone()).timeout(self.timeout).send().await };
        match asked.await {
            Ok(response) => Ok(Connection {
                version: format!("{:?}", response.version()),
                has_tls: self.base_url.scheme() == "https",
            }),
            Err(error) if error.is_connect() && is_tls(&error) => Err(NoConnection::Tls(body::cause(&error))),
            Err(error) if error.is_connect() => Err(NoConnection::Tcp(body::cause(&error))),
            Err(error) if error.is_timeout() => Err(NoConnection::Silent),
            Err(error) => Err(NoConnection::NotHttp(body::cause(&error))),
        }
    }

    /// Gets a token, from the token endpoint where one is used.
    ///
    /// # Errors
    /// The [`Failure`] names the variable to look at.
    pub async fn probe_token(&self) -> Result<TokenSource, Failure> {
        self.tokens.bearer(&self.token_http, self.timeout).await?;
        Ok(match self.tokens.credentials() {
            Credentials::Token(_) => TokenSource::Set,
            Credentials::Application(_) => TokenSource::Fetched,
        })
    }
}

/// Whether a connection failed in its handshake. rustls reports through I/O errors of these kinds, perhaps within
/// another one; what a socket itself reports is of other kinds.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let Some(io_error) = error.downcast_ref::<io::Error>() else {
        return error.source().is_some_and(is_tls);
    };
    let in_handshake = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];
    // `source` of an I/O error skips the error that it wraps.
    in_handshake.contains(&io_error.kind()) || io_error.get_ref().is_some_and(|inner| is_tls(inner))
}
