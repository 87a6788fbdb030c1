//! The audit trail as an operator has it: what is in it, what is never in it, and that nothing happens without it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fintecture_mcp::audit::{Facts, Trail};
use fintecture_mcp::calls::{Caller, CallsConfig};
use fintecture_mcp::simulator::SimulatorConfig;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use wiremock::{Request, ResponseTemplate};

use crate::support::canaries::{PERSONAL, calls, is_clean};
use crate::support::in_time;
use crate::support::local::{Local, local_simulator};
use crate::support::person::{Can, Does, Lifecycle, Person};
use crate::support::process::{Ended, run};
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;

/// A folder with a key and a place for the trail.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "canary-audit-key-".repeat(4)).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn before(&self, base_url: &str) -> Setup {
        let setup = Setup::against(base_url).flag("--confirm-writes").flag("never");
        setup.flag("--audit-log").flag(&self.path("log")).flag("--audit-key").flag(&self.path("key"))
    }

    fn lines(&self) -> Vec<Value> {
        lines(self.path("log"))
    }

    async fn verify(&self, files: &[&str]) -> Ended {
        let key = self.path("key");
        let files: Vec<String> = files.iter().map(|name| self.path(name)).collect();
        let mut arguments = vec!["audit", "verify", "--audit-key", &key];
        arguments.extend(files.iter().map(String::as_str));
        run(&arguments, &[]).await
    }
}

/// The whole lines of a trail.
fn lines(path: impl AsRef<Path>) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

fn good(request: &Request) -> ResponseTemplate {
    let answer =
        if request.method == "POST" { json!({"id": "new_1"}) } else { json!({"id": "cus_1", "data": []}) };
    ResponseTemplate::new(200).set_body_json(answer)
}

fn start(customer: &str) -> Value {
    json!({"action": "start", "customer_id": customer})
}

#[tokio::test]
async fn every_call_has_its_line_and_a_write_has_two() {
    let desk = Desk::new();
    let upstream = Upstream::answering(good).await;
    let agent = desk.before(&upstream.base_url()).agent().await;
    agent.good("manage_customers", json!({"action": "get", "customer_id": "cus_1"})).await;
    agent.good("verify_identity", start("cus_1")).await;
    agent.good("verify_identity", start("cus_1")).await;
    agent.error("manage_customers", json!({"action": "get"})).await;
    agent
        .client
        .read_resource(rmcp::model::ReadResourceRequestParams::new("fintecture://customers/cus_1"))
        .await
        .unwrap();
    let file = "fintecture://capabilities/verify-identity.yml";
    agent.client.read_resource(rmcp::model::ReadResourceRequestParams::new(file)).await.unwrap();
    let process = agent.process.unwrap();
    process.signal(Signal::SIGTERM);
    let (status, log) = process.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");

    let lines = desk.lines();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["start", "call", "write", "outcome", "call", "call", "call", "resource", "stop"]);
    let [get, repeat, wrong, resource] = of(&lines, "call")[..] else { panic!("four calls: {lines:?}") };
    assert_eq!((&get["tool"], &get["action"]), (&json!("manage_customers"), &json!("get")));
    assert_eq!((&get["principal"], &get["targets"]["customer_id"]), (&json!("local"), &json!("cus_1")));
    assert_eq!((&get["environment"], &get["outcome"]), (&json!("sandbox"), &json!("success")));
    assert!(
        get["request_id"].is_string() && get["milliseconds"].is_u64() && get["client"].is_string(),
        "{get}"
    );
    assert_eq!((&repeat["repeated"], &wrong["outcome"]), (&json!(true), &json!("invalid_input")));
    assert_eq!(resource["arguments"], get["arguments"], "a record's resource is the same read");
    let (write, outcome) = (of(&lines, "write")[0], of(&lines, "outcome")[0]);
    assert_eq!((&outcome["write"], &outcome["effect"]), (&write["seq"], &json!("applied")));
    assert_eq!(outcome["targets"], json!({"customer_id": "cus_1", "verification_id": "new_1"}));
    assert_eq!(repeat["arguments"], write["arguments"], "however often, the same arguments");

    let verified = desk.verify(&["log"]).await;
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    let head = lines.last().unwrap()["hash"].as_str().unwrap();
    assert!(verified.stdout.contains("9 lines") && verified.stdout.contains(head), "{}", verified.stdout);
    assert!(log.contains(head), "the head is logged: {log}");
    let text = std::fs::read_to_string(desk.path("log")).unwrap();
    std::fs::write(desk.path("log"), text.replacen("invalid_input", "invalid_inputs", 1)).unwrap();
    let found = desk.verify(&["log"]).await;
    assert_eq!((found.code, found.stdout.as_str()), (Some(1), ""));
    assert!(found.stderr.contains("line 6: its hash is not that of its text"), "{}", found.stderr);
    let without_key = run(&["audit", "verify", &desk.path("log")], &[]).await;
    assert!(without_key.stderr.contains("line 1") && without_key.stderr.contains("--audit-key"));
}

