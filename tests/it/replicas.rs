//! Several servers with one store: what one of them has sent no other one sends, whatever happens to it or the store.

use std::time::Duration;

use fintecture_mcp::simulator::Operation;
use futures_util::future::{join, join_all};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use wiremock::{Request, ResponseTemplate};

use crate::support::bank::Bank;
use crate::support::canaries;
use crate::support::faults::{Fault, Faulty, answer};
use crate::support::in_time;
use crate::support::operations;
use crate::support::redis::Redis;
use crate::support::setup::Setup;
use crate::support::simulator::simulator;
use crate::support::upstream::Upstream;
use crate::support::wire::{Wire, stateless};

/// What replicas have in common.
struct Shared {
    redis: Redis,
    key: NamedTempFile,
}

impl Shared {
    async fn new() -> Self {
        let key = NamedTempFile::new().unwrap();
        std::fs::write(&key, "canary-store-key-of-32-characters").unwrap();
        Self { redis: Redis::with(&["--appendonly", "yes"]).await, key }
    }

    /// A replica before this upstream.
    fn replica(&self, base_url: &str) -> Setup {
        Setup::against(base_url)
            .flag("--store")
            .flag(&self.redis.url())
            .flag("--store-key")
            .flag(self.key.path().to_str().unwrap())
    }
}

fn account() -> Value {
    json!({"action": "create", "customer_id": "cus_1", "iban": "FR7630006000011234567890189", "holder_name": "Ada Byron"})
}

fn customer(last_name: &str) -> Value {
    json!({"action": "create", "first_name": "Ada", "last_name": last_name, "email": "ada@example.com",
        "external_id": "crm-1"})
}

#[tokio::test]
async fn what_one_replica_has_sent_the_others_answer() {
    let (shared, upstream) = (Shared::new().await, Upstream::saying(json!({"id": "new", "data": []})).await);
    let setup = shared.replica(&upstream.base_url());
    let (one, other) = (setup.agent().await, setup.agent().await);
    for write in operations::all().into_iter().filter(operations::Operation::writes) {
        let mut first = one.good(write.tool, write.arguments.clone()).await;
        assert_eq!(first.get("repeated"), None);
        first["repeated"] = json!(true);
        let sent = upstream.count().await;
        for _ in 0..2 {
            assert_eq!(other.good(write.tool, write.arguments.clone()).await, first, "{}", write.name);
        }
        assert_eq!(upstream.count().await, sent, "{}: not even a look-up", write.name);
    }
}

#[tokio::test]
async fn the_same_write_at_the_same_moment_is_one_wherever_it_arrives() {
    let (shared, simulator) = (Shared::new().await, simulator(&[]).await);
    let setup = shared.replica(&simulator.base_url());
    let (one, other) = (setup.agent().await, setup.agent().await);
    let mut account = account();
    account["customer_id"] = json!("sim_cus_noor");
    let calls =
        (0..10).flat_map(|_| [&one, &other]).map(|agent| agent.good("manage_bank_accounts", account.clone()));
    let answers = join_all(calls).await;
    assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 1);
    let ids: Vec<&Value> = answers.iter().map(|answer| &answer["bank_account"]["id"]).collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
    assert_eq!(answers.iter().filter(|answer| answer.get("repeated").is_none()).count(), 1);
}

#[tokio::test]
async fn one_external_id_is_one_customer_wherever_it_is_created() {
    let (shared, simulator) = (Shared::new().await, simulator(&[]).await);
    let setup = shared.replica(&simulator.base_url());
    let (one, other) = (setup.agent().await, setup.agent().await);
    let calls = (0..10).map(|n| {
        let agent = if n % 2 == 0 { &one } else { &other };
        agent.call("manage_customers", customer(&format!("Byron {n}")))
    });
    let answers = join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| !answer.is_error).count(), 1);
    for answer in answers.iter().filter(|answer| answer.is_error) {
        assert_eq!(answer.kind(), "conflict");
    }
    assert_eq!(simulator.requests(Operation::CreateCustomer), 1);
}

