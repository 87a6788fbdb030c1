//! Ten thousand writes through an upstream that fails in every way it can: what agents were told and what really
//! happened agree one to one, and nothing happened twice.
//!
//! What each write does and which faults it meets is drawn from a seed. It is printed; `SOAK_SEED=N` plays it again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use fintecture_mcp::simulator::Effect;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::contract::Answer;
use crate::support::in_time;
use crate::support::local::{Local, failing_simulator};

/// Different writes; with those that an agent repeats it is a third more calls.
const WRITES: usize = 10_000;
/// Agents at work at the same time.
const WORKERS: usize = 64;
/// Longest time for one request. More than any answer takes that comes at all, even where the cores are busy.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Every fault of the simulator, each often enough to matter and the slow ones seldom enough to end in time. Together
/// they leave two of three writes alone, so twenty failures in a row, which open the breaker, are not to be expected.
const FAULTS: [&str; 27] = [
    "latency=30ms:0.05",
    "status=503:0.02",
    "status=422:0.02@writes",
    "status=302:0.01@writes",
    "status=408:0.01@writes",
    "status-after=502:0.03",
    "rate-limit=1s:0.03@writes",
    "rate-limit=1s:0.01@reads",
    "rate-limit-date=1s:0.02@writes",
    "reset-before:0.03",
    "reset-after:0.03",
    "late-commit=100ms:0.02",
    "late-commit=3s:0.02",
    "hang:0.003",
    "hang-after:0.003",
    "truncate:0.02",
    "truncate-chunked:0.02",
    "garbage:0.02",
    "html:0.02",
    "half-json:0.02",
    "empty:0.02",
    "trickle=3000B/s:0.02",
    "trickle=10B/s:0.002",
    "expire-token:0.02",
    "short-token=300ms:0.3",
    "status=500:0.1@token",
    "reset-after:0.1@token",
];

/// A write of an agent, and how the agent goes about it.
struct Write {
    tool: &'static str,
    arguments: Value,
    /// The same call at the same moment, so often.
    at_once: usize,
    /// The same call once more afterwards.
    again: bool,
}

