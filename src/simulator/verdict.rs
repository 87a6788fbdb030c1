//! How a verification goes: decided by its `provider_id` and by names, revealed by the clock.

use jiff::{SignedDuration, Timestamp};

use super::names::VERIFIED_FROM;
use super::wire::Status;

/// How long a verification with [`provider::SLOW`] is pending.
pub const SLOW_DECISION: SignedDuration = SignedDuration::from_secs(3);

/// The values of `provider_id` that decide how a verification goes. Any other goes like [`INSTANT`](provider::INSTANT).
pub mod provider {
    /// Decided at once.
    pub const INSTANT: &str = "sim-instant";
    /// Decided after [`SLOW_DECISION`](super::SLOW_DECISION).
    pub const SLOW: &str = "sim-slow";
    /// Fails at once, as when the person turns away at their bank.
    pub const FAILED: &str = "sim-failed";
    /// Stays pending, as when the person never logs in at their bank.
    pub const NEVER: &str = "sim-never";
}

/// What is settled when a verification starts. Nothing runs until then: reading it late reveals it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    /// Known from `at` on; the score is from 0 to 1.
    Decided {
        at: Timestamp,
        score: f64,
    },
    Failed,
    Never,
}

/// What a reader may see of a verdict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    pub(super) status: Status,
    pub(super) match_score: Option<f64>,
    pub(super) verified_at: Option<Timestamp>,
}

impl Verdict {
    /// The verdict of a verification that starts `now` and whose names are alike by `score`.
    pub(super) fn new(provider_id: &str, score: f64, now: Timestamp) -> Self {
        match provider_id {
            provider::FAILED => Self::Failed,
            provider::NEVER => Self::Never,
            provider::SLOW => {
                Self::Decided { at: now.checked_add(SLOW_DECISION).unwrap_or(Timestamp::MAX), score }
            }
            _ => Self::Decided { at: now, score },
        }
    }

    /// What can be seen at `now`.
    pub(super) fn seen_at(self, now: Timestamp) -> Seen {
        let (status, match_score, verified_at) = match self {
            Self::Failed => (Status::Failed, None, None),
            Self::Decided { at, score } if at <= now => {
                if score >= VERIFIED_FROM {
                    (Status::Verified, Some(score), Some(at))
                } else {
                    (Status::Unverified, Some(score), None)
                }
            }
            Self::Decided { .. } | Self::Never => (Status::Pending, None, None),
        };
        Seen { status, match_score, verified_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn seen(provider_id: &str, score: f64, after: i64) -> Seen {
        Verdict::new(provider_id, score, second(100)).seen_at(second(100 + after))
    }

    #[test]
    fn any_provider_decides_at_once() {
        for provider_id in [provider::INSTANT, "bnpparibas", ""] {
            let good =
                Seen { status: Status::Verified, match_score: Some(0.85), verified_at: Some(second(100)) };
            assert_eq!(seen(provider_id, 0.85, 0), good);
            let bad = Seen { status: Status::Unverified, match_score: Some(0.84), verified_at: None };
            assert_eq!(seen(provider_id, 0.84, 0), bad);
        }
    }

    #[test]
    fn a_slow_one_is_revealed_after_three_seconds() {
        let pending = Seen { status: Status::Pending, match_score: None, verified_at: None };
        assert_eq!(seen(provider::SLOW, 1.0, 2), pending);
        let decided =
            Seen { status: Status::Verified, match_score: Some(1.0), verified_at: Some(second(103)) };
        assert_eq!(seen(provider::SLOW, 1.0, 3), decided);
        assert_eq!(seen(provider::SLOW, 1.0, 1000), decided);
    }

    #[test]
    fn failed_and_never_show_no_score() {
        for (provider_id, status) in [(provider::FAILED, Status::Failed), (provider::NEVER, Status::Pending)]
        {
            let expected = Seen { status, match_score: None, verified_at: None };
            assert_eq!(seen(provider_id, 1.0, 1_000_000), expected);
        }
    }

    #[test]
    fn the_end_of_time_is_no_overflow() {
        let verdict = Verdict::new(provider::SLOW, 1.0, Timestamp::MAX);
        assert_eq!(verdict, Verdict::Decided { at: Timestamp::MAX, score: 1.0 });
    }
}
