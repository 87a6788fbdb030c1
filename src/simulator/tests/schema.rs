//! The answers of the API description, as JSON Schema: closed, so that an invented field shows too.

use serde_json::{Value, json};

const SCHEMAS: &str = include_str!("../../../tests/fixtures/customers-api.json");

/// Asserts that a value is what the description calls `name`.
#[track_caller]
pub(super) fn assert_fits(name: &str, value: &Value) {
    let all: Value = serde_json::from_str(SCHEMAS).unwrap();
    assert!(!all["$defs"][name].is_null(), "no schema {name}");
    let schema = json!({ "$ref": format!("#/$defs/{name}"), "$defs": all["$defs"] });
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let problems: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "not a {name}: {problems:?} in {value}");
}

#[test]
fn a_wrong_answer_shows() {
    assert_fits("Customer", &json!({"id": "a", "created_at": "2026-01-05T09:00:00Z"}));
    for wrong in
        [json!({"id": 1}), json!({"phone": null}), json!({"created_at": "today"}), json!({"name": "A"})]
    {
        assert!(std::panic::catch_unwind(|| assert_fits("Customer", &wrong)).is_err(), "{wrong}");
    }
}
