//! What an operator watches: every number that the server counts, named in one place.
//!
//! Numbers go to whoever records them in this process (the `metrics` facade); nobody may be there. Labels hold words
//! of this code alone: no id, no name, no address.

use std::time::Duration;

use metrics::{Gauge, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// How a number behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Is as it is now.
    Gauge,
    /// How long things take, in seconds.
    Histogram,
}

/// One number.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// Its name at `/metrics`.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

macro_rules! measures {
    ($($constant:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(const $constant: &str = $name;)*

        /// Every number, in the order of the table in `docs/operating.md`.
        pub const ALL: &[Measure] = &[$(
            Measure { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help },
        )*];
    };
}

measures! {
    CALLS = Counter "fintecture_mcp_calls_total" ["tool", "action", "outcome"]
        "tool calls, reads of resources and look-ups for completion that were answered; `outcome` is `success`, `asked`, `task` or the kind of the error";
    CALL_SECONDS = Histogram "fintecture_mcp_call_duration_seconds" ["tool", "action"]
        "how long these took, the time of a person and of waits included";
    CALLS_IN_FLIGHT = Gauge "fintecture_mcp_calls_in_flight" []
        "how many run now";
    ATTEMPTS = Counter "fintecture_mcp_upstream_attempts_total" ["operation", "status"]
        "requests to the upstream, each attempt; `status` is that of the answer, or `none`";
    ATTEMPT_SECONDS = Histogram "fintecture_mcp_upstream_attempt_duration_seconds" ["operation"]
        "how long these took";
    RETRIES = Counter "fintecture_mcp_upstream_retries_total" ["operation"]
        "of these, those that were not the first of their request";
    BREAKER = Gauge "fintecture_mcp_upstream_breaker_open" []
        "1 while the upstream keeps failing and calls fail at once, else 0";
    TOKENS = Counter "fintecture_mcp_upstream_token_requests_total" ["outcome"]
        "requests to the upstream's token endpoint: `success` or `failure`";
    APPROVALS = Counter "fintecture_mcp_approvals_total" ["decision"]
        "what people decided on approval pages: `approved` or `declined`";
    SESSIONS = Gauge "fintecture_mcp_sessions" ["kind"]
        "sessions and streams that are open";
    LIMITS = Counter "fintecture_mcp_limit_hits_total" ["limit"]
        "what was refused since it would exceed the `--limit` of this name";
    REFUSED = Counter "fintecture_mcp_refused_accesses_total" ["reason"]
        "requests that were refused: no token, a wrong one, another principal's session, a foreign page, a wrong approval code, one's own write";
    STORE_ERRORS = Counter "fintecture_mcp_store_errors_total" ["error"]
        "what the store did not do: `gone` or `full`";
    AUDIT_LINES = Counter "fintecture_mcp_audit_lines_total" []
        "lines that were written to the audit trail";
    AUDIT_FAILURES = Counter "fintecture_mcp_audit_failures_total" []
        "lines that could not be written";
    AUDIT_HEAD = Gauge "fintecture_mcp_audit_head" ["hash"]
        "the number of the audit trail's last line, with the hash to keep elsewhere";
    RELOADS = Counter "fintecture_mcp_reloads_failed_total" ["file"]
        "files that were to be read again on SIGHUP and were of no use; what was read before stays";
    ISSUER = Counter "fintecture_mcp_issuer_reads_total" ["outcome"]
        "times that the authorization server's keys were asked for: `success` or `failure`";
    SPANS_LOST = Counter "fintecture_mcp_trace_spans_lost_total" []
        "spans that the collector of traces did not take";
    LOG_LINES_LOST = Counter "fintecture_mcp_log_lines_lost_total" []
        "log lines that were not written, since standard error was not read or is gone";
    INFO = Gauge "fintecture_mcp_build_info" ["version", "environment"]
        "always 1";
    STARTED = Gauge "fintecture_mcp_start_time_seconds" []
        "when the process started serving, in seconds since 1970";
    MEMORY = Gauge "fintecture_mcp_resident_memory_bytes" []
        "memory of the process, where the system tells";
    FILES = Gauge "fintecture_mcp_open_fds" []
        "open files and sockets of the process, where the system tells";
}

/// Edges of the histograms' buckets, in seconds: from an answer at once to the longest wait of a call.
pub const BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 60.0, 300.0];

/// Says what every number means, to whoever records them.
pub fn describe() {
    for measure in ALL {
        match measure.kind {
            Kind::Counter => describe_counter!(measure.name, measure.help),
            Kind::Gauge => describe_gauge!(measure.name, measure.help),
            Kind::Histogram => describe_histogram!(measure.name, metrics::Unit::Seconds, measure.help),
        }
    }
}

/// The process serves this environment from now on.
pub fn started(version: &'static str, environment: &'static str, since_1970: Duration) {
    gauge!(INFO, "version" => version, "environment" => environment).set(1.0);
    gauge!(STARTED).set(since_1970.as_secs_f64());
    gauge!(BREAKER).set(0.0);
    gauge!(CALLS_IN_FLIGHT).set(0.0);
}

/// What the system says of the process.
pub fn process(memory_bytes: Option<u64>, open_files: Option<usize>) {
    if let Some(bytes) = memory_bytes {
        #[expect(clippy::cast_precision_loss, reason = "nobody counts single bytes of so many")]
        gauge!(MEMORY).set(bytes as f64);
    }
    if let Some(files) = open_files {
        gauge!(FILES).set(number(files));
    }
}

