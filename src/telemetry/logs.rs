//! Log lines, on standard error: standard output belongs to the protocol.

use std::io::{self, Stderr};
use std::sync::OnceLock;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::fmt::writer::EitherWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use super::lines::Lines;
use crate::config::LogFormat;

/// How long the last lines may take, at the end of the program.
const LAST_LINES: Duration = Duration::from_secs(1);
/// The same in a panic, which may be the end.
const LINES_OF_A_PANIC: Duration = Duration::from_millis(200);

/// The lines that are on their way to standard error; none where there is no thread to take them there.
static LINES: OnceLock<&Lines> = OnceLock::new();

/// Sends log lines to standard error from now on. `RUST_LOG` chooses among ours; libraries stay at warnings,
/// and rmcp stays silent, since its lines quote whole messages, and with them people's data.
pub(super) fn start(format: LogFormat) {
    begin();
    let chosen = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let bounded = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("fintecture_mcp", LevelFilter::TRACE)
        .with_target("rmcp", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer().with_writer(out).with_target(false);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // A second start in one process keeps the first, as in tests.
    let _ = tracing_subscriber::registry().with(lines.with_filter(bounded).with_filter(chosen)).try_init();
    quiet_panics();
}

/// Waits until what was said is written, for a second at most.
pub(super) fn flush() -> bool {
    flush_within(LAST_LINES)
}

fn flush_within(patience: Duration) -> bool {
    LINES.get().is_none_or(|lines| lines.flush(patience))
}

/// Has lines written by a thread of their own from now on; without it, by whoever says them.
fn begin() {
    let lines: &Lines = Box::leak(Box::default());
    if LINES.get().is_none() && lines.write_to(io::stderr(), tell_lost).is_ok() {
        let _ = LINES.set(lines);
    }
}

fn out() -> EitherWriter<&'static Lines, Stderr> {
    LINES.get().map_or_else(|| EitherWriter::B(io::stderr()), |&lines| EitherWriter::A(lines))
}

fn tell_lost(lines: usize) {
    tracing::warn!(lines, "log lines were lost: standard error was not read as fast as they came");
}

/// A panic is logged by its place alone: its message may quote what was being worked on.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a task panicked");
        flush_within(LINES_OF_A_PANIC);
    }));
}
