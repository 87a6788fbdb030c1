//! A server that is all transport: `echo` answers at once, `slow` waits until it is told, `write` does so even where it is
//! cancelled, `ask` waits for an answer of the client, `panic` never answers.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ElicitRequestParams,
        ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
        ServerCapabilities, ServerConfig, SubscriptionFilter, Tool,
    },
    service::RequestContext,
};
use serde_json::json;
use tokio::sync::Semaphore;

#[derive(Clone)]
pub(crate) struct Dummy(Arc<Signals>);

struct Signals {
    started: Semaphore,
    release: Semaphore,
    cancelled: Semaphore,
    waiting: AtomicUsize,
    most: AtomicUsize,
}

impl Dummy {
    pub(crate) fn new() -> Self {
        let none = || Semaphore::new(0);
        let (waiting, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self(Arc::new(Signals { started: none(), release: none(), cancelled: none(), waiting, most }))
    }

    /// Waits until one more `slow` or `write` runs.
    pub(crate) async fn started(&self) {
        self.0.started.acquire().await.unwrap().forget();
    }

    /// Lets this many of them answer.
    pub(crate) fn release(&self, calls: usize) {
        self.0.release.add_permits(calls);
    }

    /// Waits until one more `slow` was cancelled.
    pub(crate) async fn cancelled(&self) {
        self.0.cancelled.acquire().await.unwrap().forget();
    }

    /// How many `slow`, `write` and `ask` ran at once, at most.
    pub(crate) fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }

    async fn counted(&self, call: impl Future<Output = ()>) {
        self.0.most.fetch_max(self.0.waiting.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        call.await;
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    async fn ask(&self, context: &RequestContext<RoleServer>) {
        let question = ElicitRequestParams::UrlElicitationParams {
            meta: None,
            message: "May I?".to_owned(),
            url: "http://127.0.0.1/".to_owned(),
            elicitation_id: "one".to_owned(),
        };
        tokio::select! {
            answer = context.peer.create_elicitation(question) => assert!(answer.is_ok(), "{answer:?}"),
            () = context.ct.cancelled() => self.0.cancelled.add_permits(1),
        }
    }

    async fn write(&self) {
        self.0.started.add_permits(1);
        self.0.release.acquire().await.unwrap().forget();
    }

    async fn slow(&self, context: &RequestContext<RoleServer>) {
        self.0.started.add_permits(1);
        tokio::select! {
            released = self.0.release.acquire() => released.unwrap().forget(),
            () = context.ct.cancelled() => self.0.cancelled.add_permits(1),
        }
    }
}

impl ServerHandler for Dummy {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(
            ServerCapabilities::builder().enable_tools().enable_prompts().enable_resources().build(),
        )
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = ["echo", "ask", "panic", "slow", "write"];
        Ok(ListToolsResult::with_all_items(tools.iter().filter_map(|name| self.get_tool(name)).collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let schema = json!({"type": "object", "properties": {"text": {"type": "string"}}});
        let is_known = matches!(name, "ask" | "echo" | "panic" | "slow" | "write");
        is_known.then(|| Tool::new(name.to_owned(), "for tests", schema.as_object().unwrap().clone()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match request.name.as_ref() {
            "ask" => self.counted(self.ask(&context)).await,
            "slow" => self.counted(self.slow(&context)).await,
            "write" => self.counted(self.write()).await,
            "panic" => panic!("the test asked for it"),
            _ => {}
        }
        let by_http = context.extensions.get::<axum::http::request::Parts>().is_some();
        let text = json!({"arguments": request.arguments, "by_http": by_http}).to_string();
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        Err(ErrorData::resource_not_found("no such resource", Some(json!({"uri": request.uri}))))
    }
}
