//! Waits as tasks, for clients that follow them by themselves, also after the server was killed.

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::bank::Bank;
use crate::support::pipe::Pipe;
use crate::support::setup::Setup;
use crate::support::wire::stateless;

const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// Parameters of a client that takes tasks.
fn taking_tasks(params: Value) -> Value {
    let mut params = stateless(params);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"extensions": {EXTENSION: {}}});
    params
}

fn call(arguments: &Value) -> Value {
    taking_tasks(json!({"name": "verify_identity", "arguments": arguments}))
}

fn start(wait_seconds: u32) -> Value {
    json!({"action": "start", "customer_id": "cus_1", "wait_seconds": wait_seconds})
}

/// Starts a verification. Returns the task.
async fn task(pipe: &mut Pipe, wait_seconds: u32) -> Value {
    let task = pipe.request("tools/call", call(&start(wait_seconds))).await["result"].clone();
    assert_eq!((&task["resultType"], &task["status"]), (&json!("task"), &json!("working")), "{task}");
    task
}

async fn look(pipe: &mut Pipe, task: &Value) -> Value {
    let answer = pipe.request("tasks/get", taking_tasks(json!({"taskId": task["taskId"]}))).await;
    assert!(answer.get("error").is_none(), "{answer}");
    answer["result"].clone()
}

/// Looks until it has ended.
async fn ended(pipe: &mut Pipe, task: &Value) -> Value {
    loop {
        let now = look(pipe, task).await;
        if now["status"] != "working" {
            return now;
        }
    }
}

