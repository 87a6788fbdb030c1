//! Where what an operator watches goes: log lines to standard error, metrics to whoever asks at `/metrics`, traces to
//! a collector.
//!
//! Knows how each is sent. What is said is decided where it happens; nothing here holds anybody's data.

mod lines;
mod logs;
mod metrics;
mod traces;

use crate::config::LogFormat;

pub(crate) use metrics::Metrics;
pub(crate) use traces::Traces;

/// Sends log lines to standard error from now on.
pub(crate) fn start(format: LogFormat) {
    logs::start(format);
}

/// Waits until the log lines so far are written, for a second at most: before the program ends.
pub(crate) fn flush() -> bool {
    logs::flush()
}
