//! The result of a call, from the upstream's record to the bytes of the answer.

use divan::Bencher;
use fintecture_mcp::calls::mask;
use fintecture_mcp::domain::Environment;
use fintecture_mcp::tools::{Fields, envelope};
use rmcp::model::CallToolResult;
use serde_json::{Value, json};

/// A customer as the upstream sends one: about 0.3 kB.
fn customer() -> Value {
    json!({
        "id": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "first_name": "Ada", "last_name": "Byron",
        "email": "ada.byron@example.com", "phone": "+33612345678", "company_name": "Byron SAS", "external_id": "crm-1",
        "status": "active", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z",
    })
}

fn result(records: usize) -> Value {
    let (member, records) = match records {
        1 => ("customer", customer()),
        _ => ("customers", (0..records).map(|_| customer()).collect()),
    };
    envelope("get", Environment::Sandbox, Fields::from_iter([(member.to_owned(), records)]))
}

/// One customer, and the longest page.
#[divan::bench(args = [1, 100])]
fn masked(bencher: Bencher<'_, '_>, records: usize) {
    bencher.with_inputs(|| result(records)).bench_refs(mask);
}

/// As structured content and as text.
#[divan::bench(args = [1, 100])]
fn encoded(bencher: Bencher<'_, '_>, records: usize) {
    let encode = |result| serde_json::to_vec(&CallToolResult::structured(result)).unwrap();
    bencher.with_inputs(|| result(records)).bench_values(encode);
}