/// The audit trail's head as a line of its own. A gauge with the hash as its label would keep every hash there was.
#[must_use]
pub fn audit_head(head: &(u64, String)) -> String {
    let help = ALL.iter().find(|measure| measure.name == AUDIT_HEAD).map_or("", |measure| measure.help);
    let (number, hash) = head;
    format!(
        "# HELP {AUDIT_HEAD} {help}\n# TYPE {AUDIT_HEAD} gauge\n{AUDIT_HEAD}{{hash=\"{hash}\"}} {number}\n"
    )
}

/// A call that runs, for as long as this lives.
#[derive(Debug)]
pub struct InFlight(Gauge);

/// Counts a call that begins.
#[must_use]
pub fn call_begins() -> InFlight {
    let calls = gauge!(CALLS_IN_FLIGHT);
    calls.increment(1.0);
    InFlight(calls)
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// A call was answered. `outcome` is `success` or a word of the contract.
pub fn call(tool: &'static str, action: &'static str, outcome: &str, elapsed: Duration) {
    let outcome = outcome.to_owned();
    counter!(CALLS, "tool" => tool, "action" => action, "outcome" => outcome).increment(1);
    histogram!(CALL_SECONDS, "tool" => tool, "action" => action).record(elapsed);
}

/// The upstream was asked once; with the status of its answer, where one came.
pub fn upstream_attempt(operation: &'static str, status: Option<u16>, elapsed: Duration) {
    counter!(ATTEMPTS, "operation" => operation, "status" => status_word(status)).increment(1);
    histogram!(ATTEMPT_SECONDS, "operation" => operation).record(elapsed);
}

/// A request to the upstream is made again.
pub fn upstream_retry(operation: &'static str) {
    counter!(RETRIES, "operation" => operation).increment(1);
}

/// The upstream keeps failing, or answers again.
pub fn breaker(is_open: bool) {
    gauge!(BREAKER).set(f64::from(u8::from(is_open)));
}

/// The token endpoint was asked.
pub fn token_request(has_succeeded: bool) {
    let outcome = if has_succeeded { "success" } else { "failure" };
    counter!(TOKENS, "outcome" => outcome).increment(1);
}

/// A person decided on a page.
pub fn approval(decision: &'static str) {
    counter!(APPROVALS, "decision" => decision).increment(1);
}

/// Something was refused since it would exceed a limit of this name.
pub fn limit_hit(limit: &'static str) {
    counter!(LIMITS, "limit" => limit).increment(1);
}

/// So many sessions or streams of this kind are open now.
pub fn open_sessions(kind: &'static str, count: usize) {
    gauge!(SESSIONS, "kind" => kind).set(number(count));
}

/// A request was refused before it was looked at.
pub fn refused_access(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

/// The store did not do what it was to do.
pub fn store_error(error: &'static str) {
    counter!(STORE_ERRORS, "error" => error).increment(1);
}

/// So many lines were written to the audit trail.
pub fn audit_lines(lines: usize) {
    counter!(AUDIT_LINES).increment(lines as u64);
}

/// So many lines could not be written; what they were for was refused.
pub fn audit_failures(lines: usize) {
    counter!(AUDIT_FAILURES).increment(lines as u64);
}

/// A file that was to be read again was not taken.
pub fn reload_failed(file: &'static str) {
    counter!(RELOADS, "file" => file).increment(1);
}

/// The authorization server's keys were read, or could not be.
pub fn issuer_read(is_well: bool) {
    counter!(ISSUER, "outcome" => if is_well { "success" } else { "failure" }).increment(1);
}

/// So many spans were not taken by the collector of traces.
pub fn spans_lost(count: usize) {
    counter!(SPANS_LOST).increment(count as u64);
}

/// So many log lines were not written.
pub fn log_lines_lost(lines: usize) {
    counter!(LOG_LINES_LOST).increment(lines as u64);
}

/// The upstream chooses its statuses: only usual ones have a word of their own, so that there are never many.
fn status_word(status: Option<u16>) -> &'static str {
    match status {
        None => "none",
        Some(200) => "200",
        Some(201) => "201",
        Some(204) => "204",
        Some(400) => "400",
        Some(401) => "401",
        Some(403) => "403",
        Some(404) => "404",
        Some(408) => "408",
        Some(409) => "409",
        Some(422) => "422",
        Some(429) => "429",
        Some(500) => "500",
        Some(502) => "502",
        Some(503) => "503",
        Some(504) => "504",
        Some(200..=299) => "2xx",
        Some(300..=399) => "3xx",
        Some(400..=499) => "4xx",
        Some(500..=599) => "5xx",
        Some(_) => "other",
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are never so many")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docs_show_the_same_table() {
        let page = include_str!("../docs/operating.md");
        let row = |measure: &Measure| {
            let labels: Vec<String> = measure.labels.iter().map(|label| format!("`{label}`")).collect();
            let kind = format!("{:?}", measure.kind).to_lowercase();
            format!("| `{}` | {kind} | {} | {} |", measure.name, labels.join(", "), measure.help)
        };
        let table = ALL.iter().map(row).collect::<Vec<_>>().join("\n");
        assert!(page.contains(&table), "the table of metrics in docs/operating.md should be:\n{table}");
        assert_eq!(page.matches("\n| `fintecture_mcp_").count(), ALL.len(), "a metric that does not exist");
    }

    #[test]
    fn an_upstream_cannot_make_up_labels() {
        let words: std::collections::BTreeSet<_> =
            (0..=u16::MAX).map(|status| status_word(Some(status))).collect();
        assert_eq!(words.len(), 20, "{words:?}");
        assert_eq!([Some(200), Some(299), Some(999), None].map(status_word), ["200", "2xx", "other", "none"]);
    }
}
