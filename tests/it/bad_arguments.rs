//! Wrong arguments: each one is named, and nothing reaches the upstream.

use serde_json::{Map, Value, json};

use crate::support::agent::Agent;
use crate::support::operations;
use crate::support::setup::Setup;
use crate::support::upstream::Upstream;

/// A server whose upstream must not be asked.
struct Refusing {
    agent: Agent,
    upstream: Upstream,
}

impl Refusing {
    async fn start() -> Self {
        let upstream = Upstream::saying(json!({"id": "never"})).await;
        Self { agent: Setup::against(&upstream.base_url()).agent().await, upstream }
    }

    /// The problems of a call that is refused.
    async fn problems(&self, tool: &str, arguments: Value) -> Vec<Value> {
        let shown = arguments.to_string();
        let error = self.agent.error(tool, arguments).await;
        assert_eq!(error["kind"], "invalid_input", "{shown}");
        assert_eq!(error["retryable"], false);
        assert_eq!(error.get("request_id"), None, "nothing was sent");
        error["problems"].as_array().unwrap().clone()
    }

    /// The names that a refusal gives, in its order.
    async fn wrong(&self, tool: &str, arguments: Value) -> Vec<String> {
        let problems = self.problems(tool, arguments).await;
        problems.iter().map(|problem| problem["field"].as_str().unwrap().to_owned()).collect()
    }

    async fn nothing_was_sent(&self) {
        assert_eq!(self.upstream.count().await, 0);
    }
}

fn customer() -> Map<String, Value> {
    let customer = json!({
        "action": "create", "first_name": "Ada", "last_name": "Byron", "email": "ada@example.com",
    });
    customer.as_object().unwrap().clone()
}

/// The good customer with some arguments set differently.
fn customer_with(changes: &Value) -> Value {
    let mut customer = customer();
    customer.extend(changes.as_object().unwrap().clone());
    Value::Object(customer)
}

/// All nine operations, and the one form of them that has more arguments.
fn every_form() -> Vec<operations::Operation> {
    let mut all = operations::all();
    all.push(operations::create_with_external_id());
    all
}

#[tokio::test]
async fn many_forms_of_them() {
    let server = Refusing::start().await;
    let mut shown = Map::new();
    let cases = [
        ("no action", "manage_customers", json!({})),
        ("action null", "manage_customers", json!({"action": null})),
        ("action of the wrong type", "manage_customers", json!({"action": 7})),
        ("action nearly right", "manage_customers", json!({"action": "lst", "pages": 1})),
        ("action of another tool", "manage_bank_accounts", json!({"action": "start"})),
        ("nothing but the action", "manage_bank_accounts", json!({"action": "create"})),
        (
            "extra and nearly right",
            "manage_customers",
            json!({"action": "get", "customer_id": "c", "customerid": "c", "zzz": 1}),
        ),
        (
            "of another action",
            "manage_customers",
            json!({"action": "get", "customer_id": "c", "first_name": "Ada", "page": 1}),
        ),
        (
            "wrong types",
            "manage_customers",
            json!({"action": "list", "page": "two", "page_size": 1.5, "external_id": 7}),
        ),
        ("out of range", "manage_customers", json!({"action": "list", "page": 0, "page_size": 101})),
        (
            "wrong values",
            "manage_customers",
            json!({"action": "create", "first_name": " ", "last_name": "a\nb",
            "email": "nope", "company_name": "x".repeat(256), "phone": "0612345678", "external_id": "a\u{202E}b"}),
        ),
        (
            "wrong account",
            "manage_bank_accounts",
            json!({"action": "create", "customer_id": "../x", "iban": "FR7630006000011234567890188",
            "holder_name": {}, "bic": "BNPA", "currency": "XXX"}),
        ),
        (
            "wrong verification",
            "verify_identity",
            json!({"action": "start", "customer_id": [], "provider_id": "a b", "expected_name": "\u{0}"}),
        ),
    ];
    for (name, tool, arguments) in cases {
        let answer = server.agent.call(tool, arguments).await;
        assert_eq!(answer.kind(), "invalid_input");
        shown.insert(name.to_owned(), answer.redacted());
    }
    insta::assert_json_snapshot!(shown);
    server.nothing_was_sent().await;
}