/// The write of this number. Each has a name of its own, so no two have the same arguments.
fn write(seed: u64, number: usize) -> Write {
    let mut random = Rng::with_seed(seed ^ (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let name = format!("Soak {number}");
    let customer = || {
        json!({"action": "create", "first_name": "Ada", "last_name": name,
            "email": format!("soak{number}@example.com")})
    };
    let (tool, arguments) = match random.u8(0..10) {
        0..3 => ("manage_customers", customer()),
        3..7 => {
            let mut customer = customer();
            // Some belong to a customer who was there before.
            let is_taken = random.u8(0..25) == 0;
            customer["external_id"] =
                if is_taken { json!("crm-1001") } else { json!(format!("soak-{number}")) };
            ("manage_customers", customer)
        }
        7 | 8 => {
            let account = json!({"action": "create", "customer_id": "sim_cus_ada", "iban": iban(number),
                "holder_name": name});
            ("manage_bank_accounts", account)
        }
        _ => {
            // This customer has no account: comparing names with thousands of them would take all the time.
            let start =
                json!({"action": "start", "customer_id": "sim_cus_noor", "expected_name": name});
            ("verify_identity", start)
        }
    };
    let at_once = if random.u8(0..10) == 0 { random.usize(2..5) } else { 1 };
    Write { tool, arguments, at_once, again: random.u8(0..10) < 2 }
}

/// A valid German IBAN, different for each number.
fn iban(number: usize) -> String {
    let account = format!("37040044{number:010}");
    // ISO 7064, MOD 97-10: DE00 behind the account, letters as numbers.
    let rest = format!("{account}131400").bytes().fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("DE{:02}{account}", 98 - rest)
}

/// Makes the calls of one write. Returns all answers.
async fn carry_out(server: &Local, write: &Write) -> Vec<Answer> {
    let twins = (0..write.at_once).map(|_| server.call(write.tool, &write.arguments));
    let mut answers = futures_util::future::join_all(twins).await;
    if write.again {
        answers.push(server.call(write.tool, &write.arguments).await);
    }
    answers
}

/// What an answer says of the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Claim {
    /// It took effect: this record.
    Success(String),
    /// It may have, as this request.
    Unknown(String),
    /// It did not.
    NotApplied,
}

fn claim(answer: &Answer) -> Claim {
    let text = |pointer: &str| answer.body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    if answer.is_error {
        return match text("/error/outcome").unwrap().as_str() {
            "unknown" => Claim::Unknown(text("/error/request_id").unwrap()),
            _ => Claim::NotApplied,
        };
    }
    let id = ["/customer/id", "/bank_account/id", "/verification/id"].into_iter().find_map(text);
    Claim::Success(id.unwrap())
}

/// What all answers together came to, and the effects that they leave to explain.
struct Tally {
    effects: HashMap<String, Effect>,
    id_of_request: HashMap<String, String>,
    counts: BTreeMap<String, usize>,
}

impl Tally {
    fn new(effects: Vec<Effect>) -> Self {
        let id_of_request =
            effects.iter().map(|effect| (effect.request_id.clone().unwrap(), effect.id.clone())).collect();
        let effects = effects.into_iter().map(|effect| (effect.id.clone(), effect)).collect();
        Self { effects, id_of_request, counts: BTreeMap::new() }
    }

    fn count(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }

    /// Holds the answers to one write against what happened, and takes away the effect that they account for.
    fn settle(&mut self, write: &Write, answers: &[Answer]) {
        let told = || answers.iter().map(|answer| answer.body.to_string()).collect::<Vec<_>>().join("\n");
        let claims: Vec<Claim> = answers.iter().map(claim).collect();
        let kept: HashSet<&Claim> = claims.iter().filter(|claim| **claim != Claim::NotApplied).collect();
        assert!(kept.len() <= 1, "one write came to several ends:\n{}", told());
        for answer in answers {
            let error = answer.body.pointer("/error/kind").and_then(Value::as_str);
            self.count(error.unwrap_or("success"));
            if answer.body.get("repeated").is_some() {
                self.count("repeated");
            } else if error.is_none() && answer.body.get("hint").is_some() && write.tool == "manage_customers" {
                self.count("found by its external_id");
            }
        }
        let effect = match kept.into_iter().next() {
            Some(Claim::Success(id)) => {
                let effect = self.effects.remove(id);
                Some(effect.unwrap_or_else(|| panic!("told to exist, and does not, or not for this one:\n{}", told())))
            }
            Some(Claim::Unknown(request)) => {
                let effect = self.id_of_request.get(request).and_then(|id| self.effects.remove(id));
                self.count(if effect.is_some() { "unknown, and done" } else { "unknown, and not done" });
                effect
            }
            _ => None,
        };
        if let Some(effect) = effect {
            let sent = write.arguments.get("external_id").and_then(Value::as_str);
            assert_eq!(effect.external_id.as_deref(), sent, "another write's effect:\n{}", told());
        }
    }
}

fn seed() -> u64 {
    std::env::var("SOAK_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "the seed of a run that failed is what it is replayed with")]
async fn answers_and_effects_agree_one_to_one() {
    let seed = seed();
    println!("SOAK_SEED={seed}");
    let simulator = failing_simulator(&FAULTS, seed).await;
    let server = Local::with_application(&simulator.base_url(), TIMEOUT);
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (server, next) = (server.clone(), Arc::clone(&next));
        workers.spawn(async move {
            let mut ended = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= WRITES {
                    return ended;
                }
                let write = write(seed, number);
                let answers = in_time(carry_out(&server, &write)).await;
                ended.push((write, answers));
            }
        });
    }
    let ended = workers.join_all().await;
    in_time(simulator.settled()).await;

    let effects = simulator.effects();
    let took_effect = effects.len();
    let mut tally = Tally::new(effects);
    assert_eq!(tally.effects.len(), took_effect, "SOAK_SEED={seed}: each effect has an id of its own");
    for (write, answers) in ended.iter().flatten() {
        tally.settle(write, answers);
    }
    println!("{took_effect} effects; {:#?}\n{:?}", tally.counts, simulator.faults_done());
    assert!(tally.effects.is_empty(), "SOAK_SEED={seed}: done, and nobody was told: {:?}", tally.effects);
}
