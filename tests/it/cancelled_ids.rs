//! A connection that answers line by line: the id of a cancelled call stays that call's until it has ended, since whoever
//! used it again would get the answer of another call.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::faults::{Fault, Faulty, answer};
use crate::support::http_server::HttpServer;
use crate::support::in_time;
use crate::support::process::Process;
use crate::support::setup::Setup;
use crate::support::wire::{OLDER, Wire};

const TAKEN: &str = "the request's id belongs to a call in flight";

fn call(id: u64, arguments: &Value, meta: &Value) -> Value {
    let params = json!({"name": "manage_customers", "arguments": arguments, "_meta": meta});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

fn create(id: u64, first_name: &str) -> Value {
    let email = "somebody@example.com";
    let arguments =
        json!({"action": "create", "first_name": first_name, "last_name": "Byron", "email": email});
    call(id, &arguments, &json!({}))
}

fn get(id: u64, meta: &Value) -> Value {
    call(id, &json!({"action": "get", "customer_id": "cus_1"}), meta)
}

fn ping(id: u64) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

fn cancel(id: u64) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
}

fn customer(id: &str) -> Fault {
    Fault::Bytes(answer("200 OK", json!({"id": id}).to_string().as_bytes()))
}

/// A connection to a server whose upstream does not answer yet.
struct World {
    upstream: Faulty,
    wire: Wire,
    server: Option<HttpServer>,
}

impl World {
    /// One for each way to answer line by line, after a handshake at this revision.
    async fn each(revision: &str) -> [Self; 2] {
        [Self::over(revision, false, &[]).await, Self::over(revision, true, &[]).await]
    }

    async fn over(revision: &str, legacy_sse: bool, flags: &[&str]) -> Self {
        let upstream = Faulty::with(Fault::Hang).await;
        let setup = Setup::against(&upstream.base_url()).flag("--confirm-writes").flag("never");
        let setup = flags.iter().fold(setup, |setup, flag| setup.flag(flag));
        let (mut wire, server) = if legacy_sse {
            let server = setup.http().await;
            (Wire::legacy_sse(&server).await, Some(server))
        } else {
            (Wire::Stdio(Box::new(setup.pipe())), None)
        };
        wire.initialize(revision).await;
        Self { upstream, wire, server }
    }

    fn process(&mut self) -> &mut Process {
        match (&mut self.wire, &mut self.server) {
            (_, Some(server)) => &mut server.process,
            (Wire::Stdio(pipe), None) => &mut pipe.process,
            _ => panic!("nobody's process"),
        }
    }

    /// The customer in the answer to this call, as soon as its id is free.
    async fn customer_at_last(&mut self, call: &Value) -> Value {
        loop {
            let answer = self.wire.send(call, 1).await.remove(0);
            if answer["error"]["message"] != TAKEN {
                assert_eq!(answer["id"], call["id"]);
                return answer["result"]["structuredContent"]["customer"]["id"].clone();
            }
        }
    }

    /// The call of that id ends well, and says so to nobody; the one after it has its own answer.
    async fn then_the_id_is_free(&mut self) {
        self.upstream.now(customer("alice"));
        self.process().logged("outcome=\"success\"").await;
        self.upstream.now(customer("bob"));
        assert_eq!(self.customer_at_last(&create(7, "Bob")).await, "bob");
        self.wire.request("ping", json!({})).await;
        assert_eq!(self.upstream.count(), 2);
    }
}

#[tokio::test]
async fn the_id_of_a_cancelled_write_is_taken_until_the_write_has_ended() {
    for mut world in World::each(OLDER[3]).await {
        world.wire.send(&create(7, "Alice"), 0).await;
        world.upstream.has_got(1).await;
        world.wire.send(&cancel(7), 0).await;
        for again in [create(7, "Bob"), get(7, &json!({})), ping(7)] {
            let refused = world.wire.send(&again, 1).await.remove(0);
            assert_eq!((&refused["error"]["message"], &refused["id"]), (&json!(TAKEN), &Value::Null));
        }
        assert_eq!(world.upstream.count(), 1);
        world.then_the_id_is_free().await;
    }
}

/// A read ends as soon as it is cancelled, by whichever way it goes; what follows is not cancelled with it.
#[tokio::test]
async fn the_call_after_a_cancelled_read_has_an_answer_of_its_own() {
    for meta in [json!({}), json!({"progressToken": 1})] {
        for mut world in World::each(OLDER[3]).await {
            world.wire.send(&get(7, &meta), 0).await;
            world.upstream.has_got(1).await;
            // Refused or begun, as it comes.
            if let Wire::Stdio(pipe) = &mut world.wire {
                // Together, so that nothing ends in between.
                pipe.write(&format!("{}\n{}", cancel(7), get(7, &meta))).await;
            } else {
                world.wire.send(&cancel(7), 0).await;
                world.wire.send(&get(7, &meta), 0).await;
            }
            world.upstream.now(customer("bob"));
            for answer in world.wire.send(&get(8, &meta), 2).await {
                let customer = &answer["result"]["structuredContent"]["customer"]["id"];
                assert!(customer == "bob" || answer["error"]["message"] == TAKEN, "{answer}");
            }
            assert_eq!(world.customer_at_last(&get(7, &meta)).await, "bob");
        }
    }
}

#[tokio::test]
async fn the_id_of_a_cancelled_member_is_taken_and_its_batch_goes_out() {
    for mut world in World::each(OLDER[1]).await {
        world.wire.send(&json!([create(7, "Alice"), ping(8)]), 0).await;
        world.upstream.has_got(1).await;
        assert_eq!(world.wire.send(&cancel(7), 1).await[0]["id"], 8);
        let answers = world.wire.send(&json!([create(7, "Bob"), ping(8)]), 2).await;
        let refused = answers.iter().find(|answer| answer["id"].is_null()).unwrap();
        assert_eq!(refused["error"]["message"], TAKEN);
        assert_eq!(world.upstream.count(), 1);
        world.then_the_id_is_free().await;
    }
}

/// By whichever way it goes.
#[tokio::test]
async fn a_call_that_the_end_of_the_grace_period_cancels_is_answered() {
    for meta in [json!({}), json!({"progressToken": 1})] {
        let mut world = World::over(OLDER[3], true, &["--limit", "shutdown-seconds=1"]).await;
        world.wire.send(&get(7, &meta), 0).await;
        world.upstream.has_got(1).await;
        world.process().signal(Signal::SIGTERM);
        let Wire::LegacySse { events, .. } = &mut world.wire else { unreachable!() };
        let event = in_time(events.next()).await.expect("the stream ended instead of answering");
        let answer: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(answer["id"], 7);
        assert_eq!(answer["result"]["structuredContent"]["error"]["kind"], "cancelled", "{answer}");
        assert!(in_time(events.next()).await.is_none());
        assert_eq!(world.server.unwrap().process.ended().await.0.code(), Some(0));
    }
}
