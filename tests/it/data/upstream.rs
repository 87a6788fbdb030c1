//! An upstream that knows one record of each kind, full of values that nobody sent.

use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use super::fields::{record, results};

/// The customer whom it refuses, in words of its own.
pub(super) const REFUSED: &str = "cus_q0refused";

pub(super) fn answer(request: &Request) -> ResponseTemplate {
    let is_write = request.method == "POST";
    let path: Vec<&str> = request.url.path().trim_start_matches('/').split('/').skip(1).collect();
    let (record, is_list) = match path[..] {
        ["customers"] => (record("customer", None), !is_write),
        ["customers", REFUSED] => return refusal(),
        ["customers", id] => (record("customer", Some(id)), false),
        ["customers", _, "bank-accounts"] => (record("bank account", None), !is_write),
        ["customers", _, "bank-accounts", id] => (record("bank account", Some(id)), false),
        ["customers", _, "verification"] => (record("verification", None), false),
        ["customers", _, "verification", id] => (record("verification", Some(id)), false),
        ["customers", _, "verifications"] => (record("verification", None), true),
        _ => panic!("nobody asks for {}", request.url),
    };
    let status = if is_write { 201 } else { 200 };
    ResponseTemplate::new(status).set_body_json(if is_list { list(&record) } else { record })
}

fn list(record: &Value) -> Value {
    let [count, links] = ["meta.count", "links"].map(value);
    json!({"data": [record], "meta": {"count": count}, "links": {"next": links}})
}

fn refusal() -> ResponseTemplate {
    ResponseTemplate::new(422).set_body_json(json!({"errors": [{"detail": value("detail")}]}))
}

fn value(name: &str) -> Value {
    results().into_iter().find(|field| field.name == name).unwrap().value
}
