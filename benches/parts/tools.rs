//! The list of tools: put together once for each set of rights, and written for each `tools/list`.

use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use fintecture_mcp::capability::{Capabilities, Source};
use fintecture_mcp::domain::{Environment, Scopes};
use fintecture_mcp::fintecture::{Client, ClientConfig, Credentials, Fintecture};
use fintecture_mcp::mcp::wire_tools;
use fintecture_mcp::secret::Secret;
use fintecture_mcp::tools::{self, Tools};
use rmcp::model::ListToolsResult;

/// The tools before an upstream that nobody asks.
pub(crate) fn tools() -> Tools {
    let capabilities = Arc::new(Capabilities::load(&Source::BuiltIn, &tools::needs()).unwrap());
    let client = Client::new(ClientConfig {
        base_url: "http://127.0.0.1:9".parse().unwrap(),
        credentials: Credentials::Token(Secret::fixed("token-of-the-bench")),
        signer: None,
        timeout: Duration::from_secs(1),
        requests_per_second: None,
        ca_file: None,
    });
    let fintecture = Arc::new(Fintecture::new(client.unwrap(), Arc::clone(&capabilities)));
    Tools::new(&capabilities, fintecture, Environment::Sandbox, false)
}

/// What a caller with rights that nobody had before waits for.
#[divan::bench]
fn built(bencher: Bencher<'_, '_>) {
    let tools = tools();
    bencher.bench(|| wire_tools(&tools.list(Scopes::ALL)));
}

/// What everybody else waits for.
#[divan::bench]
fn listed(bencher: Bencher<'_, '_>) {
    let built: Arc<[_]> = wire_tools(&tools().list(Scopes::ALL)).into();
    bencher.bench(|| serde_json::to_vec(&ListToolsResult::with_all_items(built.to_vec())).unwrap());
}
