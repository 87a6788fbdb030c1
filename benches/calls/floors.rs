//! What the server is held to: how much of the bare passthrough's CPU time a call may take, and how much of its rate is to
//! be left. Figures count in a quiet run alone.

use crate::options::Subject;
use crate::report::{Entry, Run};

/// Bounds of an entry, as ratios to the passthrough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    /// CPU time a call, at most.
    pub(crate) cpu: Option<f64>,
    /// Rate, at least.
    pub(crate) rate: Option<f64>,
    /// Of a hundred calls the slowest but one, at most.
    pub(crate) p99: Option<f64>,
}

impl Floor {
    /// What holds for this entry of this table, if anything.
    pub(crate) fn of(run: &Run, entry: &Entry) -> Option<Self> {
        let (cpu, rate) = match (run.delay_ms, run.in_flight, Subject::named(&entry.name)?) {
            (_, _, Subject::Straight | Subject::Nginx) => return None,
            (20, 64, _) => return Some(Self { cpu: None, rate: Some(0.98), p99: Some(1.05) }),
            (0, 64, Subject::Stateless | Subject::Rest) => (1.5, Some(0.75)),
            (0, 64, Subject::Session | Subject::Watched) => (2.4, Some(0.5)),
            (0, 64, Subject::LegacySse) => (1.9, None),
            (0, 16, Subject::Pipes | Subject::Sockets) => (1.7, Some(0.75)),
            _ => return None,
        };
        Some(Self { cpu: Some(cpu), rate, p99: None })
    }

    /// Whether the medians of this entry keep to it.
    pub(crate) fn holds(&self, entry: &Entry) -> bool {
        self.cpu.is_none_or(|most| entry.cpu_ratio.median <= most)
            && self.rate.is_none_or(|least| entry.rate_ratio.median >= least)
            && self.p99.is_none_or(|most| entry.p99_ratio.median <= most)
    }
}

impl std::fmt::Display for Floor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bounds = [("CPU", "≤", self.cpu), ("rate", "≥", self.rate), ("p99", "≤", self.p99)];
        let said =
            bounds.iter().filter_map(|(what, sign, bound)| Some(format!("{what} {sign} {}", (*bound)?)));
        f.write_str(&said.collect::<Vec<_>>().join(", "))
    }
}
