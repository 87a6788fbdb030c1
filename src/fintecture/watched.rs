//! An attempt as those see it who watch the upstream: a span and two numbers, whichever way it ends.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use super::context::CallContext;
use super::failure::Failure;
use super::sending::Outgoing;
use crate::measures;
use crate::traces::{Attempt, Span};

/// One attempt on its way. Dropped before it ended, it counts as one that got no answer.
pub(super) struct Watched {
    operation: &'static str,
    span: Span,
    started: Instant,
    /// Status of the answer; 0 until one came.
    status: AtomicU16,
    has_ended: bool,
}

impl Watched {
    /// An attempt that leaves now, after so many others of the same request.
    pub(super) fn begin(
        request: &Outgoing<'_>,
        resends: u32,
        request_id: &str,
        context: &CallContext,
    ) -> Self {
        let operation = request.operation.id();
        let attempt = Attempt {
            operation,
            method: request.method.as_str(),
            template: request.template,
            host: request.url.host_str().unwrap_or_default(),
            port: request.url.port_or_known_default(),
            resends,
            request_id,
        };
        if resends > 0 {
            measures::upstream_retry(operation);
        }
        let span = Span::of_attempt(context.place(), &attempt);
        Self { operation, span, started: Instant::now(), status: AtomicU16::new(0), has_ended: false }
    }

    /// What tells the upstream which trace it is asked in.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        self.span.place().headers()
    }

    /// An answer with this status came.
    pub(super) fn answered(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
        self.span.answered(status);
    }

    /// It ended.
    pub(super) fn ended<T>(mut self, result: &Result<T, Failure>) {
        self.has_ended = true;
        if let Err(failure) = result {
            match failure.status {
                Some(status) if !(200..300).contains(&status) => self.span.failed(status.to_string()),
                _ => self.span.failed(failure.kind.as_str()),
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.has_ended {
            self.span.failed("given_up");
        }
        let status = Some(self.status.load(Ordering::Relaxed)).filter(|status| *status != 0);
        measures::upstream_attempt(self.operation, status, self.started.elapsed());
    }
}
