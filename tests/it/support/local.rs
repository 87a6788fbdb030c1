//! The way of a call without a process: calls, tools and client as the server has them. For tests that need
//! thousands of calls.

use std::sync::Arc;
use std::time::Duration;

use fintecture_mcp::calls::{self, Approvals, Caller, Calls, CallsConfig};
use fintecture_mcp::capability::{Capabilities, Source};
use fintecture_mcp::domain::{Environment, Scopes};
use fintecture_mcp::fintecture::{Application, Client, ClientConfig, Credentials, Fintecture};
use fintecture_mcp::sealing::Sealer;
use fintecture_mcp::secret::Secret;
use fintecture_mcp::simulator::{self, Faults, Simulator, SimulatorConfig};
use fintecture_mcp::tools::{self, Tools};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::contract::{Answer, Contract};
use super::setup::TOKEN;

/// A server without a transport. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    calls: Arc<Calls>,
    contract: Arc<Contract>,
}

impl Local {
    /// Shows a static token to an upstream.
    pub(crate) fn with_token(base_url: &str, timeout: Duration) -> Self {
        Self::new(base_url, Credentials::Token(Secret::fixed(TOKEN)), timeout)
    }

    /// Fetches tokens from the upstream's own token endpoint.
    pub(crate) fn with_application(base_url: &str, timeout: Duration) -> Self {
        let application = Application {
            id: "app".to_owned(),
            secret: Secret::fixed("canary-app-secret"),
            token_url: format!("{base_url}/oauth/accesstoken").parse().unwrap(),
            scope: "PIS".to_owned(),
        };
        Self::new(base_url, Credentials::Application(application), timeout)
    }

    /// Shows a static token to an upstream, and treats calls like this.
    pub(crate) fn with_config(base_url: &str, config: CallsConfig) -> Self {
        Self::of(base_url, Credentials::Token(Secret::fixed(TOKEN)), Duration::from_secs(10), config)
    }

    fn new(base_url: &str, credentials: Credentials, timeout: Duration) -> Self {
        Self::of(base_url, credentials, timeout, CallsConfig::default())
    }

    fn of(base_url: &str, credentials: Credentials, timeout: Duration, config: CallsConfig) -> Self {
        let tools = tools_with(base_url, credentials, timeout, Environment::Sandbox);
        let listed: Vec<Value> = fintecture_mcp::mcp::wire_tools(&tools.list(Scopes::ALL))
            .iter()
            .map(|tool| json!(tool))
            .collect();
        Self { calls: Arc::new(calls_with(tools, config)), contract: Arc::new(Contract::of(&listed)) }
    }

    /// Calls a tool. The answer has kept the contract when this returns.
    pub(crate) async fn call(&self, tool: &str, arguments: &Value) -> Answer {
        self.call_as(&Caller::local(), tool, arguments).await
    }

    /// The same, as this caller.
    pub(crate) async fn call_as(&self, caller: &Caller, tool: &str, arguments: &Value) -> Answer {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        // On the heap: thousands of these futures wait at the same time.
        let answer = Box::pin(self.calls.call(caller, tool, arguments.clone())).await;
        let calls::Answer::Reply(reply) = answer else { panic!("nobody can be asked here") };
        self.contract.check_body(tool, &reply.body, reply.is_error)
    }
}

/// The tools before this upstream.
pub(crate) fn tools(base_url: &str, timeout: Duration, environment: Environment) -> Tools {
    tools_with(base_url, Credentials::Token(Secret::fixed(TOKEN)), timeout, environment)
}

fn tools_with(
    base_url: &str,
    credentials: Credentials,
    timeout: Duration,
    environment: Environment,
) -> Tools {
    let capabilities = Arc::new(Capabilities::load(&Source::BuiltIn, &tools::needs()).unwrap());
    let config = ClientConfig {
        base_url: base_url.parse().unwrap(),
        credentials,
        signer: None,
        timeout,
        requests_per_second: None,
        ca_file: None,
    };
    let client = Client::new(config).unwrap();
    let fintecture = Arc::new(Fintecture::new(client, Arc::clone(&capabilities)));
    Tools::new(&capabilities, fintecture, environment, false)
}

/// The way in to tools where no person can be asked.
pub(crate) fn calls_without_pages(tools: Tools) -> Calls {
    calls_with(tools, CallsConfig::default())
}

fn calls_with(tools: Tools, config: CallsConfig) -> Calls {
    let stopping = CancellationToken::new();
    let (approvals, sealer) = (Approvals::without_page(), Arc::new(Sealer::random().unwrap()));
    Calls::new(Arc::new(tools), approvals, sealer, config, stopping)
}

/// A simulator in this process that fails as it is told.
pub(crate) async fn failing_simulator(faults: &[&str], seed: u64) -> Simulator {
    let faults = Faults::parse(faults.iter().copied(), seed).unwrap();
    local_simulator(SimulatorConfig { faults, ..SimulatorConfig::default() }).await
}

/// A simulator in this process.
pub(crate) async fn local_simulator(config: SimulatorConfig) -> Simulator {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    simulator::start(listener, config).unwrap()
}