/// What a person would have to correct is in the examples: each of them is accepted as it stands.
#[tokio::test]
async fn every_example_is_a_right_value() {
    let server = Refusing::start().await;
    for operation in every_form() {
        let mut wrong = operation.arguments.as_object().unwrap().clone();
        for (name, value) in &mut wrong {
            if name != "action" {
                *value = json!([]);
            }
        }
        let mut corrected = wrong.clone();
        for problem in server.problems(operation.tool, Value::Object(wrong)).await {
            corrected.insert(problem["field"].as_str().unwrap().to_owned(), problem["example"].clone());
        }
        server.nothing_was_sent().await;
        let looked_for = operation.writes() && corrected.contains_key("external_id");
        let body = json!({"id": "x", "data": []});
        server.upstream.now_answering(wiremock::ResponseTemplate::new(200).set_body_json(body)).await;
        server.agent.good(operation.tool, Value::Object(corrected)).await;
        let sent = server.upstream.count().await;
        assert_eq!(sent, 1 + usize::from(looked_for), "{}: the corrected call is sent", operation.name);
        server.upstream.now_answering(wiremock::ResponseTemplate::new(500)).await;
    }
}

#[tokio::test]
async fn every_required_argument_is_asked_for() {
    let server = Refusing::start().await;
    let required = [
        ("manage_customers", "create", vec!["first_name", "last_name", "email"]),
        ("manage_customers", "get", vec!["customer_id"]),
        ("manage_bank_accounts", "list", vec!["customer_id"]),
        ("manage_bank_accounts", "create", vec!["customer_id", "iban", "holder_name"]),
        ("manage_bank_accounts", "get", vec!["customer_id", "account_id"]),
        ("verify_identity", "start", vec!["customer_id"]),
        ("verify_identity", "get", vec!["customer_id", "verification_id"]),
        ("verify_identity", "list", vec!["customer_id"]),
        ("verify_identity", "dossier", vec!["customer_id"]),
    ];
    for (tool, action, names) in required {
        for empty in [None, Some(Value::Null), Some(json!(""))] {
            let mut arguments = Map::from_iter([("action".to_owned(), json!(action))]);
            if let Some(empty) = &empty {
                arguments.extend(names.iter().map(|name| ((*name).to_owned(), empty.clone())));
            }
            assert_eq!(
                server.wrong(tool, Value::Object(arguments)).await,
                names,
                "{tool} {action} {empty:?}"
            );
        }
    }
    server.nothing_was_sent().await;
}

#[tokio::test]
async fn every_argument_is_refused_in_each_wrong_type() {
    let server = Refusing::start().await;
    for operation in every_form() {
        let good = operation.arguments.as_object().unwrap();
        for (name, value) in good.iter().filter(|(name, _)| *name != "action") {
            let for_numbers = [json!("7"), json!("seven"), json!(1.5), json!(1e300), json!(-1)];
            let for_texts = [json!(7), json!(0.5), json!(1e300), json!(false)];
            let own = if value.is_number() { for_numbers.as_slice() } else { &for_texts };
            for wrong in own.iter().chain(&[json!(true), json!([]), json!(["a"]), json!({}), json!({"a": 1})])
            {
                let mut arguments = good.clone();
                arguments.insert(name.clone(), wrong.clone());
                let fields = server.wrong(operation.tool, Value::Object(arguments)).await;
                assert_eq!(fields, [name.as_str()], "{} {name} {wrong}", operation.name);
            }
        }
    }
    server.nothing_was_sent().await;
}

#[tokio::test]
async fn every_problem_is_told_at_once() {
    let server = Refusing::start().await;
    let mut fields = server
        .wrong(
            "manage_bank_accounts",
            json!({"action": "create", "customer_id": "a/b", "iban": 5, "account_id": "acc_1", "holdr_name": "A",
                "bic": "?", "currency": "EURO", "extra": null}),
        )
        .await;
    fields.sort();
    let wrong =
        ["account_id", "bic", "currency", "customer_id", "extra", "holder_name", "holdr_name", "iban"];
    assert_eq!(fields, wrong);
    server.nothing_was_sent().await;
}

