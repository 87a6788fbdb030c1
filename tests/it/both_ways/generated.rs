//! Good requests, some of whose headers, members and bytes are then changed at random.

use std::cell::Cell;

use fintecture_mcp::calls::CallsConfig;
use http::{HeaderName, HeaderValue};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::requests::Sent;
use super::ways::{Ways, hello};
use crate::support::operations;
use crate::support::upstream::Upstream;

const HEADERS: [&str; 8] = [
    "accept",
    "content-type",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "traceparent",
    "origin",
];
const HEADER_VALUES: [&str; 8] = [
    "application/json, text/event-stream",
    "application/json",
    "tools/call",
    "manage_customers",
    "2026-07-28",
    "2025-11-25",
    "http://127.0.0.1",
    "",
];
/// Members that may stand in a message, in its params or in its `_meta`, each where it belongs or elsewhere.
const MEMBERS: [&str; 12] = [
    r#""jsonrpc":"2.0""#,
    r#""id":1"#,
    r#""id":"x""#,
    r#""method":"tools/call""#,
    r#""name":"manage_customers""#,
    r#""arguments":{"action":"list"}"#,
    r#""_meta":{}"#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#,
    r#""io.modelcontextprotocol/clientCapabilities":{}"#,
    r#""progressToken":1"#,
    r#""roots":{}"#,
    r#""result":null"#,
];
const BYTES: [&[u8]; 12] =
    [b"\"", b"{", b"}", b"[", b",", b"\\", b" ", b"1", b"-", b"null", b"\\ud83d", b"\xff"];

/// One change: of what, where, and to what.
type Change = (u8, u16, u8);

fn changed(mut sent: Sent, (kind, place, to): Change) -> Sent {
    let at = |length: usize| usize::from(place) % length.max(1);
    match kind {
        0 => {
            let name = HeaderName::from_static(HEADERS[at(HEADERS.len())]);
            let value = HeaderValue::from_static(HEADER_VALUES[usize::from(to) / 3 % HEADER_VALUES.len()]);
            match to % 3 {
                0 => drop(sent.headers.remove(name)),
                1 => drop(sent.headers.insert(name, value)),
                _ => drop(sent.headers.append(name, value)),
            }
        }
        1 => {
            let Ok(mut message) = serde_json::from_slice::<Value>(&sent.body) else { return sent };
            let count = each(&mut message, &mut |_, _| {});
            let values = [
                json!({}),
                json!([]),
                Value::Null,
                json!(1),
                json!(1.0),
                json!(-0.0),
                json!(1.5),
                json!("x"),
                json!(true),
                json!("2026-07-28"),
            ];
            let (chosen, value) = (at(count), &values[usize::from(to) % values.len()]);
            each(&mut message, &mut |number, old| {
                if number == chosen {
                    *old = value.clone();
                }
            });
            sent.body = message.to_string().into_bytes();
        }
        2 => {
            let braces: Vec<usize> = (0..sent.body.len()).filter(|at| sent.body[*at] == b'{').collect();
            let Some(brace) = braces.get(at(braces.len())) else { return sent };
            let is_empty = sent.body.get(brace + 1) == Some(&b'}');
            let member = MEMBERS[usize::from(to) % MEMBERS.len()];
            let member = if is_empty { member.to_owned() } else { format!("{member},") };
            let inside = brace + 1;
            sent.body.splice(inside..inside, member.into_bytes());
        }
        _ => {
            let at = at(sent.body.len());
            let until = if to % 2 == 0 { at } else { (at + 1).min(sent.body.len()) };
            sent.body.splice(at..until, BYTES[usize::from(to) / 2 % BYTES.len()].iter().copied());
        }
    }
    sent
}

/// Visits every value of a message, with its number. Returns how many there are.
fn each(value: &mut Value, visit: &mut impl FnMut(usize, &mut Value)) -> usize {
    fn walk(value: &mut Value, number: &mut usize, visit: &mut dyn FnMut(usize, &mut Value)) {
        visit(*number, value);
        *number += 1;
        if let Value::Object(members) = value {
            members.values_mut().for_each(|member| walk(member, number, visit));
        }
    }
    let mut number = 0;
    walk(value, &mut number, visit);
    number
}

#[test]
fn any_request_is_answered_the_same() {
    let runtime = Runtime::new().unwrap();
    let upstream = runtime.block_on(Upstream::saying(json!({"id": "cus_1", "data": []})));
    let ways = async || Ways::before(&upstream, CallsConfig::default).await;
    any_is_answered_the_same(&runtime, 400, &runtime.block_on(ways()));
    let hello = hello("2025-11-25", &json!({"name": "generated", "version": "1"}));
    let in_sessions = runtime.block_on(async { ways().await.in_sessions(&hello).await });
    any_is_answered_the_same(&runtime, 400, &in_sessions);
    let over_streams = runtime.block_on(async {
        let mut ways = ways().await.over_streams().await;
        ways.greet(&hello).await;
        ways
    });
    any_is_answered_the_same(&runtime, 200, &over_streams);
}

fn any_is_answered_the_same(runtime: &Runtime, cases: u32, ways: &Ways) {
    let all = operations::all();
    let changes = vec((0_u8..4, any::<u16>(), any::<u8>()), 0..4);
    let (taken, left) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&((0..all.len()), changes), |(operation, changes)| {
        let operation = &all[operation];
        let good = ways.call(operation.tool, &operation.arguments);
        let sent = changes.into_iter().fold(good, changed);
        let count = if ways.takes(&sent) { &taken } else { &left };
        count.set(count.get() + 1);
        runtime.block_on(ways.answer(&sent));
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
    assert!(taken.get() > 20 && left.get() > 50, "{taken:?} were taken, {left:?} left");
}
