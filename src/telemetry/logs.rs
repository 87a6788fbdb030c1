//! Log lines, on standard error: standard output belongs to the protocol.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::config::LogFormat;

/// Sends log lines to standard error from now on. `RUST_LOG` chooses among ours; libraries stay at warnings,
/// and rmcp stays silent, since its lines quote whole messages, and with them people's data.
pub(super) fn start(format: LogFormat) {
    let chosen = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let bounded = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("fintecture_mcp", LevelFilter::TRACE)
        .with_target("rmcp", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_target(false);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // A second start in one process keeps the first, as in tests.
    let _ = tracing_subscriber::registry().with(lines.with_filter(bounded).with_filter(chosen)).try_init();
    quiet_panics();
}

/// A panic is logged by its place alone: its message may quote what was being worked on.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a task panicked");
    }));
}
