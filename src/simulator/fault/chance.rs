//! Decides what happens to a request.
//!
//! Every decision is drawn from a hash of the seed and of what was asked: the operation, the query, the body, and
//! how often just this was asked before. So it depends neither on the order in which requests arrive nor on the
//! ids in paths, which are new in every run, and a run with many clients can be replayed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};

use super::kind::Kind;
use super::spec::{Fault, Faults};
use crate::simulator::operation::Operation;
use crate::simulator::store::MAX_RECORDS;

/// Most different requests whose repeats are counted; beyond it counting starts anew.
const MAX_COUNTED: usize = MAX_RECORDS;

/// A hash.
type Hash = [u8; 32];

/// The faults of a simulator, with what is known of the requests so far.
pub(in crate::simulator) struct Chance {
    faults: Faults,
    /// How often each fault happened, in their order.
    done: Vec<AtomicU64>,
    repeats: Mutex<HashMap<Hash, u64>>,
}

/// What happens to one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// How long it waits first.
    pub(super) latency: Duration,
    /// What goes wrong then, if anything.
    pub(super) kind: Option<Kind>,
}

impl Chance {
    pub(in crate::simulator) fn new(faults: Faults) -> Self {
        let done = faults.list.iter().map(|_| AtomicU64::new(0)).collect();
        Self { faults, done, repeats: Mutex::default() }
    }

    /// Says in the log that failures are to be expected, and how to see them again.
    pub(in crate::simulator) fn announce(&self) {
        if !self.faults.list.is_empty() {
            let faults: Vec<String> = self.faults.list.iter().map(Fault::to_string).collect();
            tracing::warn!(
                seed = self.faults.seed,
                faults = faults.join(" "),
                "the simulator fails on purpose; the same --fault-seed replays it"
            );
        }
    }

    /// Each fault as it was written, and how often it happened.
    pub(in crate::simulator) fn done(&self) -> Vec<(String, u64)> {
        let counts = self.done.iter().map(|count| count.load(Ordering::Relaxed));
        self.faults.list.iter().map(Fault::to_string).zip(counts).collect()
    }

    /// Whether anything can happen to requests for this operation.
    pub(super) fn concerns(&self, operation: Operation) -> bool {
        self.faults.list.iter().any(|fault| fault.concerns(operation))
    }

    /// Draws for one request. Faults are tried in their order: latencies add up, and of the others the first
    /// that is drawn is the one that happens.
    pub(super) fn draw(&self, operation: Operation, query: &str, body: &[u8]) -> Plan {
        let asked = self.asked(operation, query, body);
        let mut plan = Plan::default();
        for (place, (fault, done)) in self.faults.list.iter().zip(&self.done).enumerate() {
            let latency = matches!(fault.kind, Kind::Latency(_));
            let possible = fault.concerns(operation) && (latency || plan.kind.is_none());
            if !possible || fraction(&asked, place) >= fault.probability {
                continue;
            }
            let counted = done.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                (count < fault.times).then_some(count.saturating_add(1))
            });
            match fault.kind {
                _ if counted.is_err() => {}
                Kind::Latency(more) => plan.latency = plan.latency.saturating_add(more),
                kind => plan.kind = Some(kind),
            }
        }
        plan
    }

    /// The hash of what was asked, and of how often it was asked before.
    fn asked(&self, operation: Operation, query: &str, body: &[u8]) -> Hash {
        let seed = self.faults.seed.to_le_bytes();
        // A NUL stands in no name and no query, so no two requests read the same.
        let what = hash(&[&seed, operation.name().as_bytes(), &[0], query.as_bytes(), &[0], body]);
        let mut repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
        if repeats.len() >= MAX_COUNTED {
            repeats.clear();
        }
        let before = repeats.entry(what).or_default();
        let asked = hash(&[&what, &before.to_le_bytes()]);
        *before = before.saturating_add(1);
        asked
    }
}

/// A number from 0, included, to 1, excluded: drawn for the fault at this place.
fn fraction(asked: &Hash, place: usize) -> f64 {
    let drawn = hash(&[asked, &place.to_le_bytes()]);
    let bits = drawn.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = Hash::default();
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chance(faults: &[&str], seed: u64) -> Chance {
        Chance::new(Faults::parse(faults.iter().copied(), seed).unwrap())
    }

    fn kinds(chance: &Chance, bodies: impl IntoIterator<Item = u32>) -> Vec<Option<Kind>> {
        let draw = |body: u32| chance.draw(Operation::CreateCustomer, "", &body.to_le_bytes()).kind;
        bodies.into_iter().map(draw).collect()
    }

    #[test]
    fn the_seed_and_the_request_decide_whatever_the_order() {
        let faults = ["hang:0.3", "reset-after:0.3"];
        let forwards = kinds(&chance(&faults, 7), 0..200);
        let mut backwards = kinds(&chance(&faults, 7), (0..200).rev());
        backwards.reverse();
        assert_eq!(forwards, backwards);
        assert_ne!(forwards, kinds(&chance(&faults, 8), 0..200));
    }

    #[test]
    fn a_repeat_is_drawn_afresh() {
        let drawn = kinds(&chance(&["hang:0.5"], 1), std::iter::repeat_n(1, 64));
        assert!(drawn.contains(&None) && drawn.contains(&Some(Kind::Hang)));
    }

    #[test]
    fn probabilities_are_kept_roughly() {
        let chance = chance(&["hang:0.25", "reset-after:0", "reset-before"], 3);
        kinds(&chance, 0..4000);
        let [(_, quarter), (_, never), (_, rest)] = &chance.done()[..] else { panic!() };
        assert!((850..1150).contains(quarter) && *never == 0 && quarter + rest == 4000, "{quarter}");
    }

    #[test]
    fn latencies_add_up_with_what_follows() {
        let chance = chance(&["latency=1s", "hang#2", "latency=2s@writes", "html@reads"], 0);
        let plan = chance.draw(Operation::CreateCustomer, "", b"");
        assert_eq!(plan, Plan { latency: Duration::from_secs(3), kind: Some(Kind::Hang) });
        let plan = chance.draw(Operation::GetCustomerById, "", b"");
        assert_eq!(plan, Plan { latency: Duration::from_secs(1), kind: Some(Kind::Hang) });
        // The second fault has happened as often as it may.
        assert_eq!(chance.draw(Operation::CreateCustomer, "", b"").kind, None);
        assert!(!chance.concerns(Operation::AccessToken));
        assert_eq!(chance.done()[1], ("hang#2".to_owned(), 2));
    }
}
