//! A connection with as many calls as may be: what still gets through, what is held back, and the bounds of that.

use super::*;

/// As many calls as may be served wait, and `more` after them are held back.
async fn full(revision: &str, more: usize) -> Client {
    let mut client = Client::open(revision).await;
    for id in 0..CALLS_IN_FLIGHT + more {
        client.send(&call(id, "slow")).await;
    }
    for _ in 0..CALLS_IN_FLIGHT {
        client.server.started().await;
    }
    client
}

#[tokio::test]
async fn calls_in_flight_are_capped() {
    let mut client = full("2025-11-25", 1).await;
    assert!(client.server.started().now_or_never().is_none());
    client.server.release(1);
    client.receive().await;
    client.server.started().await;
    assert_eq!(client.server.most(), CALLS_IN_FLIGHT);
}

#[tokio::test]
async fn answers_of_the_client_reach_the_calls_that_fill_the_connection() {
    let mut client = Client::open("2025-11-25").await;
    let all = CALLS_IN_FLIGHT + 40;
    for id in 0..all {
        client.send(&call(id, "ask")).await;
    }
    // None is answered before every place is taken by a call that waits for its answer.
    let mut questions = Vec::new();
    while questions.len() < CALLS_IN_FLIGHT {
        questions.push(client.receive().await);
    }
    let mut answered = Vec::new();
    while answered.len() < all {
        let message = match questions.pop() {
            Some(question) => question,
            None => client.receive().await,
        };
        if message["method"] == "elicitation/create" {
            client
                .send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": {"action": "accept"}}))
                .await;
        } else {
            assert_eq!(message["result"]["isError"], false, "{message}");
            answered.push(message["id"].as_u64().unwrap());
        }
    }
    answered.sort_unstable();
    assert!(answered.into_iter().eq(0..all as u64), "each call is answered once");
    assert_eq!(client.server.most(), CALLS_IN_FLIGHT);
}

#[tokio::test]
async fn a_cancellation_passes_the_requests_that_are_held_back() {
    let mut client = full("2025-11-25", 3).await;
    client.send(&cancel(0)).await;
    client.server.cancelled().await;
    // Its place is free.
    client.server.started().await;
    client.server.release(CALLS_IN_FLIGHT + 2);
    let mut ids = Vec::new();
    while ids.len() < CALLS_IN_FLIGHT + 2 {
        ids.push(client.receive().await["id"].as_u64().unwrap());
    }
    ids.sort_unstable();
    assert!(ids.into_iter().eq(1..CALLS_IN_FLIGHT as u64 + 3));
}

#[tokio::test]
async fn a_cancelled_call_has_its_place_and_its_id_until_it_has_ended() {
    let mut client = Client::open("2025-11-25").await;
    for id in 0..CALLS_IN_FLIGHT {
        client.send(&call(id, "write")).await;
        client.server.started().await;
    }
    for id in 0..CALLS_IN_FLIGHT {
        client.send(&cancel(id)).await;
    }
    client.send(&call("next", "write")).await;
    client.send(&call(0, "echo")).await;
    assert_eq!(client.receive().await["error"]["code"], -32600);
    assert!(client.server.started().now_or_never().is_none());
    client.server.release(CALLS_IN_FLIGHT);
    client.server.started().await;
    client.server.release(1);
    assert_eq!(client.receive().await["id"], "next", "none of the others is answered");
    assert_eq!(client.server.most(), CALLS_IN_FLIGHT);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_request_that_is_held_back_is_never_served() {
    let mut client = full("2025-11-25", 2).await;
    let (dropped, kept) = (CALLS_IN_FLIGHT, CALLS_IN_FLIGHT + 1);
    client.send(&cancel(dropped)).await;
    // Its id is free at once, and taken again in the order of coming.
    client.send(&call(dropped, "echo")).await;
    client.send(&call(kept, "echo")).await;
    let refused = client.receive().await;
    assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32600), &Value::Null));
    client.server.release(CALLS_IN_FLIGHT);
    let mut ids = Vec::new();
    while ids.len() <= CALLS_IN_FLIGHT {
        let answer = client.receive().await;
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        ids.push(answer["id"].as_u64().unwrap());
    }
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..=dropped as u64), "the later call of that id is the one that is answered");
    client.server.started().await;
    client.close().await;
    client.server.release(1);
    assert_eq!(client.receive().await["id"], kept);
    let before = tokio::time::Instant::now();
    assert_eq!(client.lines.next_line().await.unwrap(), None, "nothing more is answered");
    assert!(client.server.started().now_or_never().is_none());
    client.ends().await;
    assert!(before.elapsed() < GRACE, "nothing is owed for what was dropped");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_input_passes_the_requests_that_are_held_back() {
    let mut client = full("2025-11-25", 3).await;
    client.close().await;
    client.shutdown.cancelled().await;
    client.server.release(CALLS_IN_FLIGHT + 3);
    let mut ids = Vec::new();
    while let Some(line) = client.lines.next_line().await.unwrap() {
        ids.push(serde_json::from_str::<Value>(&line).unwrap()["id"].as_u64().unwrap());
    }
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..CALLS_IN_FLIGHT as u64 + 3), "what was held back is served as well");
    assert_eq!(client.server.most(), CALLS_IN_FLIGHT);
    client.ends().await;
}

