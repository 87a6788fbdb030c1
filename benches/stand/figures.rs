//! Figures: what a round measured, and what several rounds say together.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clients::Tally;
use super::process::Usage;

/// What one server did in one round.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Round {
    /// Calls answered.
    pub calls: u64,
    /// Calls answered in a second.
    pub rate: f64,
    /// Half of the calls took at most this, in microseconds.
    pub p50_us: f64,
    /// Of a hundred calls, 99 took at most this, in microseconds.
    pub p99_us: f64,
    /// CPU time of the server's own code a call, in microseconds.
    pub user_us: f64,
    /// CPU time of the kernel for the server a call, in microseconds.
    pub system_us: f64,
    /// Memory of the server resident at the end, in MB of a million bytes.
    pub resident_mb: f64,
}

impl Round {
    /// Puts the figures together.
    #[expect(clippy::cast_precision_loss, reason = "counts and microseconds of some seconds")]
    pub fn new(tally: &Tally, time: Duration, used: &Usage) -> Self {
        let calls = tally.calls.max(1) as f64;
        Self {
            calls: tally.calls,
            rate: tally.calls as f64 / time.as_secs_f64(),
            p50_us: tally.latency.value_at_quantile(0.5) as f64,
            p99_us: tally.latency.value_at_quantile(0.99) as f64,
            user_us: used.user.as_secs_f64() * 1e6 / calls,
            system_us: used.system.as_secs_f64() * 1e6 / calls,
            resident_mb: used.resident as f64 / 1e6,
        }
    }

    /// CPU time of the server a call, in microseconds.
    pub fn cpu_us(&self) -> f64 {
        self.user_us + self.system_us
    }
}

/// What several rounds say about one figure.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// Of these; of none, zeros.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let at = |place: usize| figures.get(place).copied().unwrap_or_default();
        let (half, last) = (figures.len() / 2, figures.len().saturating_sub(1));
        let median = if figures.len() % 2 == 1 {
            at(half)
        } else {
            f64::midpoint(at(half.saturating_sub(1)), at(half))
        };
        Self { median, min: at(0), max: at(last) }
    }

    /// The ratios of a figure of each round to the same of another server in the same round.
    pub fn of_ratios(rounds: &[Round], to: &[Round], figure: fn(&Round) -> f64) -> Self {
        Self::of(rounds.iter().zip(to).map(|(round, to)| figure(round) / figure(to)))
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} [{:.2}-{:.2}]", self.median, self.min, self.max)
    }
}
