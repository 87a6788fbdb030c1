//! Ten thousand writes through an upstream that fails in every way it can: what agents were told and what really
//! happened agree one to one, and nothing happened twice.
//!
//! What each write does and which faults it meets is drawn from a seed. It is printed; `SOAK_SEED=N` plays it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use wiremock::ResponseTemplate;

use crate::support::contract::Answer;
use crate::support::in_time;
use crate::support::local::{Local, failing_simulator};
use crate::support::tally::Tally;
use crate::support::upstream::Upstream;

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

/// What a run must have seen, so that it proves something: a breaker that stays open would hide everything.
const ENOUGH: [(&str, usize); 11] = [
    ("writes that succeeded", 5_000),
    ("writes not applied", 500),
    ("unknown writes, done", 300),
    ("unknown writes, not done", 200),
    ("repeated", 1_000),
    ("found by external_id", 100),
    ("outcome_unknown", 500),
    ("conflict", 100),
    ("rate_limited", 100),
    ("upstream_rejected", 50),
    ("upstream_unavailable", 100),
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

/// The writes of this number: one, or two rivals at the same moment that want the same `external_id`. Each number has a
/// name of its own, so no two writes have the same arguments.
fn writes(seed: u64, number: usize) -> Vec<Write> {
    let mut random = Rng::with_seed(seed ^ (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let name = format!("Soak {number}");
    let customer = || {
        json!({"action": "create", "first_name": "Ada", "last_name": name,
            "email": format!("soak{number}@example.com")})
    };
    let mut rival = None;
    let (tool, arguments) = match random.u8(0..10) {
        0..3 => ("manage_customers", customer()),
        3..7 => {
            let mut customer = customer();
            // Some belong to a customer who was there before.
            let is_taken = random.u8(0..25) == 0;
            customer["external_id"] =
                if is_taken { json!("crm-1001") } else { json!(format!("soak-{number}")) };
            if random.u8(0..10) == 0 {
                let mut other = customer.clone();
                other["company_name"] = json!("Byron SAS");
                rival = Some(Write { tool: "manage_customers", arguments: other, at_once: 1, again: false });
            }
            ("manage_customers", customer)
        }
        7 | 8 => {
            let account = json!({"action": "create", "customer_id": "sim_cus_ada", "iban": iban(number),
                "holder_name": name});
            ("manage_bank_accounts", account)
        }
        _ => {
            // This customer has no account: comparing names with thousands of them would take all the time.
            let start = json!({"action": "start", "customer_id": "sim_cus_noor", "expected_name": name});
            ("verify_identity", start)
        }
    };
    let at_once = if random.u8(0..10) == 0 { random.usize(2..5) } else { 1 };
    let again = random.u8(0..10) < 2;
    [Write { tool, arguments, at_once, again }].into_iter().chain(rival).collect()
}

/// A valid German IBAN, different for each number.
fn iban(number: usize) -> String {
    let account = format!("37040044{number:010}");
    // ISO 7064, MOD 97-10: DE00 behind the account, letters as numbers.
    let rest =
        format!("{account}131400").bytes().fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
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
                let writes = writes(seed, number);
                let calls = writes.iter().map(|write| carry_out(&server, write));
                let answers = in_time(futures_util::future::join_all(calls)).await;
                ended.extend(writes.into_iter().zip(answers));
            }
        });
    }
    let ended = workers.join_all().await;
    in_time(simulator.settled()).await;

    let mut tally = Tally::new(simulator.effects(), seed);
    for (write, answers) in ended.iter().flatten() {
        tally.settle(&write.arguments, answers);
    }
    tally.is_even();

    println!("{:#?}\n{:#?}", tally.counts(), simulator.faults_done());
    for (what, least) in ENOUGH {
        let count = tally.counts().get(what).copied().unwrap_or_default();
        assert!(count >= least, "SOAK_SEED={seed}: too few to prove anything: {count} {what}");
    }
    for (fault, count) in simulator.faults_done() {
        assert!(count > 0, "SOAK_SEED={seed}: {fault} never happened");
    }
}

/// Different customers for one `external_id` at the same moment: one is made, and the others are told which.
#[tokio::test(flavor = "multi_thread")]
async fn of_rivals_for_one_external_id_one_wins() {
    let simulator = failing_simulator(&["latency=20ms"], 0).await;
    let server = Local::with_token(&simulator.base_url(), Duration::from_secs(10));
    let calls = (0..20).map(|number| {
        let server = server.clone();
        async move {
            let customer = json!({"action": "create", "first_name": "Ada", "last_name": format!("Rival {number}"),
                "email": "ada@example.com", "external_id": "rivals"});
            in_time(server.call("manage_customers", &customer)).await
        }
    });
    let answers = futures_util::future::join_all(calls).await;
    let (lost, won): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.is_error);
    let [winner] = won.try_into().unwrap();
    let winner = winner.good()["customer"]["id"].clone();
    for error in lost.into_iter().map(Answer::error) {
        assert_eq!((&error["kind"], &error["customer_id"]), (&json!("conflict"), &winner));
    }
    assert_eq!(simulator.effects().len(), 1);
}

/// What is found after a lost answer is this write's only where it has exactly the fields that were sent.
#[tokio::test]
async fn a_customer_with_more_fields_is_not_taken_for_the_one_that_was_sent() {
    for (company, outcome) in [(json!("Byron SAS"), Some("unknown")), (Value::Null, None)] {
        let was_sent = AtomicBool::new(false);
        let upstream = Upstream::answering(move |request: &wiremock::Request| {
            if request.method == "POST" {
                was_sent.store(true, Ordering::SeqCst);
                return ResponseTemplate::new(502);
            }
            let there = json!({"id": "cus_1", "first_name": "Ada", "last_name": "Byron", "email": "ada@example.com",
                "external_id": "crm-1", "company_name": company});
            let listed = if was_sent.load(Ordering::SeqCst) { vec![there] } else { Vec::new() };
            ResponseTemplate::new(200).set_body_json(json!({"data": listed, "meta": {}}))
        })
        .await;
        let server = Local::with_token(&upstream.base_url(), Duration::from_secs(10));
        let customer = json!({"action": "create", "first_name": "Ada", "last_name": "Byron",
            "email": "ada@example.com", "external_id": "crm-1"});
        let answer = in_time(server.call("manage_customers", &customer)).await;
        assert_eq!(answer.body.pointer("/error/outcome").and_then(Value::as_str), outcome, "{}", answer.body);
    }
}