#[tokio::test(start_paused = true)]
async fn the_grace_period_bounds_requests_that_are_held_back() {
    let mut client = full("2025-11-25", 3).await;
    client.close().await;
    for _ in 0..CALLS_IN_FLIGHT {
        client.server.cancelled().await;
    }
    assert!(client.server.started().now_or_never().is_none());
    client.ends().await;
}

#[tokio::test]
async fn members_of_a_batch_are_held_back_as_well() {
    let mut client = Client::open("2025-03-26").await;
    let batch = |ids: std::ops::Range<usize>| Value::Array(ids.map(|id| call(id, "slow")).collect());
    client.send(&batch(0..100)).await;
    client.send(&batch(100..200)).await;
    for _ in 0..CALLS_IN_FLIGHT {
        client.server.started().await;
    }
    client.send(&cancel(199)).await;
    client.send(&cancel(0)).await;
    client.server.cancelled().await;
    client.server.release(198);
    let (first, second) = (client.receive().await, client.receive().await);
    let mut lengths = [first.as_array().unwrap().len(), second.as_array().unwrap().len()];
    lengths.sort_unstable();
    assert_eq!(lengths, [99, 99]);
}

/// Sends calls of this size until no more are taken in; paused time runs on as soon as everybody waits.
async fn taken_in(client: &mut Client, tool: &str, bytes: usize) -> usize {
    let mut large = call(0, tool);
    large["params"]["arguments"]["text"] = json!("x".repeat(bytes));
    for id in 0.. {
        large["id"] = json!(id);
        if tokio::time::timeout(Duration::from_secs(1), client.send(&large)).await.is_err() {
            return id;
        }
    }
    unreachable!()
}

/// Each call is larger than the pipe, so that what is in it is no more than two.
#[tokio::test(start_paused = true)]
async fn what_is_held_back_is_bounded() {
    let mut client = Client::open("2025-11-25").await;
    let taken = taken_in(&mut client, "slow", 70 * 1024).await;
    let bound = CALLS_IN_FLIGHT + CALLS_HELD_BACK;
    assert!((bound..=bound + 2).contains(&taken), "{taken}");
    assert_eq!(client.server.most(), CALLS_IN_FLIGHT);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_not_listened_to() {
    let mut client = Client::open("2025-11-25").await;
    let taken = taken_in(&mut client, "echo", 70 * 1024).await;
    assert!((CALLS_IN_FLIGHT..=CALLS_IN_FLIGHT + 4).contains(&taken), "{taken}");
    for id in 0..CALLS_IN_FLIGHT {
        assert!(client.receive().await["result"].is_object(), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_cannot_hold_the_end_for_ever() {
    let mut client = Client::open("2025-11-25").await;
    let Client { mut write, lines, shutdown, task, .. } = {
        let text = "x".repeat(MESSAGE_BYTES / 2);
        let mut large = call(1, "echo");
        large["params"]["arguments"]["text"] = json!(text);
        client.send(&large).await;
        client
    };
    write.flush().await.unwrap();
    shutdown.cancel();
    task.await.unwrap().unwrap();
    drop(lines);
}
