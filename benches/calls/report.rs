//! The figures of a run, as `--json` writes and `--from` reads them.

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::measure::AGAIN;
use crate::stand::figures::{Round, Spread};

/// How far the passthrough may lie from itself, in rate, for the figures to count.
const QUIET_RATE: f64 = 0.05;
/// The same, in CPU time a call.
const QUIET_CPU: f64 = 0.1;

/// Everything that a run of this bench found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Where it ran, and when.
    pub(crate) machine: Machine,
    /// Seconds of load a server and round.
    pub(crate) seconds: f64,
    /// Rounds.
    pub(crate) rounds: u16,
    /// The tables.
    pub(crate) runs: Vec<Run>,
}

/// One table: servers beside each other under the same load.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// How long the upstream held each answer back, in milliseconds.
    pub(crate) delay_ms: u64,
    /// Calls at once.
    pub(crate) in_flight: u16,
    /// A line for each server; the first is the passthrough.
    pub(crate) entries: Vec<Entry>,
    /// What did not start.
    pub(crate) missing: Vec<Missing>,
}

/// A server that could not be measured.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Missing {
    /// Its name.
    pub(crate) name: String,
    /// Why.
    pub(crate) reason: String,
}

/// One server in a table. Ratios are to the passthrough in the same round.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: String,
    /// Calls answered in a second.
    pub(crate) rate: Spread,
    /// The same as a ratio.
    pub(crate) rate_ratio: Spread,
    /// CPU time of the server a call, in microseconds: in its own code.
    pub(crate) user_us: Spread,
    /// The same in the kernel.
    pub(crate) system_us: Spread,
    /// Both as a ratio.
    pub(crate) cpu_ratio: Spread,
    /// Half of the calls took at most this, in microseconds.
    pub(crate) p50_us: Spread,
    /// Of a hundred calls, 99 took at most this, in microseconds.
    pub(crate) p99_us: Spread,
    /// The same as a ratio.
    pub(crate) p99_ratio: Spread,
    /// Memory of the server resident after the last round, in MB of a million bytes.
    pub(crate) resident_mb: f64,
    /// What each round measured.
    pub(crate) rounds: Vec<Round>,
}

impl Entry {
    /// Of these rounds, beside those of the passthrough.
    pub(crate) fn new(name: &str, rounds: Vec<Round>, limit: &[Round]) -> Self {
        let of = |figure: fn(&Round) -> f64| Spread::of(rounds.iter().map(figure));
        let ratio = |figure: fn(&Round) -> f64| Spread::of_ratios(&rounds, limit, figure);
        Self {
            name: name.to_owned(),
            rate: of(|round| round.rate),
            rate_ratio: ratio(|round| round.rate),
            user_us: of(|round| round.user_us),
            system_us: of(|round| round.system_us),
            cpu_ratio: ratio(Round::cpu_us),
            p50_us: of(|round| round.p50_us),
            p99_us: of(|round| round.p99_us),
            p99_ratio: ratio(|round| round.p99_us),
            resident_mb: rounds.last().map(|round| round.resident_mb).unwrap_or_default(),
            rounds,
        }
    }
}

impl Run {
    /// Whether the machine was quiet enough for the figures to count: the second passthrough lies near the first.
    pub(crate) fn is_quiet(&self) -> bool {
        self.entries.iter().filter(|entry| entry.name == AGAIN).all(|entry| {
            (entry.rate_ratio.median - 1.0).abs() <= QUIET_RATE
                && (entry.cpu_ratio.median - 1.0).abs() <= QUIET_CPU
        })
    }
}