#[tokio::test]
async fn nothing_personal_is_in_it() {
    let desk = Desk::new();
    let echo = |request: &Request| {
        let said = format!("{} {}", String::from_utf8_lossy(&request.body), PERSONAL.join(" "));
        ResponseTemplate::new(422).set_body_json(json!({"errors": [{"detail": said}], "id": PERSONAL[3]}))
    };
    for upstream in [Upstream::answering(good).await, Upstream::answering(echo).await] {
        let mut pipe = desk.before(&upstream.base_url()).pipe();
        let client = json!({"name": "canary.person@example.com", "version": "FR7630006000011234567890189"});
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
        pipe.request("initialize", params).await;
        pipe.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string()).await;
        // What has the form of an id, and is one for the upstream, is recorded as one.
        let as_ids = PERSONAL.into_iter().filter(|id| *id != "canary-crm-1");
        let as_ids = as_ids.map(|id| ("manage_customers", json!({"action": "get", "customer_id": id})));
        for (tool, arguments) in calls().into_iter().chain(as_ids) {
            pipe.request("tools/call", json!({"name": tool, "arguments": arguments})).await;
        }
        pipe.close();
        assert_eq!(pipe.read().await, None);
        assert_eq!(pipe.process.ended().await.0.code(), Some(0));
    }
    let text = std::fs::read_to_string(desk.path("log")).unwrap();
    assert!(text.lines().count() > 2 * (calls().len() + PERSONAL.len()), "there is something to look at");
    is_clean(&text);
    assert!(!text.contains("canary-audit-key"));
}

#[tokio::test]
async fn what_a_person_says_is_on_record_with_the_write_that_it_is_about() {
    let desk = Desk::new();
    let upstream = Upstream::answering(good).await;
    let setup = Setup::against(&upstream.base_url()).flag("--audit-log").flag(&desk.path("log"));
    let does = [Does::Declines, Does::Dismisses, Does::Agrees];
    let someone = Person::who(Can::Forms, &does).on_stdio(&setup, Lifecycle::Handshake).await;
    for kind in ["declined", "cancelled"] {
        assert_eq!(someone.call("verify_identity", start("cus_1")).await.kind(), kind);
    }
    someone.call("verify_identity", start("cus_1")).await.good();
    let lines = desk.lines();
    let approvals = of(&lines, "approval");
    let said: Vec<&Value> = approvals.iter().map(|line| &line["decision"]).collect();
    assert_eq!(said, ["declined", "dismissed", "approved"]);
    let write = of(&lines, "write")[0];
    assert_eq!(write["approval"], "client");
    assert!(approvals.iter().all(|line| line["arguments"] == write["arguments"]), "{lines:?}");
    let refused: Vec<&Value> = of(&lines, "call").iter().map(|line| &line["effect"]).collect();
    assert_eq!(refused, ["not_applied", "not_applied"]);
}

/// A file that may not grow: what a full disk is to a process. `prlimit` or a new file would let it go on.
fn with_room_for(blocks: u32, setup: &Setup) -> crate::support::process::Process {
    setup.start_by(&["sh", "-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")])
}