#[tokio::test]
async fn a_wait_becomes_a_task_at_once_and_ends_with_the_result_of_the_call() {
    let bank = Bank::undecided().await;
    let mut pipe = Setup::against(&bank.base_url()).pipe();
    let task = task(&mut pipe, 300).await;
    assert_eq!((&task["pollIntervalMs"], &task["ttlMs"]), (&json!(1000), &json!((300 + 3600) * 1000)));
    assert!(task["statusMessage"].as_str().unwrap().contains("ver_1"), "{task}");
    let id = task["taskId"].as_str().unwrap();
    assert!(!id.contains("ver_1") && !id.contains("cus_1"), "the id can be read by nobody else");

    let now = look(&mut pipe, &task).await;
    assert_eq!((&now["status"], &now["taskId"]), (&json!("working"), &task["taskId"]));
    assert_eq!(now["createdAt"], task["createdAt"]);
    bank.decides();
    let done = ended(&mut pipe, &task).await;
    assert_eq!(done["status"], "completed");
    let body = json!({"action": "start", "environment": "sandbox",
        "verification": {"id": "ver_1", "status": "verified"}});
    assert_eq!(done["result"]["structuredContent"], body);
    let text: Value = serde_json::from_str(done["result"]["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, body);
    assert_ne!(done["result"]["isError"], true);
}

#[tokio::test]
async fn a_task_outlives_the_process_that_handed_it_out() {
    let bank = Bank::undecided().await;
    let setup = Setup::against(&bank.base_url());
    let mut pipe = setup.pipe();
    let task = task(&mut pipe, 300).await;
    assert_eq!(look(&mut pipe, &task).await["status"], "working");
    pipe.process.signal(Signal::SIGKILL);
    pipe.process.ended().await;

    let mut again = setup.pipe();
    assert_eq!(look(&mut again, &task).await["status"], "working");
    bank.decides();
    let done = ended(&mut again, &task).await;
    assert_eq!(done["result"]["structuredContent"]["verification"]["status"], "verified");
}

#[tokio::test]
async fn a_client_that_asks_without_pause_costs_one_look_a_second() {
    let bank = Bank::undecided().await;
    let mut pipe = Setup::against(&bank.base_url()).pipe();
    let task = task(&mut pipe, 300).await;
    look(&mut pipe, &task).await;
    let (mut asked, began) = (0, std::time::Instant::now());
    while bank.count("ver_1") < 3 {
        look(&mut pipe, &task).await;
        asked += 1;
    }
    assert!(began.elapsed().as_millis() >= 1900, "three looks are two seconds apart");
    assert!(asked > 3, "{asked}");
}

#[tokio::test]
async fn a_failing_look_leaves_the_task_working_until_its_time_is_up_and_is_no_error_then() {
    let bank = Bank::undecided().await;
    let mut pipe = Setup::against(&bank.base_url()).pipe();
    let long = task(&mut pipe, 300).await;
    let short = pipe.request("tools/call", call(&start(1))).await["result"].clone();
    bank.answers(ResponseTemplate::new(403));
    let now = look(&mut pipe, &long).await;
    assert_eq!(now["status"], "working");
    assert!(now["statusMessage"].as_str().unwrap().contains("failed (forbidden)"), "{now}");
    let done = ended(&mut pipe, &short).await;
    assert_eq!(done["status"], "completed");
    assert_ne!(done["result"]["isError"], true);
    let body = &done["result"]["structuredContent"];
    assert_eq!(body["verification"], json!({"id": "ver_1", "status": "pending"}));
    assert_eq!((&body["error"], &body["action"]), (&Value::Null, &json!("start")));
    let hint = body["hint"].as_str().unwrap();
    let words =
        "The time to wait is up. The last look failed (forbidden), so the status may be another one by now.";
    assert!(hint.contains("verify_identity get") && hint.ends_with(words), "{hint}");
}

#[tokio::test]
async fn when_its_time_is_up_a_task_ends_with_the_pending_verification() {
    let bank = Bank::undecided().await;
    let mut pipe = Setup::against(&bank.base_url()).pipe();
    // The repeat of a start is a task, too.
    task(&mut pipe, 300).await;
    let task = task(&mut pipe, 1).await;
    let done = ended(&mut pipe, &task).await;
    let body = &done["result"]["structuredContent"];
    assert_eq!((&body["verification"]["status"], &body["repeated"]), (&json!("pending"), &json!(true)));
    let hint = body["hint"].as_str().unwrap();
    assert!(hint.contains("verify_identity get") && hint.ends_with("The time to wait is up."), "{hint}");
}

#[tokio::test]
async fn a_cancelled_task_says_so_and_is_not_looked_at() {
    let bank = Bank::undecided().await;
    let mut pipe = Setup::against(&bank.base_url()).pipe();
    let task = task(&mut pipe, 300).await;
    let id = json!({"taskId": task["taskId"], "inputResponses": {}});
    for method in ["tasks/update", "tasks/cancel"] {
        let answer = pipe.request(method, taking_tasks(id.clone())).await;
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    }
    assert_eq!(look(&mut pipe, &task).await["status"], "cancelled");
    assert_eq!(bank.count("ver_1"), 0);
}

#[tokio::test]
async fn a_task_that_has_ended_stays_as_it_ended() {
    let bank = Bank::undecided().await;
    let mut pipe = Setup::against(&bank.base_url()).pipe();
    let short = task(&mut pipe, 1).await;
    let over = ended(&mut pipe, &short).await;
    assert_eq!(over["result"]["structuredContent"]["verification"]["status"], "pending");
    let cancelled = task(&mut pipe, 300).await;
    pipe.request("tasks/cancel", taking_tasks(json!({"taskId": cancelled["taskId"]}))).await;
    let gone = look(&mut pipe, &cancelled).await;
    assert_eq!(gone["status"], "cancelled");
    let long = task(&mut pipe, 300).await;
    bank.decides();
    let done = ended(&mut pipe, &long).await;
    assert_eq!(done["result"]["structuredContent"]["verification"]["status"], "verified");

    bank.answers(ResponseTemplate::new(403));
    let looks = bank.count("ver_1");
    for (task, first) in [(&short, &over), (&cancelled, &gone), (&long, &done)] {
        assert_eq!(&look(&mut pipe, task).await, first);
        let answer = pipe.request("tasks/cancel", taking_tasks(json!({"taskId": task["taskId"]}))).await;
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
        assert_eq!(&look(&mut pipe, task).await, first);
    }
    assert_eq!(bank.count("ver_1"), looks, "what has ended is not looked at");
}

#[tokio::test]
async fn an_id_that_was_not_handed_out_is_refused_with_words_to_go_on() {
    let bank = Bank::undecided().await;
    let setup = Setup::against(&bank.base_url());
    let mut pipe = setup.pipe();
    let task = task(&mut pipe, 300).await;
    let mut changed = task["taskId"].as_str().unwrap().to_owned();
    changed.replace_range(..1, if changed.starts_with('A') { "B" } else { "A" });
    let mut of_another = Setup::without_credential(&bank.base_url())
        .variable("FINTECTURE_CUSTOMER_TOKEN", "another-token")
        .pipe();
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = |id: &str| taking_tasks(json!({"taskId": id, "inputResponses": {}}));
        let refused = [
            pipe.request(method, params("made-up")).await,
            pipe.request(method, params(&changed)).await,
            of_another.request(method, params(task["taskId"].as_str().unwrap())).await,
        ];
        for answer in refused {
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
            assert!(answer["error"]["message"].as_str().unwrap().contains("verify_identity get"), "{answer}");
        }
    }
    assert_eq!(bank.count("ver_1"), 0);
}

#[tokio::test]
async fn a_client_without_the_extension_is_kept_waiting_instead() {
    let bank = Bank::undecided().await;
    let mut pipe = Setup::against(&bank.base_url()).pipe();
    let params = stateless(json!({"name": "verify_identity", "arguments": start(1)}));
    let answer = pipe.request("tools/call", params).await;
    assert_eq!(answer["result"]["structuredContent"]["verification"]["status"], "pending");
    assert_eq!(answer["result"]["resultType"], "complete");
}

#[tokio::test]
async fn a_task_ends_with_the_links_that_the_call_would_have() {
    let bank = Bank::undecided().await;
    let mut pipe = Setup::against(&bank.base_url()).pipe();
    let task = task(&mut pipe, 300).await;
    bank.decides();
    let done = ended(&mut pipe, &task).await;
    let arguments = json!({"action": "get", "customer_id": "cus_1", "verification_id": "ver_1"});
    let called = pipe.request("tools/call", call(&arguments)).await;
    let links = |result: &Value| result["content"].as_array().unwrap()[1..].to_vec();
    assert!(!links(&done["result"]).is_empty(), "{done}");
    assert_eq!(links(&done["result"]), links(&called["result"]));
    assert_eq!(done["result"]["_meta"], called["result"]["_meta"]);
}
