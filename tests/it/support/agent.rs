//! An MCP client as an agent's host has one, over whichever transport; it checks every result that it gets.

use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{IntoTransport, StreamableHttpClientTransport};
use rmcp::{ServiceError, ServiceExt};
use serde_json::{Value, json};

use super::contract::{Answer, Contract};
use super::http_server::http;
use super::in_time;
use super::process::Process;

/// A connected client.
pub(crate) struct Agent {
    pub(crate) client: RunningService<RoleClient, ()>,
    contract: Contract,
    /// The server, where it lives and dies with this client.
    pub(crate) process: Option<Process>,
}

impl Agent {
    /// Shakes hands and reads the list of tools.
    pub(crate) async fn connect<E, A>(transport: impl IntoTransport<RoleClient, E, A>) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let client = in_time(().serve(transport)).await.unwrap();
        let tools = in_time(client.list_all_tools()).await.unwrap();
        let tools: Vec<Value> = tools.iter().map(|tool| json!(tool)).collect();
        Self { client, contract: Contract::of(&tools), process: None }
    }

    /// Starts a server of its own on standard input and output.
    pub(crate) async fn on_stdio(mut process: Process) -> Self {
        let agent = Self::connect(process.pipes()).await;
        Self { process: Some(process), ..agent }
    }

    /// Connects to a server over Streamable HTTP.
    pub(crate) async fn over_http(address: &str) -> Self {
        let config = StreamableHttpClientTransportConfig::with_uri(address);
        Self::connect(StreamableHttpClientTransport::with_client(http(), config)).await
    }

    /// Calls a tool. The result has kept the contract when this returns.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Answer {
        let result = self.try_call(tool, arguments).await.unwrap();
        self.contract.check(tool, &result)
    }

    /// Calls a tool, perhaps in vain.
    pub(crate) async fn try_call(&self, tool: &str, arguments: Value) -> Result<Value, ServiceError> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        // On the heap: the futures of rmcp are large.
        in_time(Box::pin(self.client.call_tool(request))).await.map(|result| json!(result))
    }

    /// Calls a tool that must succeed.
    pub(crate) async fn good(&self, tool: &str, arguments: Value) -> Value {
        self.call(tool, arguments).await.good()
    }

    /// Calls a tool that must fail.
    pub(crate) async fn error(&self, tool: &str, arguments: Value) -> Value {
        self.call(tool, arguments).await.error()
    }
}
