//! What the server says of itself, its lists, and the way from `tools/call` to a result.

use std::sync::Arc;

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams,
    CompleteRequestParams, CompleteResult, CustomRequest, CustomResult, ErrorCode, GetPromptRequestParams,
    GetPromptResponse, GetSkillRequestParams, GetSkillResult, GetTaskParams, GetTaskResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListSkillsResult, ListToolsResult,
    MetaObject, PaginatedRequestParams, ProtocolVersion, ReadResourceDirectoryRequestParams,
    ReadResourceDirectoryResult, ReadResourceRequestParams, ReadResourceResponse, ServerConfig, Tool,
    UpdateTaskParams,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, Value, json};

use super::about::describe;
use super::asking::Seals;
use super::caller::{self, BroughtAlong, Calling};
use super::lists::Lists;
use super::{completion, links, prompts, refusal, resources, skills, tasks};
use crate::calls::{Answer, Caller, Calls, Completions, Reply};
use crate::domain::{Principal, Scopes};
use crate::sealing::Sealer;
use crate::tools::ToolError;

/// How long a client may keep a list, in milliseconds: what it lists does not change while the server runs.
const LIST_TTL_MS: u64 = 300_000;
/// Where a result names the server that made it.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// Whose word counts under `--confirm-writes always` when a client says what its person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormsCount {
    /// Of every client: there is one, and it is the person's own.
    OfAll,
    /// Of a client that a token names.
    OfAuthenticated,
    /// Of none: another person than the one who asks must approve.
    OfNone,
}

impl FormsCount {
    /// Whether that of a client with this principal does.
    pub(super) fn of(self, principal: &Principal) -> bool {
        match self {
            Self::OfAll => true,
            Self::OfAuthenticated => principal.is_authenticated,
            Self::OfNone => false,
        }
    }
}

/// The MCP server; cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct Server(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    calls: Arc<Calls>,
    completions: Completions,
    lists: Lists,
    config: ServerConfig,
    seals: Arc<Seals>,
    forms_count: FormsCount,
    /// What clients may show beside results, as HTML.
    card: String,
    /// `_meta` of results at 2026-07-28, where no handshake has told the client who answers.
    identity: MetaObject,
}

impl Server {
    /// A server whose instructions are `words`, with a notice where it plays with made-up data. `states` seals
    /// questions, for all who share the store, which knows which were answered. `card` is HTML.
    #[must_use]
    pub fn new(
        calls: Arc<Calls>,
        completions: Completions,
        states: Sealer,
        words: &str,
        forms_count: FormsCount,
        card: String,
    ) -> Self {
        let seals = Arc::new(Seals::new(states, calls.store().clone()));
        let config = describe(calls.tools().environment(), words);
        let identity = MetaObject(Map::from_iter([(SERVER_INFO.to_owned(), json!(config.server_info))]));
        let lists = Lists::default();
        Self(Arc::new(Inner { calls, completions, lists, config, seals, forms_count, card, identity }))
    }

    /// The calls that it stands before.
    pub(super) fn calls(&self) -> &Arc<Calls> {
        &self.0.calls
    }

    /// `_meta` of results at 2026-07-28.
    pub(super) fn identity(&self) -> &MetaObject {
        &self.0.identity
    }

    /// Who makes a request that asks no person anything.
    fn caller(&self, context: &RequestContext<RoleServer>) -> Caller {
        caller::of(context, BroughtAlong::default(), &self.0.seals, self.0.forms_count).caller
    }

    /// Counts a request that is no call, and yet one that is answered: who is over a limit is told so.
    async fn arrives(&self, context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.0.calls.arrives(&self.caller(context)).await.map_err(|over| refusal::of_error(&over))
    }

    /// The tools as somebody with these rights sees them.
    fn tools(&self, scopes: Scopes) -> Arc<[Tool]> {
        self.0.lists.of(self.0.calls.tools(), scopes)
    }

    /// A reply as the result of this principal's tool call about this customer.
    fn result(
        &self,
        context: &RequestContext<RoleServer>,
        principal: &Principal,
        customer_id: Option<&str>,
        reply: Reply,
    ) -> CallToolResult {
        let links = if links::are_taken(context) && !reply.is_error {
            links::of(&self.0.calls, principal, customer_id, &reply.body)
        } else {
            Vec::new()
        };
        let mut result = if reply.is_error {
            CallToolResult::structured_error(reply.body)
        } else {
            CallToolResult::structured(reply.body)
        };
        result.content.extend(links);
        result.with_meta(self.identity_for(context))
    }

