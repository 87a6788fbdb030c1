//! What the server takes at most, each limit by its name: `--limit NAME=VALUE`.

use std::time::Duration;

use super::Problems;

/// One limit.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Its name, in `--limit`, in the metric `fintecture_mcp_limit_hits_total{limit=…}` and in `docs/operating.md`.
    pub name: &'static str,
    /// What holds where nothing is said; of times, in seconds.
    pub default: u64,
    /// What it bounds, with its unit, and what happens beyond.
    pub help: &'static str,
}

macro_rules! limits {
    ($($field:ident = $default:literal, $name:literal, $help:literal;)*) => {
        /// Every limit, as a number of its unit.
        #[expect(clippy::doc_markdown, reason = "the same words stand in --help, which has no backticks")]
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(#[doc = $help] pub $field: u64,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Limits {
            /// Every limit with its default, in the order of help texts.
            pub const ALL: &[Limit] = &[$(Limit { name: $name, default: $default, help: $help },)*];

            fn place(&mut self, name: &str) -> Option<&mut u64> {
                match name {
                    $($name => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}

limits! {
    connections = 10_000, "connections", "TCP connections open at once; further ones wait";
    connections_per_address = 1024, "connections-per-address", "of these, from one client address other than this machine's own and those of trusted proxies; further ones are closed";
    header_seconds = 15, "header-seconds", "time for the head of a request, in seconds; then the connection is closed";
    body_seconds = 30, "body-seconds", "time for the body of a request, in seconds; then 408";
    request_bytes = 1_048_576, "request-bytes", "longest request body, in bytes; beyond, 413";
    bodies_bytes = 67_108_864, "bodies-bytes", "request bodies held at once, in all, until they are answered, in bytes; beyond, 503";
    bodies_bytes_per_principal = 16_777_216, "bodies-bytes-per-principal", "of these, of one authenticated principal, in bytes; beyond, 429";
    sessions = 2000, "sessions", "sessions of Streamable HTTP open at once; beyond, 503";
    sessions_per_principal = 500, "sessions-per-principal", "of these, of one principal; beyond, 429";
    session_idle_seconds = 1800, "session-idle-seconds", "after so long without a message a session ends, in seconds";
    session_life_seconds = 86400, "session-life-seconds", "after so long a session or stream ends, whatever it does, in seconds";
    streams = 5000, "streams", "event streams open at once, legacy SSE included; beyond, 503";
    streams_per_principal = 1000, "streams-per-principal", "of these, of one principal; beyond, 429";
    calls_in_flight = 1024, "calls-in-flight", "tool calls and reads that run at once; beyond, rate_limited";
    calls_in_flight_per_principal = 256, "calls-in-flight-per-principal", "of these, of one authenticated principal; beyond, rate_limited";
    calls_per_minute = 3000, "calls-per-minute", "requests of one authenticated principal in a minute, refused ones included; beyond, rate_limited";
    verifications_per_day = 100, "verifications-per-day", "verifications started for one customer in a day; beyond, rate_limited";
    shutdown_seconds = 60, "shutdown-seconds", "time for calls in flight at the end, in seconds";
}

impl Limits {
    /// Reads `NAME=VALUE`, each name once.
    pub(super) fn read(flags: &[String], problems: &mut Problems) -> Self {
        let mut limits = Self::default();
        let mut seen = Vec::new();
        for flag in flags {
            let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
            let Some(place) = limits.place(name) else {
                let known: Vec<&str> = Self::ALL.iter().map(|limit| limit.name).collect();
                problems.add(format!("--limit knows no {name}; it knows {}", known.join(", ")));
                continue;
            };
            match value.parse() {
                Ok(value) if value > 0 => *place = value,
                _ => problems
                    .add(format!("--limit {name} must be a whole number from 1 on, such as {name}={place}")),
            }
            if seen.contains(&name) {
                problems.add(format!("--limit {name} stands twice"));
            }
            seen.push(name);
        }
        limits
    }

    /// The table for `--help`.
    #[must_use]
    pub fn help() -> String {
        let rows = Self::ALL
            .iter()
            .map(|limit| format!("  {}={}\n          {}", limit.name, limit.default, limit.help));
        format!("Limits (--limit NAME=VALUE), with their defaults:\n{}", rows.collect::<Vec<_>>().join("\n"))
    }
}

/// A limit that is a time.
#[must_use]
pub fn seconds(limit: u64) -> Duration {
    Duration::from_secs(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: &[&str]) -> Result<Limits, String> {
        let mut problems = Problems::default();
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let limits = Limits::read(&flags, &mut problems);
        problems.or(Some(limits)).map_err(|problems| problems.to_string())
    }

    #[test]
    fn limits_are_set_by_name_and_every_problem_is_told() {
        let limits = read(&["sessions=7", "body-seconds=2"]).unwrap();
        assert_eq!((limits.sessions, limits.body_seconds), (7, 2));
        assert_eq!(Limits { sessions: 2000, body_seconds: 30, ..limits }, Limits::default());
        let refused =
            read(&["sessions=0", "streams", "sesions=1", "connections=1", "connections=2"]).unwrap_err();
        let lines: Vec<&str> = refused.lines().collect();
        assert_eq!(lines.len(), 4, "{refused}");
        assert_eq!(lines[0], "--limit sessions must be a whole number from 1 on, such as sessions=2000");
        assert!(lines[1].starts_with("--limit streams must be"), "{refused}");
        assert!(lines[2].starts_with("--limit knows no sesions; it knows connections, "), "{refused}");
        assert_eq!(lines[3], "--limit connections stands twice");
    }

    #[test]
    fn the_docs_show_every_limit_with_its_default() {
        let page = include_str!("../../docs/operating.md");
        for Limit { name, default, help } in Limits::ALL {
            let row = format!("| `{name}` | {default} | {help} |");
            assert!(page.contains(&row), "the table of limits in docs/operating.md lacks:\n{row}");
        }
    }
}