#[tokio::test]
async fn over_long_texts_are_refused_at_256_characters() {
    let server = Refusing::start().await;
    for name in ["first_name", "last_name", "company_name", "external_id"] {
        for long in ["é".repeat(256), "x".repeat(100_000)] {
            assert_eq!(server.wrong("manage_customers", customer_with(&json!({name: long}))).await, [name]);
        }
    }
    let email = format!("{}@example.com", "a".repeat(300));
    assert_eq!(server.wrong("manage_customers", customer_with(&json!({"email": email}))).await, ["email"]);
    server.nothing_was_sent().await;
    let body = json!({"id": "new", "data": []});
    server.upstream.now_answering(wiremock::ResponseTemplate::new(200).set_body_json(body)).await;
    let longest = customer_with(&json!({"first_name": "é".repeat(255), "external_id": "x".repeat(255)}));
    server.agent.good("manage_customers", longest).await;
    let [look_up, create] = &server.upstream.requests().await[..] else { panic!("a look-up and a write") };
    assert_eq!(look_up.url.query_pairs().last().unwrap().1, "x".repeat(255));
    assert_eq!(create.body_json::<Value>().unwrap()["first_name"], "é".repeat(255));
}

/// An unknown name may be anything: it is quoted back short and without hidden characters.
#[tokio::test]
async fn an_unknown_name_is_quoted_safely() {
    let server = Refusing::start().await;
    let names = ["x".repeat(5000), "a\u{202E}b\n\u{0}c".to_owned(), String::new()];
    for name in names {
        let fields = server.wrong("manage_customers", json!({"action": "list", name: 1})).await;
        assert!(fields[0].chars().count() <= 64);
        assert!(!fields[0].chars().any(|c| c.is_control() || c == '\u{202E}'), "{fields:?}");
    }
    server.nothing_was_sent().await;
}

/// Strict clients send every property of the schema, as null or as an empty text.
#[tokio::test]
async fn null_and_empty_mean_absent_where_nothing_is_required() {
    let server = Refusing::start().await;
    for (number, empty) in [Value::Null, json!("")].into_iter().enumerate() {
        let tools = server.agent.client.list_all_tools().await.unwrap();
        for operation in operations::all() {
            let tool = tools.iter().find(|tool| tool.name == operation.tool).unwrap();
            let mut everything = Map::new();
            for name in json!(tool.input_schema)["properties"].as_object().unwrap().keys() {
                everything.insert(name.clone(), empty.clone());
            }
            everything.extend(operation.another(number).as_object().unwrap().clone());
            let plain = wiremock::ResponseTemplate::new(200).set_body_json(operation.plain_answer());
            server.upstream.now_answering(plain).await;
            server.agent.good(operation.tool, Value::Object(everything)).await;
            assert_eq!(server.upstream.count().await, 1, "{}", operation.name);
        }
    }
    let optional = ["company_name", "phone", "external_id"];
    let empties = Map::from_iter(optional.map(|name| (name.to_owned(), json!(""))));
    let created = wiremock::ResponseTemplate::new(201).set_body_json(json!({"id": "new"}));
    server.upstream.now_answering(created).await;
    server.agent.good("manage_customers", customer_with(&Value::Object(empties))).await;
    let body: Value = server.upstream.requests().await[0].body_json().unwrap();
    assert_eq!(body, json!({"first_name": "Ada", "last_name": "Byron", "email": "ada@example.com"}));
}

/// 2.0 is an integer in JSON Schema, and some clients send it so.
#[tokio::test]
async fn a_whole_number_may_be_written_with_a_point() {
    let server = Refusing::start().await;
    let list = wiremock::ResponseTemplate::new(200).set_body_json(json!({"data": []}));
    server.upstream.now_answering(list).await;
    server.agent.good("manage_customers", json!({"action": "list", "page": 2.0})).await;
    assert_eq!(server.upstream.requests().await[0].url.query(), Some("page%5Bnumber%5D=2&page%5Bsize%5D=20"));
}
