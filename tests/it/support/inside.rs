//! A server in the test's own process: each connection is a principal's, as the gate of a server on a network says.

use std::sync::Arc;
use std::time::Duration;

use fintecture_mcp::calls::{Approvals, Calls, CallsConfig, Completions};
use fintecture_mcp::domain::{Environment, Principal, Scopes};
use fintecture_mcp::mcp::{FormsCount, Server, Short};
use fintecture_mcp::sealing::Sealer;
use fintecture_mcp::transports::{HttpConfig, HttpLimits, serve_http};
use futures_util::{SinkExt, StreamExt};
use rmcp::ServiceExt;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard, PollSender};

use super::agent::Agent;
use super::in_time;
use super::local::tools;

/// The server.
#[derive(Debug, Clone)]
pub(crate) struct Inside(Server);

/// A server on a port of its own. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) url: String,
    _end: DropGuard,
}

/// Somebody with these scopes, such as `customers:read bank-accounts:write`.
pub(crate) fn principal(name: &str, scopes: &str) -> Arc<Principal> {
    Arc::new(Principal::authenticated(name, Scopes::read(scopes).unwrap()))
}

impl Inside {
    /// One before this upstream.
    pub(crate) fn before(base_url: &str, config: CallsConfig) -> Self {
        let sealer = || Sealer::random().unwrap();
        let tools = Arc::new(tools(base_url, Duration::from_secs(10), Environment::Sandbox));
        let stopping = CancellationToken::new();
        let calls =
            Arc::new(Calls::new(tools, Approvals::without_page(), Arc::new(sealer()), config, stopping));
        let completions = Completions::new(Arc::clone(&calls), &["known-bank"]);
        Self(Server::new(calls, completions, sealer(), "", FormsCount::OfAuthenticated, String::new()))
    }

    /// Its short route.
    pub(crate) fn short(&self) -> Short {
        Short::of(&self.0).unwrap()
    }

    /// The same on a port: with its short route, or without.
    pub(crate) async fn listening(&self, has_short: bool) -> Listening {
        self.listening_within(has_short, HttpLimits::default()).await
    }

    /// The same within these limits.
    pub(crate) async fn listening_within(&self, has_short: bool, limits: HttpLimits) -> Listening {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let short = has_short.then(|| self.short());
        let config = HttpConfig { short, limits, ..HttpConfig::default() };
        let shutdown = CancellationToken::new();
        tokio::spawn(serve_http(listener, self.0.clone(), config, shutdown.clone()));
        Listening { url, _end: shutdown.drop_guard() }
    }

    /// The client's end of a connection; `None` is what a server without authentication knows.
    pub(crate) fn connection(
        &self,
        principal: Option<Arc<Principal>>,
    ) -> (PollSender<ClientJsonRpcMessage>, ReceiverStream<ServerJsonRpcMessage>) {
        let (to_server, from_client) = mpsc::channel::<ClientJsonRpcMessage>(64);
        let (to_client, from_server) = mpsc::channel::<ServerJsonRpcMessage>(64);
        let from_client = ReceiverStream::new(from_client).map(move |mut message: ClientJsonRpcMessage| {
            if let Some(principal) = &principal {
                let (mut parts, ()) = http::Request::new(()).into_parts();
                parts.extensions.insert(Arc::clone(principal));
                message.insert_extension(parts);
            }
            message
        });
        let server = self.0.clone();
        tokio::spawn(async move {
            let running = server.serve((PollSender::new(to_client), from_client)).await.unwrap();
            running.waiting().await.unwrap();
        });
        (PollSender::new(to_server), ReceiverStream::new(from_server))
    }

    /// The answer to one request of this principal's, on a connection of its own.
    pub(crate) async fn request(&self, principal: &Arc<Principal>, method: &str, params: Value) -> Value {
        let (mut send, mut receive) = self.connection(Some(Arc::clone(principal)));
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        send.send(serde_json::from_value(request).unwrap()).await.unwrap();
        json!(in_time(receive.next()).await.unwrap())
    }

    /// A client of this principal's.
    pub(crate) async fn agent(&self, principal: &Arc<Principal>) -> Agent {
        Agent::connect(self.connection(Some(Arc::clone(principal)))).await
    }
}

impl Agent {
    /// The names of the tools that are listed, each with its actions.
    pub(crate) async fn offered(&self) -> Vec<(String, Vec<String>)> {
        let tools = in_time(self.client.list_all_tools()).await.unwrap();
        let actions = |tool: &rmcp::model::Tool| {
            let names = tool.input_schema["properties"]["action"]["enum"].as_array().unwrap().clone();
            names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        tools.iter().map(|tool| (tool.name.to_string(), actions(tool))).collect()
    }

    /// What a call comes to, whether its tool is listed or not.
    pub(crate) async fn any(&self, tool: &str, arguments: Value) -> Value {
        self.try_call(tool, arguments).await.unwrap()["structuredContent"].clone()
    }
}