#[tokio::test]
async fn where_it_cannot_be_written_nothing_is_sent_and_nothing_is_told() {
    let desk = Desk::new();
    let upstream = Upstream::answering(good).await;
    let setup = desk.before(&upstream.base_url());
    let mut pipe = crate::support::pipe::Pipe::to(with_room_for(8, &setup));
    pipe.initialize("2025-11-25").await;
    let mut sent = 0;
    let refused = loop {
        let answer = pipe.call("verify_identity", start(&format!("cus_{sent}"))).await;
        if answer.is_error {
            break answer.error();
        }
        sent += 1;
        assert!(sent < 1000, "the file is full after so many");
    };
    assert_eq!((&refused["kind"], &refused["outcome"]), (&json!("internal"), &json!("not_applied")));
    assert!(refused["hint"].as_str().unwrap().contains("operator"), "{refused}");
    assert_eq!(upstream.writes().await, sent, "what was refused was not sent");
    let get = json!({"action": "get", "customer_id": "cus_1"});
    let read = pipe.call("manage_customers", get.clone()).await;
    assert_eq!(read.kind(), "internal");
    assert!(!read.body.to_string().contains("\"customer\""), "{}", read.body);
    // What holds nothing personal goes on.
    let file = json!({"uri": "fintecture://capabilities/verify-identity.yml"});
    assert!(pipe.request("resources/read", file).await["result"].is_object());
    assert!(pipe.request("tools/list", json!({})).await["result"].is_object());

    // Rotation makes room, and all goes on in the new file; the half of a line that was written is gone.
    std::fs::rename(desk.path("log"), desk.path("log.1")).unwrap();
    pipe.process.signal(Signal::SIGHUP);
    pipe.process.logged("the audit trail goes on in a new file").await;
    pipe.call("manage_customers", get).await.good();
    pipe.call("verify_identity", start("cus_after")).await.good();
    pipe.close();
    assert_eq!(pipe.process.ended().await.0.code(), Some(0));
    let verified = desk.verify(&["log.1", "log"]).await;
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    assert!(!of(&desk.lines(), "unrecorded").is_empty());
}

#[tokio::test]
async fn a_server_that_cannot_have_its_trail_does_not_start() {
    let desk = Desk::new();
    let (log, key) = (desk.path("log"), desk.path("key"));
    let start = ["serve", "--environment", "simulator", "--audit-log", &log, "--audit-key", &key];
    assert_eq!(run(&start, &[]).await.code, Some(0));
    let unkeyed = run(&start[..5], &[]).await;
    assert_eq!(unkeyed.code, Some(2));
    assert!(unkeyed.stderr.contains("give the --audit-key it was written with"), "{}", unkeyed.stderr);
    std::fs::write(desk.path("weak"), "weak").unwrap();
    let weak = desk.path("weak");
    let weak =
        run(&["serve", "--environment", "simulator", "--audit-log", &log, "--audit-key", &weak], &[]).await;
    assert_eq!(weak.code, Some(2));
    assert!(weak.stderr.contains("openssl rand -base64 32"), "{}", weak.stderr);
    let setup = Setup::simulator().flag("--environment").flag("simulator").flag("--audit-log").flag(&log);
    let mut first = setup.flag("--audit-key").flag(&key).start();
    first.logged("serving over stdio").await;
    let second = run(&start, &[]).await;
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("is another process's audit trail"), "{}", second.stderr);
}

