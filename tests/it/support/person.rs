//! A client with a person behind it who answers as they are told, in either lifecycle.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use rmcp::model::{
    CallToolRequestParams, CancelledNotificationParam, ClientCapabilities, ClientConfig, ElicitRequestParams,
    ElicitResult, ElicitationAction, ElicitationCapability, FormElicitationCapability, Implementation,
    ProtocolVersion, UrlElicitationCapability,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt, NotificationContext, RequestContext, RoleClient, RunningService,
    ServiceError,
};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{IntoTransport, StreamableHttpClientTransport};
use rmcp::{ClientHandler, ErrorData};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::contract::{Answer, Contract};
use super::http_server::{HttpServer, http};
use super::in_time;
use super::legacy_sse;
use super::process::Process;
use super::setup::Setup;

/// What a person does with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// Ticks the box and submits; or opens the page.
    Agrees,
    /// Submits the form as it is.
    SubmitsUnticked,
    /// Submits the form without the field.
    SubmitsNothing,
    Declines,
    Dismisses,
    /// Never answers.
    Sleeps,
    /// The client fails to ask.
    Breaks,
}

/// How the client can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Can {
    /// The capability without a mode, as it was before there were two.
    Ask,
    Forms,
    Pages,
    Both,
}

/// Which lifecycle the client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    Handshake,
    Stateless,
}

/// The person, and what they were asked.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    can: Can,
    does: Arc<Mutex<VecDeque<Does>>>,
    asked: Arc<Mutex<Vec<Value>>>,
    was_asked: Arc<Notify>,
    was_taken_back: Arc<Notify>,
}

/// A connected client with its person.
pub(crate) struct Someone {
    pub(crate) client: RunningService<RoleClient, Person>,
    pub(crate) person: Person,
    contract: Contract,
    pub(crate) process: Option<Process>,
}

impl Person {
    /// One who answers so, question by question.
    pub(crate) fn who(can: Can, does: &[Does]) -> Self {
        let does = Arc::new(Mutex::new(does.iter().copied().collect()));
        Self { can, does, asked: Arc::default(), was_asked: Arc::default(), was_taken_back: Arc::default() }
    }

    /// The questions so far, as the protocol put them.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits for the next question.
    pub(crate) async fn is_asked(&self) -> Value {
        in_time(self.was_asked.notified()).await;
        self.asked().pop().unwrap()
    }

    /// Waits until a question is taken back.
    pub(crate) async fn is_left_alone(&self) {
        in_time(self.was_taken_back.notified()).await;
    }

    /// A client on standard input and output, with a server of its own.
    pub(crate) async fn on_stdio(self, setup: &Setup, lifecycle: Lifecycle) -> Someone {
        let mut process = setup.start();
        let pipes = process.pipes();
        let someone = self.connect(pipes, lifecycle).await;
        Someone { process: Some(process), ..someone }
    }

    /// A client over Streamable HTTP.
    pub(crate) async fn over_http(self, server: &HttpServer, lifecycle: Lifecycle) -> Someone {
        let config = StreamableHttpClientTransportConfig::with_uri(server.url("/mcp"));
        self.connect(StreamableHttpClientTransport::with_client(http(), config), lifecycle).await
    }

    /// A client over legacy SSE.
    pub(crate) async fn over_legacy_sse(self, server: &HttpServer, lifecycle: Lifecycle) -> Someone {
        self.connect(legacy_sse::connect(&server.url("/sse")).await, lifecycle).await
    }

    /// A client over this connection.
    pub(crate) async fn connect<E, A>(
        self,
        transport: impl IntoTransport<RoleClient, E, A>,
        lifecycle: Lifecycle,
    ) -> Someone
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let mode = match lifecycle {
            Lifecycle::Handshake => ClientLifecycleMode::Initialize,
            Lifecycle::Stateless => {
                ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
            }
        };
        let client = in_time(self.clone().serve_with_lifecycle(transport, mode)).await.unwrap();
        let tools = in_time(client.list_all_tools()).await.unwrap();
        let tools: Vec<Value> = tools.iter().map(|tool| json!(tool)).collect();
        Someone { client, person: self, contract: Contract::of(&tools), process: None }
    }
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        let form = Some(FormElicitationCapability::default());
        let url = Some(UrlElicitationCapability::default());
        let mut elicitation = ElicitationCapability::default();
        (elicitation.form, elicitation.url) = match self.can {
            Can::Ask => (None, None),
            Can::Forms => (form, None),
            Can::Pages => (None, url),
            Can::Both => (form, url),
        };
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = Some(elicitation);
        ClientConfig::new(capabilities, Implementation::new("someone", "1"))
    }

    async fn on_cancelled(&self, _: CancelledNotificationParam, _: NotificationContext<RoleClient>) {
        self.was_taken_back.notify_one();
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        self.asked.lock().unwrap().push(json!(request));
        self.was_asked.notify_one();
        let does = self.does.lock().unwrap().pop_front().expect("one question more than was thought of");
        let accept = ElicitResult::new(ElicitationAction::Accept);
        Ok(match does {
            Does::Agrees => accept.with_content(json!({ "confirm": true })),
            Does::SubmitsUnticked => accept.with_content(json!({ "confirm": false })),
            Does::SubmitsNothing => accept.with_content(json!({})),
            Does::Declines => ElicitResult::new(ElicitationAction::Decline),
            Does::Dismisses => ElicitResult::new(ElicitationAction::Cancel),
            Does::Sleeps => std::future::pending().await,
            Does::Breaks => return Err(ErrorData::internal_error("no window to ask in", None)),
        })
    }
}

impl Someone {
    /// Calls a tool. The result has kept the contract when this returns.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Answer {
        let result = self.try_call(tool, arguments).await.unwrap();
        self.contract.check(tool, &result)
    }

    /// Calls a tool, perhaps in vain.
    pub(crate) async fn try_call(&self, tool: &str, arguments: Value) -> Result<Value, ServiceError> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        in_time(Box::pin(self.client.call_tool(request))).await.map(|result| json!(result))
    }
}
