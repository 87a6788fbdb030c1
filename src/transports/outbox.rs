//! The way out of a connection: one line after the other, whoever writes, until the client is gone. Lines that are
//! due at the same time leave together.
//!
//! Knows nothing of what the lines say.

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, OnceLock, PoisonError},
};

use futures_util::{Sink, SinkExt};
use tokio::{sync, task::yield_now};
use tokio_util::sync::CancellationToken;

use super::{TransportError, ledger::Line};

/// The way out, shared by the answers that are written at the same time.
#[derive(Debug)]
pub(crate) struct Outbox<O> {
    due: Mutex<VecDeque<Line>>,
    sink: sync::Mutex<O>,
    end: CancellationToken,
    failure: OnceLock<TransportError>,
}

impl<O> Outbox<O>
where
    O: Sink<String, Error: Into<TransportError>> + Unpin,
{
    pub(crate) fn new(sink: O, end: CancellationToken) -> Self {
        Self { due: Mutex::default(), sink: sync::Mutex::new(sink), end, failure: OnceLock::new() }
    }

    /// Why the client got no more.
    pub(crate) fn failure(&self) -> Option<&TransportError> {
        self.failure.get()
    }

    /// Writes a line, or ends the session with the first that fails.
    pub(crate) async fn write(&self, line: Line) -> Result<(), TransportError> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).push_back(line);
        // Whoever is about to write comes first, so that one writes for all.
        yield_now().await;
        let mut sink = self.sink.lock().await;
        // A sink need not bear another call after it failed.
        if self.failure.get().is_none() {
            let Err(error) = self.write_due(&mut sink).await else { return Ok(()) };
            if self.failure.set(error.into()).is_ok() {
                tracing::info!("the client is gone before its answers were: the session ends");
            }
            // No later answer can reach the client either, so there is nothing left to serve.
            self.end.cancel();
        }
        // What nobody reads any more is not owed.
        self.due.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Err(TransportError::Closed)
    }

    /// Writes what is due, whoever brought it. Dropped half-way, which happens at the end of a session alone,
    /// it loses the line that the sink had not taken yet.
    async fn write_due(&self, sink: &mut O) -> Result<(), O::Error> {
        let mut written = Vec::new();
        while let Some(mut line) = self.next_due() {
            sink.feed(mem::take(&mut line.text)).await?;
            // Owed until it is out.
            written.push(line);
        }
        sink.flush().await
    }

    fn next_due(&self) -> Option<Line> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(crate) async fn close(&self) {
        let mut sink = self.sink.lock().await;
        if self.failure.get().is_none() && sink.close().await.is_err() {
            tracing::debug!("the client was gone before its stream was closed");
        }
    }
}