/// The one that died had sent it: nobody knows what became of it, and nobody sends it again.
#[tokio::test]
async fn what_a_killed_replica_may_have_sent_is_not_sent_again() {
    let (shared, mut upstream) = (Shared::new().await, Faulty::with(Fault::Hang).await);
    let setup = shared.replica(&upstream.base_url());
    let (dies, lives) = (setup.agent().await, setup.agent().await);
    let process = dies.process.as_ref().unwrap();
    let (cut, ()) = join(dies.try_call("manage_bank_accounts", account()), async {
        upstream.has_got(1).await;
        process.signal(Signal::SIGKILL);
    })
    .await;
    assert!(cut.is_err(), "its client is cut off");
    upstream.now(Fault::Bytes(answer("200 OK", br#"{"id": "acc_1"}"#)));
    for _ in 0..2 {
        let error = lives.error("manage_bank_accounts", account()).await;
        assert_eq!((&error["kind"], &error["outcome"]), (&json!("outcome_unknown"), &json!("unknown")));
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains("List what exists") && hint.contains("sent again from"), "{hint}");
    }
    assert_eq!(upstream.count(), 1);
}

/// The one that died had not sent it yet: another one does.
#[tokio::test]
async fn what_a_killed_replica_has_not_sent_another_one_sends() {
    let shared = Shared::new().await;
    let upstream = Upstream::answering(|request: &Request| {
        let answer = ResponseTemplate::new(200).set_body_json(json!({"data": []}));
        if request.method == "GET" { answer.set_delay(Duration::from_mins(5)) } else { answer }
    })
    .await;
    let setup = shared.replica(&upstream.base_url());
    let (dies, lives) = (setup.agent().await, setup.agent().await);
    let process = dies.process.as_ref().unwrap();
    let (cut, ()) = join(dies.try_call("manage_customers", customer("Byron")), async {
        upstream.is_asked(1).await;
        process.signal(Signal::SIGKILL);
    })
    .await;
    assert!(cut.is_err(), "its client is cut off");
    upstream
        .now_answering(ResponseTemplate::new(200).set_body_json(json!({"id": "cus_1", "data": []})))
        .await;
    let created = lives.good("manage_customers", customer("Byron")).await;
    assert_eq!((&created["customer"]["id"], created.get("repeated")), (&json!("cus_1"), None));
    assert_eq!(upstream.writes().await, 1);
}

/// One that stood still for so long that another one went ahead finds that out before it sends.
#[tokio::test]
async fn a_replica_that_was_overtaken_sends_nothing() {
    let shared = Shared::new().await;
    let upstream = Upstream::answering(|request: &Request| {
        let answer = ResponseTemplate::new(200).set_body_json(json!({"id": "cus_1", "data": []}));
        if request.method == "GET" { answer.set_delay(Duration::from_secs(2)) } else { answer }
    })
    .await;
    let setup = shared.replica(&upstream.base_url());
    let (slow, fast) = (setup.agent().await, setup.agent().await);
    let process = slow.process.as_ref().unwrap();
    let (overtaken, ()) = join(slow.error("manage_customers", customer("Byron")), async {
        upstream.is_asked(1).await;
        process.signal(Signal::SIGSTOP);
        let created = fast.good("manage_customers", customer("Byron")).await;
        assert_eq!(created.get("repeated"), None);
        process.signal(Signal::SIGCONT);
    })
    .await;
    assert_eq!((&overtaken["kind"], &overtaken["outcome"]), (&json!("internal"), &json!("not_applied")));
    assert_eq!(upstream.writes().await, 1);
    assert_eq!(slow.good("manage_customers", customer("Byron")).await["repeated"], true);
}

#[tokio::test]
async fn without_its_store_a_replica_reads_and_writes_nothing_until_it_is_back() {
    let (mut shared, upstream) =
        (Shared::new().await, Upstream::saying(json!({"id": "cus_1", "data": []})).await);
    let agent = shared.replica(&upstream.base_url()).agent().await;
    let first = agent.good("manage_bank_accounts", account()).await;
    shared.redis.kill().await;
    let get = json!({"action": "get", "customer_id": "cus_1"});
    agent.good("manage_customers", get).await;
    let error = agent.error("manage_customers", customer("Byron")).await;
    insta::assert_json_snapshot!(error, @r#"
    {
      "kind": "internal",
      "message": "the store that this server shares with others cannot be reached: nothing was sent",
      "hint": "Call again in some seconds with the same arguments. If it stays so, tell the operator.",
      "retryable": true,
      "outcome": "not_applied"
    }
    "#);
    assert_eq!(upstream.writes().await, 1);
    // What this replica has sent itself it still knows.
    assert_eq!(agent.good("manage_bank_accounts", account()).await["repeated"], true);
    shared.redis.revive().await;
    in_time(async {
        while agent.call("manage_customers", customer("Byron")).await.is_error {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    // And so does the next one, from the store.
    let next = shared.replica(&upstream.base_url()).agent().await;
    let again = next.good("manage_bank_accounts", account()).await;
    assert_eq!(again["bank_account"], first["bank_account"]);
    assert_eq!(upstream.writes().await, 2);
}

/// The store is gone when the write is about to leave, and back before anybody asks again.
#[tokio::test]
async fn a_write_whose_store_goes_on_the_way_is_not_sent() {
    let mut shared = Shared::new().await;
    let upstream = Upstream::answering(|request: &Request| {
        let answer = ResponseTemplate::new(200).set_body_json(json!({"id": "cus_1", "data": []}));
        if request.method == "GET" { answer.set_delay(Duration::from_secs(2)) } else { answer }
    })
    .await;
    let agent = shared.replica(&upstream.base_url()).agent().await;
    let (error, ()) = join(agent.error("manage_customers", customer("Byron")), async {
        upstream.is_asked(1).await;
        shared.redis.kill().await;
    })
    .await;
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("internal"), &json!("not_applied")));
    assert_eq!(upstream.writes().await, 0);
    shared.redis.revive().await;
    in_time(async {
        while agent.call("manage_customers", customer("Byron")).await.is_error {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(upstream.writes().await, 1);
}

#[tokio::test]
async fn who_reads_the_store_reads_nobodys_data() {
    let (shared, upstream) =
        (Shared::new().await, Upstream::saying(json!({"id": "cus_1", "data": []})).await);
    let agent = shared.replica(&upstream.base_url()).agent().await;
    for (tool, arguments) in canaries::calls() {
        agent.call(tool, arguments).await;
    }
    let dump = shared.redis.dump().await;
    let dump = String::from_utf8_lossy(&dump);
    assert!(dump.contains("fmcp:write:"), "writes are in it");
    canaries::is_clean(&dump);
    assert!(!dump.contains("canary-store-key"));
    assert!(!agent.process.as_ref().unwrap().stderr().contains("canary-store-key"));
}

/// A question that left with the answer of one replica is answered at another one, and once.
#[tokio::test]
async fn an_answer_counts_once_whichever_replica_gets_it() {
    let (shared, upstream) = (Shared::new().await, Upstream::saying(json!({"id": "cus_1"})).await);
    let setup = shared.replica(&upstream.base_url()).flag("--confirm-writes=always").variable("BROWSER", "");
    let mut replicas: Vec<Wire> = (0..3).map(|_| Wire::Stdio(Box::new(setup.pipe()))).collect();
    let call = |state: Option<&str>| {
        let mut params = stateless(json!({"name": "manage_bank_accounts", "arguments": account()}));
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"elicitation": {"form": {}}});
        if let Some(state) = state {
            params["requestState"] = json!(state);
            let no = json!({"action": "decline"});
            params["inputResponses"] = json!({ "approval": no });
        }
        params
    };
    let asked = replicas[0].request("tools/call", call(None)).await;
    let state = asked["result"]["requestState"].as_str().unwrap();
    for (replica, kind) in [(1, "declined"), (2, "confirmation_required")] {
        let said = replicas[replica].request("tools/call", call(Some(state))).await;
        assert_eq!(said["result"]["structuredContent"]["error"]["kind"], kind, "replica {replica}");
    }
    assert_eq!(upstream.writes().await, 0);
}

/// A store that was emptied does not know what was sent: nobody sends it again for as long as it would have known.
#[tokio::test]
async fn what_an_emptied_store_has_forgotten_is_not_sent_again() {
    let (shared, upstream) = (Shared::new().await, Upstream::saying(json!({"id": "acc_1"})).await);
    let setup = shared.replica(&upstream.base_url());
    let (one, other) = (setup.agent().await, setup.agent().await);
    one.good("manage_bank_accounts", account()).await;
    other.good("manage_bank_accounts", account()).await;
    shared.redis.says(&["FLUSHALL"]).await;
    // The first still knows what it has sent; the other one had it from the store alone.
    assert_eq!(one.good("manage_bank_accounts", account()).await["repeated"], true);
    let error = other.error("manage_bank_accounts", account()).await;
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("internal"), &json!("not_applied")));
    assert!(error["retry_after_seconds"].as_u64().is_some_and(|wait| (1..=601).contains(&wait)), "{error}");
    assert_eq!(upstream.writes().await, 1);
}

/// A task is followed at one replica and cancelled at another one.
#[tokio::test]
async fn a_task_that_one_replica_cancels_is_cancelled_at_all() {
    let (shared, bank) = (Shared::new().await, Bank::undecided().await);
    let setup = shared.replica(&bank.base_url());
    let mut replicas = [setup.pipe(), setup.pipe()];
    let taking_tasks = |params: Value| {
        let mut params = stateless(params);
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
            json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
        params
    };
    let start = json!({"action": "start", "customer_id": "cus_1", "wait_seconds": 300});
    let start = taking_tasks(json!({"name": "verify_identity", "arguments": start}));
    let started = replicas[0].request("tools/call", start).await;
    let task = taking_tasks(json!({"taskId": started["result"]["taskId"]}));
    let status = |answer: Value| answer["result"]["status"].as_str().map(str::to_owned);
    assert_eq!(status(replicas[1].request("tasks/get", task.clone()).await).as_deref(), Some("working"));
    replicas[1].request("tasks/cancel", task.clone()).await;
    assert_eq!(status(replicas[0].request("tasks/get", task).await).as_deref(), Some("cancelled"));
}
