//! The way out of a connection: one line after the other, whoever writes, until the client is gone.
//!
//! Knows nothing of what the lines say.

use std::{mem, sync::OnceLock};

use futures_util::{Sink, SinkExt};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{TransportError, ledger::Line};

/// The way out, shared by the answers that are written at the same time.
#[derive(Debug)]
pub(crate) struct Outbox<O> {
    sink: Mutex<O>,
    end: CancellationToken,
    failure: OnceLock<TransportError>,
}

impl<O> Outbox<O>
where
    O: Sink<String, Error: Into<TransportError>> + Unpin,
{
    pub(crate) fn new(sink: O, end: CancellationToken) -> Self {
        Self { sink: Mutex::new(sink), end, failure: OnceLock::new() }
    }

    /// Why the client got no more.
    pub(crate) fn failure(&self) -> Option<&TransportError> {
        self.failure.get()
    }

    /// Writes a line, or ends the session with the first that fails.
    pub(crate) async fn write(&self, mut line: Line) -> Result<(), TransportError> {
        let text = mem::take(&mut line.text);
        let mut sink = self.sink.lock().await;
        // A sink need not bear another call after it failed.
        if self.failure.get().is_some() {
            return Err(TransportError::Closed);
        }
        // No later answer can reach the client either, so there is nothing left to serve.
        sink.send(text).await.map_err(|error| {
            if self.failure.set(error.into()).is_ok() {
                tracing::info!("the client is gone before its answers were: the session ends");
            }
            self.end.cancel();
            TransportError::Closed
        })
    }

    pub(crate) async fn close(&self) {
        let mut sink = self.sink.lock().await;
        if self.failure.get().is_none() && sink.close().await.is_err() {
            tracing::debug!("the client was gone before its stream was closed");
        }
    }
}