    fn identity_for(&self, context: &RequestContext<RoleServer>) -> Option<MetaObject> {
        let stateless = context.protocol_version()? >= ProtocolVersion::V_2026_07_28;
        stateless.then(|| self.0.identity.clone())
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        self.0.config.clone()
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools(Scopes::ALL).iter().find(|tool| tool.name == name).cloned()
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.arrives(&context).await?;
        let scopes = caller::principal(&context).scopes;
        let mut list = ListToolsResult::with_all_items(self.tools(scopes).to_vec());
        list.meta = self.identity_for(&context);
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if !self.0.calls.tools().has(&request.name) {
            self.arrives(&context).await?;
            let tools = self.tools(caller::principal(&context).scopes);
            let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
            return Err(ErrorData::invalid_params(ToolError::no_such_tool(&names).message, None));
        }
        let brought = BroughtAlong { responses: request.input_responses, state: request.request_state };
        let Calling { caller, stateless } = caller::of(&context, brought, &self.0.seals, self.0.forms_count);
        let arguments = request.arguments.unwrap_or_default();
        let customer_id = arguments.get("customer_id").and_then(Value::as_str).map(str::to_owned);
        // In a place of its own: rmcp's tasks have room for the greatest of these futures, a session's for its whole life.
        match Box::pin(self.0.calls.call(&caller, &request.name, arguments)).await {
            Answer::Reply(reply) => {
                Ok(self.result(&context, &caller.principal, customer_id.as_deref(), reply).into())
            }
            Answer::Task(task) => {
                let mut created = tasks::created(&task);
                created.meta = self.identity_for(&context);
                Ok(created.into())
            }
            Answer::Asked => {
                let mut question = stateless
                    .and_then(|stateless| stateless.take_question())
                    .ok_or_else(|| ErrorData::internal_error("a question got lost", None))?;
                question.meta = self.identity_for(&context);
                Ok(question.into())
            }
        }
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let caller = self.caller(&context);
        let task = Box::pin(self.0.calls.task(&caller, request.task_id)).await.map_err(tasks::refused)?;
        let customer_id = task.customer_id.clone();
        let result = |reply| self.result(&context, &caller.principal, Some(&customer_id), reply);
        let mut state = tasks::state(task, result)?;
        state.meta = self.identity_for(&context);
        Ok(state)
    }

    /// No task of ours ever asks its client for anything, so whatever it brings is acknowledged and left aside.
    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.0.calls.knows_task(&self.caller(&context), &request.task_id).await.map_err(tasks::refused)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.0.calls.cancel_task(&self.caller(&context), &request.task_id).await.map_err(tasks::refused)
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.arrives(&context).await?;
        let scopes = caller::principal(&context).scopes;
        let prompts = prompts::list(self.0.calls.tools().prompts(), scopes);
        let mut list = ListPromptsResult::with_all_items(prompts);
        list.meta = self.identity_for(&context);
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        refusal::catch(async {
            self.arrives(&context).await?;
            let arguments = request.arguments.unwrap_or_default();
            let (prompts, scopes) = (self.0.calls.tools().prompts(), caller::principal(&context).scopes);
            let mut result = prompts::get(prompts, scopes, &request.name, &arguments)?;
            result.meta = self.identity_for(&context);
            Ok(result.into())
        })
        .await
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        refusal::catch(async {
            let prompts = self.0.calls.tools().prompts();
            let mut caller = self.caller(&context);
            caller.origin.method = "completion/complete";
            let found = completion::complete(&self.0.completions, prompts, &caller, &request).await?;
            let mut result = CompleteResult::new(found);
            result.meta = self.identity_for(&context);
            Ok(result)
        })
        .await
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.arrives(&context).await?;
        let (tools, scopes) = (self.0.calls.tools(), caller::principal(&context).scopes);
        let resources = resources::list(tools, scopes, &self.0.card);
        let mut list = ListResourcesResult::with_all_items(resources);
        list.meta = self.identity_for(&context);
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.arrives(&context).await?;
        let scopes = caller::principal(&context).scopes;
        let mut list = ListResourceTemplatesResult::with_all_items(resources::templates(scopes));
        list.meta = self.identity_for(&context);
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let mut caller = self.caller(&context);
        caller.origin.method = "resources/read";
        refusal::catch(async {
            let resources::Read { mut result, is_fixed } =
                resources::read(&self.0.calls, &caller, &request.uri, &self.0.card).await?;
            result.meta = self.identity_for(&context);
            let ttl = if is_fixed { LIST_TTL_MS } else { 0 };
            Ok(result.with_ttl_ms(ttl).with_cache_scope(CacheScope::Private).into())
        })
        .await
    }

    async fn list_skills(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListSkillsResult, ErrorData> {
        self.arrives(&context).await?;
        let skills = skills::list(self.0.calls.tools(), caller::principal(&context).scopes);
        let mut list = ListSkillsResult::with_all_items(skills);
        list.meta = self.identity_for(&context);
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    async fn get_skill(
        &self,
        request: GetSkillRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetSkillResult, ErrorData> {
        self.arrives(&context).await?;
        let scopes = caller::principal(&context).scopes;
        let skill = skills::get(self.0.calls.tools(), scopes, &request.uri)?;
        let mut result = GetSkillResult::new(skill);
        result.meta = self.identity_for(&context);
        Ok(result.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    async fn read_resource_directory(
        &self,
        request: ReadResourceDirectoryRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceDirectoryResult, ErrorData> {
        self.arrives(&context).await?;
        let scopes = caller::principal(&context).scopes;
        let children = skills::directory(self.0.calls.tools(), scopes, &request.uri)?;
        let mut list = ReadResourceDirectoryResult::with_all_items(children);
        list.meta = self.identity_for(&context);
        Ok(list.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    /// A known method lands here when its params have the wrong shape: say so instead of "method not found".
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        const WITH_PARAMS: [&str; 9] = [
            "completion/complete",
            "tools/call",
            "prompts/get",
            "resources/read",
            "resources/directory/read",
            "skills/get",
            "tasks/get",
            "tasks/update",
            "tasks/cancel",
        ];
        self.arrives(&context).await?;
        if WITH_PARAMS.contains(&request.method.as_str()) {
            let message =
                format!("the params of {} do not have the shape that the protocol asks for", request.method);
            return Err(ErrorData::invalid_params(message, None));
        }
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "there is no such method", None))
    }
}
