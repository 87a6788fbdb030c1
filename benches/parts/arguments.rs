//! The arguments of a call, from their JSON to a request that cannot be wrong.

use divan::Bencher;
use fintecture_mcp::domain::Scopes;
use serde_json::{Map, Value, json};

use crate::tools::tools;

fn parse(bencher: Bencher<'_, '_>, tool: &str, arguments: &Value, is_good: bool) {
    let (tools, text) = (tools(), arguments.to_string());
    let parse = || {
        let arguments: Map<String, Value> = serde_json::from_str(&text).unwrap();
        tools.parse(tool, arguments, Scopes::ALL)
    };
    assert_eq!(parse().is_ok(), is_good);
    bencher.bench(parse);
}

#[divan::bench]
fn of_a_read(bencher: Bencher<'_, '_>) {
    let arguments = json!({"action": "get", "customer_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6"});
    parse(bencher, "manage_customers", &arguments, true);
}

/// With an IBAN, whose check digits are reckoned.
#[divan::bench]
fn of_a_write(bencher: Bencher<'_, '_>) {
    let arguments = json!({
        "action": "create", "customer_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "iban": "fr76 3000 6000 0112 3456 7890 189", "holder_name": "Ada Byron", "bic": "agrifrpp", "currency": "eur",
    });
    parse(bencher, "manage_bank_accounts", &arguments, true);
}

/// With a phone number, which is held against its country's plan.
#[divan::bench]
fn of_a_write_with_a_phone(bencher: Bencher<'_, '_>) {
    let arguments = json!({
        "action": "create", "first_name": "Ada", "last_name": "Byron", "email": "ada@example.com",
        "company_name": "Byron SAS", "phone": "+33 6 12 34 56 78", "external_id": "crm-1",
    });
    parse(bencher, "manage_customers", &arguments, true);
}

/// Every problem is told at once.
#[divan::bench]
fn that_are_wrong(bencher: Bencher<'_, '_>) {
    let arguments = json!({"action": "create", "customer_id": "../x", "iban": "FR00", "holder_nam": "Ada"});
    parse(bencher, "manage_bank_accounts", &arguments, false);
}