#[tokio::test]
async fn a_write_whose_outcome_is_not_known_is_found() {
    let desk = Desk::new();
    let simulator = local_simulator(SimulatorConfig::default()).await;
    let base_url = simulator.base_url();
    let lost = crate::support::local::failing_simulator(&["reset-after@writes"], 1).await;
    let agent = desk.before(&lost.base_url()).agent().await;
    agent.error("verify_identity", start("sim_cus_ada")).await;
    drop(agent);
    let told = run(&["audit", "unresolved", &desk.path("log")], &[]).await;
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    let [line] = told.stdout.lines().collect::<Vec<_>>()[..] else { panic!("one write: {}", told.stdout) };
    for part in ["local verify_identity start", "customer_id=sim_cus_ada", "request_id=", "outcome unknown"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let other = Desk::new();
    let agent = other.before(&base_url).agent().await;
    agent.good("verify_identity", start("sim_cus_ada")).await;
    drop(agent);
    let told = run(&["audit", "unresolved", &other.path("log")], &[]).await;
    assert!(told.stdout.contains("Every write that is on record has a known outcome"), "{}", told.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_calls_at_once_are_one_whole_chain() {
    const CALLS: usize = 10_000;
    let desk = Desk::new();
    let simulator = local_simulator(SimulatorConfig::default()).await;
    let path = PathBuf::from(desk.path("log"));
    let trail = Trail::open(&path, None, Facts::new("sandbox", std::iter::empty())).unwrap();
    let config = CallsConfig { trail: trail.clone(), ..CallsConfig::default() };
    let local = Local::with_config(&simulator.base_url(), config);
    let mut calls = JoinSet::new();
    for number in 0..CALLS {
        let local = local.clone();
        calls.spawn(async move {
            // Some go all the way; the others are refused before that, and are on record all the same.
            let arguments = match number % 50 {
                0 => json!({"action": "start", "customer_id": "sim_cus_ada", "expected_name": format!("Ada {number}")}),
                1 => json!({"action": "list", "customer_id": "sim_cus_ada"}),
                _ => json!({"action": "get", "customer_id": format!("cus_{number}")}),
            };
            local.call_as(&Caller::local(), "verify_identity", &arguments).await;
        });
    }
    in_time(calls.join_all()).await;
    trail.close().await;
    let lines = lines(&path);
    let (calls, writes, outcomes) = (of(&lines, "call"), of(&lines, "write"), of(&lines, "outcome"));
    assert_eq!(calls.len() + outcomes.len(), CALLS, "each call has one line that says how it ended");
    assert_eq!(writes.len(), outcomes.len());
    assert!(simulator.effects().len() <= writes.len() && !writes.is_empty());
    let verified = run(&["audit", "verify", path.to_str().unwrap()], &[]).await;
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
}

/// Kills a server again and again while writes are on their way. Returns which it sent, and the lines of its trail.
async fn killed(times: usize) -> (HashSet<String>, Vec<Value>) {
    let desk = Desk::new();
    let upstream = Upstream::answering(good).await;
    let setup = desk.before(&upstream.base_url());
    for time in 0..times {
        let mut asked = upstream.count().await;
        let mut pipe = setup.pipe();
        pipe.write(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "pipe", "version": "1"}}}).to_string()).await;
        pipe.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string()).await;
        for number in 0..40 {
            let call =
                json!({"name": "verify_identity", "arguments": start(&format!("cus_{time}_{number}"))});
            pipe.send("tools/call", call).await;
        }
        // A request of the one that was killed before may arrive as late as this.
        let ours = format!("cus_{time}_");
        while !sent(&upstream).await.iter().any(|id| id.starts_with(&ours)) {
            asked += 1;
            upstream.is_asked(asked).await;
        }
        // At any moment from the first write on: what is found must not depend on it.
        tokio::time::sleep(Duration::from_micros(fastrand::u64(..15_000))).await;
        pipe.process.signal(Signal::SIGKILL);
        pipe.process.ended().await;
    }
    let verified = desk.verify(&["log"]).await;
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    (sent(&upstream).await, desk.lines())
}

/// The customers of the writes that arrived.
async fn sent(upstream: &Upstream) -> HashSet<String> {
    let customer = |request: &Request| request.url.path_segments().unwrap().rev().nth(1).unwrap().to_owned();
    upstream.requests().await.iter().map(customer).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn never_an_effect_without_its_line_however_often_it_is_killed() {
    let mut lanes = JoinSet::new();
    for _ in 0..4 {
        lanes.spawn(killed(25));
    }
    for (sent, lines) in lanes.join_all().await {
        let intents = of(&lines, "write");
        let intents: HashSet<&str> =
            intents.iter().map(|line| line["targets"]["customer_id"].as_str().unwrap()).collect();
        let missing: Vec<&String> = sent.iter().filter(|id| !intents.contains(id.as_str())).collect();
        assert!(missing.is_empty(), "sent without a line: {missing:?}");
        assert!(sent.len() >= 25, "there is something to look at");
        assert_eq!(of(&lines, "start").len(), 25);
    }
}
