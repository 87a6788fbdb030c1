//! Whatever comes from an agent or from the upstream, a call is answered, and in the contract's words.

use std::sync::Arc;
use std::time::Duration;

use fintecture_mcp::calls::{self, Caller, Calls};
use fintecture_mcp::capability::{Capabilities, Source};
use fintecture_mcp::domain::Environment;
use fintecture_mcp::fintecture::{Client, ClientConfig, Credentials, Fintecture};
use fintecture_mcp::secret::Secret;
use fintecture_mcp::tools::{self, Tools};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::support::contract::{Answer, Contract};
use crate::support::faults::{Fault, Faulty, answer};
use crate::support::in_time;
use crate::support::local::calls_without_pages;
use crate::support::operations::{self, Operation};

/// The way of a call without a process: calls, tools and client as the server has them, and a local upstream.
struct World {
    runtime: Runtime,
    upstream: Faulty,
    calls: Calls,
    contract: Contract,
}

impl World {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        // Read as a record and as a list.
        let body = br#"{"id":"one","data":[]}"#;
        let upstream = runtime.block_on(Faulty::with(Fault::Bytes(answer("200 OK", body))));
        let capabilities = Arc::new(Capabilities::load(&Source::BuiltIn, &tools::needs()).unwrap());
        let config = ClientConfig {
            base_url: upstream.base_url().parse().unwrap(),
            credentials: Credentials::Token(Secret::fixed("token")),
            signer: None,
            timeout: Duration::from_secs(10),
            requests_per_second: None,
            ca_file: None,
        };
        let upstream_client =
            Arc::new(Fintecture::new(Client::new(config).unwrap(), Arc::clone(&capabilities)));
        let tools = Tools::new(&capabilities, upstream_client, Environment::Sandbox, false);
        let listed: Vec<Value> =
            fintecture_mcp::mcp::wire_tools(&tools.list(fintecture_mcp::domain::Scopes::ALL))
                .iter()
                .map(|tool| json!(tool))
                .collect();
        Self { runtime, upstream, calls: calls_without_pages(tools), contract: Contract::of(&listed) }
    }

    fn call(&self, tool: &str, arguments: Map<String, Value>) -> Answer {
        let caller = Caller::local();
        let answer = self.runtime.block_on(in_time(self.calls.call(&caller, tool, arguments)));
        let calls::Answer::Reply(reply) = answer else { panic!("nobody can be asked here") };
        let answer = self.contract.check_body(tool, &reply.body, reply.is_error);
        assert!(!answer.is_error || answer.kind() != "internal", "{}", answer.body);
        answer
    }

    /// A good answer in between: after twenty failures in a row nothing would be sent at all.
    fn closes_the_breaker(&self) {
        self.upstream.now(Fault::Bytes(answer("200 OK", br#"{"id":"cus_1"}"#)));
        let get = json!({"action": "get", "customer_id": "cus_1"});
        self.call("manage_customers", get.as_object().unwrap().clone()).good();
    }
}

fn check<S: Strategy>(cases: u32, strategy: &S, mut test: impl FnMut(S::Value)) {
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let test = std::cell::RefCell::new(&mut test);
    runner
        .run(strategy, |value| {
            (test.borrow_mut())(value);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// An array in an array, deeper than any parser goes.
fn deep() -> Value {
    (0..100).fold(Value::Null, |inner, _| json!([inner]))
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,40}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        (1_usize..20_000).prop_map(|length| Value::from("é".repeat(length))),
        Just(deep()),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((any_name(), inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Names that the tools know, names that nearly are, and any other.
fn any_name() -> impl Strategy<Value = String> {
    const KNOWN: &str = "action page page_size external_id first_name last_name email company_name phone customer_id iban \
        holder_name bic currency account_id provider_id expected_name verification_id customerId customer-id \
        Action page[number] id data meta attributes type error environment hint errors detail";
    let known: Vec<&str> = KNOWN.split(' ').collect();
    prop_oneof![4 => select(known).prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_operation() -> impl Strategy<Value = Operation> {
    (0..operations::all().len()).prop_map(|index| operations::all().swap_remove(index))
}

/// A good call, some of whose arguments are then anything, or cut off somewhere.
fn any_call() -> impl Strategy<Value = (&'static str, Map<String, Value>)> {
    let changes = vec((any_name(), any_json()), 0..5);
    (any_operation(), changes, any::<bool>(), any::<u16>()).prop_map(|(operation, changes, keep, cut)| {
        let mut arguments = if keep { operation.arguments.as_object().unwrap().clone() } else { Map::new() };
        for value in arguments.values_mut() {
            if let Value::String(text) = value
                && cut % 7 == 0
            {
                *text = text.chars().take(usize::from(cut) % 20).collect();
            }
        }
        arguments.extend(changes);
        if !keep && cut % 2 == 0 {
            arguments.insert("action".to_owned(), operation.arguments["action"].clone());
        }
        (operation.tool, arguments)
    })
}

#[test]
fn any_arguments_are_answered() {
    let world = World::new();
    let mut sent = 0;
    check(256, &any_call(), |(tool, arguments)| {
        let has_external_id = arguments.get("external_id").is_some_and(|id| id.is_string() && id != "");
        let answer = world.call(tool, arguments);
        let count = world.upstream.count();
        let (action, repeated) = (&answer.body["action"], answer.body.get("repeated").is_some());
        let is_write = action == "create" || action == "start";
        assert!(is_write || !repeated, "only writes are answered from before");
        let expected = match (answer.is_error, repeated) {
            (true, _) | (_, true) => 0,
            // A customer is looked for before it is made.
            (false, false) => 1 + usize::from(is_write && has_external_id),
        };
        assert_eq!(count - sent, expected, "either it was sent, or it was refused: {}", answer.body);
        assert!(!answer.is_error || answer.kind() == "invalid_input", "{}", answer.body);
        sent = count;
    });
    assert!(sent > 0, "some of the calls were good");
}

#[test]
fn an_id_is_plain_or_refused() {
    let world = World::new();
    let ids = prop_oneof!["[A-Za-z0-9_-]{1,70}", "[a-c./%\\\\]{0,6}", any::<String>()];
    check(256, &ids, |id| {
        let sent = world.upstream.count();
        let plain = (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        let arguments = json!({"action": "get", "customer_id": id});
        let answer = world.call("manage_customers", arguments.as_object().unwrap().clone());
        assert_eq!(answer.is_error, !plain, "{id:?}");
        assert_eq!(world.upstream.count() - sent, usize::from(plain), "{id:?}");
    });
}

/// The kind of an answer that is no success, as the contract has it.
fn expected_kind(status: u16, writes: bool) -> &'static str {
    match status {
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        429 => "rate_limited",
        400..=499 if ![408, 425].contains(&status) => "upstream_rejected",
        _ if writes => "outcome_unknown",
        _ => "upstream_unavailable",
    }
}

/// A body: any JSON, JSON of nearly the right shape, any bytes, or JSON that is cut off.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let record =
        (any_json(), any_json()).prop_map(|(id, field)| json!({"id": id, "field": field, "status": field}));
    let wrapped = (any_json(), any_json(), any_json()).prop_map(
        |(id, attributes, meta)| json!({"data": {"id": id, "attributes": attributes}, "meta": meta}),
    );
    let list =
        (vec(any_json(), 0..4), any_json()).prop_map(|(data, meta)| json!({"data": data, "meta": meta}));
    let good_list = (vec(any_json(), 0..4), any_json()).prop_map(|(fields, rest)| {
        let data: Vec<Value> = fields.into_iter().map(|field| json!({"id": "x", "field": field})).collect();
        json!({"data": data, "meta": {"count": rest}, "action": rest, "hint": rest, "customers": rest})
    });
    let json = prop_oneof![any_json(), record, wrapped, list, good_list]
        .prop_map(|body| body.to_string().into_bytes());
    prop_oneof![
        4 => json.clone(),
        1 => vec(any::<u8>(), 0..300),
        1 => (json, any::<u16>()).prop_map(|(mut body, cut)| {
            body.truncate(usize::from(cut) % (body.len() + 1));
            body
        }),
    ]
}

#[test]
fn any_answer_of_the_upstream_is_told() {
    let world = World::new();
    let statuses = prop_oneof![4 => Just(200_u16), 1 => Just(201), 3 => 300_u16..600];
    let (mut successes, mut number) = (0, 0);
    check(256, &(any_operation(), statuses, any_body()), |(operation, status, body)| {
        number += 1;
        world.closes_the_breaker();
        world.upstream.now(Fault::Bytes(answer(&format!("{status} Status"), &body)));
        let arguments = operation.another(number).as_object().unwrap().clone();
        let told = world.call(operation.tool, arguments);
        if told.is_error {
            let kind = expected_kind(status, operation.writes());
            assert_eq!(told.kind(), kind, "{} {status}: {}", operation.name, told.body);
        } else {
            assert!(status < 300, "{status} is no success");
            successes += 1;
        }
    });
    assert!(successes > 0, "some of the answers were good");
}

#[test]
fn any_bytes_instead_of_http_are_told() {
    let world = World::new();
    let heads = select(
        ["", "HTTP/1.1 ", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 404 \r\n\r\n"]
            .as_slice(),
    );
    let mut number = 0;
    check(128, &(any_operation(), heads, vec(any::<u8>(), 0..200)), |(operation, head, noise)| {
        number += 1;
        world.closes_the_breaker();
        world.upstream.now(Fault::Bytes([head.as_bytes(), &noise].concat()));
        let told = world.call(operation.tool, operation.another(number).as_object().unwrap().clone());
        assert!(told.is_error, "noise is no result: {}", told.body);
        assert_ne!(told.kind(), "invalid_input");
    });
}
