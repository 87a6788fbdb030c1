//! What a principal may do is what they see and what they can call, whichever way they come by it.

use std::sync::Arc;

use fintecture_mcp::calls::{CallsConfig, Confirm};
use fintecture_mcp::domain::Principal;
use fintecture_mcp::simulator::Operation;
use rmcp::model::{CompleteRequestParams, GetPromptRequestParams, ReadResourceRequestParams, Reference};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::agent::Agent;
use crate::support::bank::Bank;
use crate::support::in_time;
use crate::support::inside::{Inside, principal};
use crate::support::operations;
use crate::support::person::{Can, Does, Lifecycle, Person};
use crate::support::simulator::simulator;
use crate::support::upstream::Upstream;
use crate::support::wire::stateless;

const CUSTOMERS: &str = "manage_customers";
const ACCOUNTS: &str = "manage_bank_accounts";
const VERIFY: &str = "verify_identity";

fn masking() -> CallsConfig {
    CallsConfig { masks_personal_data: true, ..CallsConfig::default() }
}

/// What each set of scopes is shown.
#[tokio::test]
async fn tools_and_actions_are_those_that_the_caller_may_call() {
    let simulator = simulator(&[]).await;
    let inside = Inside::before(&simulator.base_url(), CallsConfig::default());
    let all_reads = "customers:read bank-accounts:read verifications:read";
    let cases: [(&str, Value); 6] = [
        ("customers:read", json!([[CUSTOMERS, ["list", "get"]]])),
        (
            "bank-accounts:write verifications:read",
            json!([[ACCOUNTS, ["list", "create", "get"]], [VERIFY, ["get", "list"]]]),
        ),
        ("verifications:write", json!([[VERIFY, ["start", "get", "list"]]])),
        (
            all_reads,
            json!([
                [ACCOUNTS, ["list", "get"]],
                [CUSTOMERS, ["list", "get"]],
                [VERIFY, ["get", "list", "dossier"]]
            ]),
        ),
        (
            "customers:write bank-accounts:write verifications:write",
            json!([
                [ACCOUNTS, ["list", "create", "get"]],
                [CUSTOMERS, ["list", "create", "get"]],
                [VERIFY, ["start", "get", "list", "dossier"]]
            ]),
        ),
        ("approvals:write personal-data:read", json!([])),
    ];
    for (scopes, expected) in cases {
        let agent = inside.agent(&principal("ada", scopes)).await;
        assert_eq!(json!(agent.offered().await), expected, "{scopes}");
    }

    let reader = inside.agent(&principal("ada", all_reads)).await;
    let tools = in_time(reader.client.list_tools(None)).await.unwrap();
    assert_eq!(json!(tools)["cacheScope"], "private");
    for tool in &tools.tools {
        assert_eq!(tool.annotations.as_ref().unwrap().read_only_hint, Some(true), "{}", tool.name);
        let properties = &tool.input_schema["properties"];
        assert!(properties.get("iban").is_none() && properties.get("email").is_none(), "{properties}");
        let actions = properties["action"]["description"].as_str().unwrap();
        assert!(!actions.contains("create: ") && !actions.contains("start: "), "{actions}");
    }
}

#[tokio::test]
async fn a_call_beyond_the_rights_names_what_is_lacking_and_sends_nothing() {
    let upstream = Upstream::saying(json!({"id": "new", "data": []})).await;
    let inside = Inside::before(&upstream.base_url(), CallsConfig::default());
    let nobody = inside.agent(&principal("eve", "approvals:write")).await;
    for operation in operations::all() {
        let body = nobody.any(operation.tool, operation.arguments.clone()).await;
        let error = &body["error"];
        let scope = match (operation.tool, operation.writes()) {
            (CUSTOMERS, false) => "customers:read",
            (CUSTOMERS, true) => "customers:write",
            (ACCOUNTS, false) => "bank-accounts:read",
            (ACCOUNTS, true) => "bank-accounts:write",
            (_, false) => "verifications:read",
            (_, true) => "verifications:write",
        };
        assert_eq!(
            (&error["kind"], &error["scope"]),
            (&json!("insufficient_scope"), &json!(scope)),
            "{body}"
        );
        let outcome = operation.writes().then_some("not_applied");
        assert_eq!(error.get("outcome").and_then(Value::as_str), outcome, "{body}");
        assert_eq!((&error["retryable"], &body["action"]), (&json!(false), &operation.arguments["action"]));
        assert!(error["message"].as_str().unwrap().contains(scope), "{body}");
        assert!(error["hint"].as_str().unwrap().contains("Ask the operator"), "{body}");
    }
    let dossier = json!({"action": "dossier", "customer_id": "cus_1"});
    let some = inside.agent(&principal("bob", "bank-accounts:write")).await;
    let body = some.any(VERIFY, dossier).await;
    assert_eq!(body["error"]["scope"], "customers:read verifications:read");
    // The arguments come first, and an action that is none is told with those that are theirs.
    let body = some.any(ACCOUNTS, json!({"action": "delete"})).await;
    assert_eq!(body["error"]["problems"][0]["message"], "must be one of list, create, get");
    let reader = inside.agent(&principal("cy", "bank-accounts:read")).await;
    let body = reader.any(ACCOUNTS, json!({"action": "create"})).await;
    assert_eq!(body["error"]["kind"], "invalid_input");
    let body = reader.any(ACCOUNTS, json!({"action": "delete"})).await;
    assert_eq!(body["error"]["problems"][0]["message"], "must be one of list, get");
    assert_eq!(upstream.count().await, 0);
    let error = some.try_call("manage_loans", json!({})).await.unwrap_err().to_string();
    assert!(error.contains("the tools are manage_bank_accounts") && !error.contains(CUSTOMERS), "{error}");
}

async fn read(agent: &Agent, uri: &str) -> Result<String, Value> {
    match in_time(agent.client.read_resource(ReadResourceRequestParams::new(uri))).await {
        Ok(read) => Ok(json!(read)["contents"][0]["text"].as_str().unwrap().to_owned()),
        Err(rmcp::ServiceError::McpError(error)) => Err(json!(error)),
        Err(other) => panic!("{other}"),
    }
}

async fn complete(agent: &Agent, uri: &str, argument: &str) -> Vec<String> {
    let request = CompleteRequestParams::new(
        Reference::for_resource(uri),
        serde_json::from_value(json!({"name": argument, "value": ""})).unwrap(),
    );
    in_time(agent.client.complete(request)).await.unwrap().completion.values
}

#[tokio::test]
async fn resources_templates_prompts_and_completion_obey_the_same_scopes() {
    let simulator = simulator(&[]).await;
    let inside = Inside::before(&simulator.base_url(), CallsConfig::default());
    let accounts = inside.agent(&principal("bob", "bank-accounts:read")).await;
    let reader = "customers:read bank-accounts:read verifications:read";
    let reader = inside.agent(&principal("ada", reader)).await;
    let templates = |agent: Agent| async move {
        let listed = in_time(agent.client.list_all_resource_templates()).await.unwrap();
        (listed.iter().map(|template| template.name.clone()).collect::<Vec<_>>(), agent)
    };
    let (names, accounts) = templates(accounts).await;
    assert_eq!(names, ["bank_account"]);
    let (names, reader) = templates(reader).await;
    assert_eq!(names, ["customer", "bank_account", "verification", "dossier"]);

    let customer = "fintecture://customers/sim_cus_ada";
    assert!(read(&reader, customer).await.unwrap().contains("Byron"));
    let error = read(&accounts, customer).await.unwrap_err();
    assert_eq!(error["data"]["error"]["scope"], "customers:read", "{error}");
    assert!(!error.to_string().contains("Byron"));
    let error = read(&accounts, &format!("{customer}/dossier")).await.unwrap_err();
    assert_eq!(error["data"]["error"]["scope"], "customers:read verifications:read");

    // The list that the reader's keys brought is not shown to who may not read it.
    let template = "fintecture://customers/{customer_id}";
    assert!(complete(&reader, template, "customer_id").await.contains(&"sim_cus_ada".to_owned()));
    assert_eq!(complete(&accounts, template, "customer_id").await, Vec::<String>::new());
    assert_eq!(simulator.requests(Operation::ListAllCustomers), 1);

    let prompts = |agent: Agent| async move {
        let listed = in_time(agent.client.list_all_prompts()).await.unwrap();
        (listed.iter().map(|prompt| prompt.name.clone()).collect::<Vec<_>>(), agent)
    };
    assert_eq!(prompts(reader).await.0, ["review_verifications", "explain_verification"]);
    let (names, accounts) = prompts(accounts).await;
    assert_eq!(names, Vec::<String>::new());
    let arguments = json!({"customer_id": "sim_cus_ada"}).as_object().unwrap().clone();
    let asked = GetPromptRequestParams::new("review_verifications").with_arguments(arguments);
    let error = in_time(accounts.client.get_prompt(asked)).await.unwrap_err().to_string();
    assert!(error.contains("customers:read verifications:read"), "{error}");
}

/// A completion asked for by who may not read must not be what reads the list, either.
#[tokio::test]
async fn the_right_is_looked_at_before_the_list_is_read() {
    let simulator = simulator(&[]).await;
    let inside = Inside::before(&simulator.base_url(), CallsConfig::default());
    let accounts = inside.agent(&principal("bob", "bank-accounts:read")).await;
    assert!(complete(&accounts, "fintecture://customers/{customer_id}", "customer_id").await.is_empty());
    assert_eq!(simulator.requests(Operation::ListAllCustomers), 0);
}

#[tokio::test]
async fn masking_is_lifted_for_who_may_read_personal_data_and_for_nobody_else() {
    let iban = "FR7630006000011234567890189";
    let upstream = Upstream::answering(|request: &wiremock::Request| {
        let record =
            json!({"id": "cus_1", "email": "ada.byron@example.com", "iban": "FR7630006000011234567890189"});
        let status = if request.method.as_str() == "POST" { 201 } else { 200 };
        let is_list = request.url.path().ends_with("/customers") && status == 200;
        let odd = json!({"id": "FR7630006000011234567890189"});
        let body = if is_list { json!({"data": [record, odd]}) } else { record };
        ResponseTemplate::new(status).set_body_json(body)
    })
    .await;
    let inside = Inside::before(&upstream.base_url(), masking());
    let both = "customers:write bank-accounts:write verifications:read";
    let full = inside.agent(&principal("ada", &format!("{both} personal-data:read"))).await;
    let masked = inside.agent(&principal("bob", both)).await;
    let get = json!({"action": "get", "customer_id": "cus_1"});
    // In whichever order they come.
    for _ in 0..2 {
        let seen = full.good(CUSTOMERS, get.clone()).await;
        assert_eq!(seen["customer"]["email"], "ada.byron@example.com");
        let seen = masked.good(CUSTOMERS, get.clone()).await;
        assert_eq!(
            (&seen["customer"]["email"], &seen["customer"]["iban"]),
            (&json!("a…@example.com"), &json!("FR76…0189"))
        );
        assert!(read(&full, "fintecture://customers/cus_1").await.unwrap().contains(iban));
        assert!(!read(&masked, "fintecture://customers/cus_1").await.unwrap().contains(iban));
    }
    // One list serves both, and what masking would touch is for those alone who may see it.
    let template = "fintecture://customers/{customer_id}";
    assert_eq!(complete(&masked, template, "customer_id").await, ["cus_1"]);
    assert_eq!(complete(&full, template, "customer_id").await, ["cus_1", iban]);

    // The first outcome of a write is masked for who gets it again without the right, and only for them.
    let create = json!({"action": "create", "customer_id": "cus_1", "iban": iban, "holder_name": "Ada"});
    assert_eq!(full.good(ACCOUNTS, create.clone()).await["bank_account"]["iban"], iban);
    let again = inside.agent(&principal("ada", both)).await;
    let repeated = again.good(ACCOUNTS, create.clone()).await;
    assert_eq!(
        (&repeated["repeated"], &repeated["bank_account"]["iban"]),
        (&json!(true), &json!("FR76…0189"))
    );
    let repeated = full.good(ACCOUNTS, create.clone()).await;
    assert_eq!((&repeated["repeated"], &repeated["bank_account"]["iban"]), (&json!(true), &json!(iban)));
    assert_eq!(
        masked.good(ACCOUNTS, create).await.get("repeated"),
        None,
        "another principal's write is another"
    );
}

#[tokio::test]
async fn a_task_is_its_principals_while_they_have_the_right_and_is_masked_for_each_as_they_may_see() {
    let bank = Bank::undecided().await;
    let inside = Inside::before(&bank.base_url(), masking());
    let of_tasks = |params: Value| {
        let mut params = stateless(params);
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
            json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
        params
    };
    let may = |scopes: &str| principal("ada", scopes);
    let start = json!({"action": "start", "customer_id": "cus_1", "wait_seconds": 300});
    let call = of_tasks(json!({"name": VERIFY, "arguments": start}));
    let task = inside.request(&may("verifications:write"), "tools/call", call).await;
    let id = of_tasks(json!({"taskId": task["result"]["taskId"]}));
    let look = |principal: Arc<Principal>| {
        let (inside, id) = (inside.clone(), id.clone());
        async move { inside.request(&principal, "tasks/get", id).await }
    };
    assert_eq!(look(may("verifications:read")).await["result"]["status"], "working");
    let unknown = look(principal("bob", "verifications:write")).await;
    assert_eq!(
        (&unknown["error"]["code"], unknown["error"].get("data")),
        (&json!(-32602), None),
        "{unknown}"
    );
    for method in ["tasks/get", "tasks/cancel"] {
        let refused = inside.request(&may("customers:write"), method, id.clone()).await;
        assert_eq!(refused["error"]["data"]["error"]["scope"], "verifications:read", "{refused}");
    }
    let decided = json!({"id": "ver_1", "status": "verified", "note": "ada@example.com"});
    bank.answers(ResponseTemplate::new(200).set_body_json(decided));
    let note = |task: Value| task["result"]["result"]["structuredContent"]["verification"]["note"].clone();
    let full = "verifications:read personal-data:read";
    while look(may(full)).await["result"]["status"] == "working" {}
    for (scopes, expected) in [("verifications:read", "a…@example.com"), (full, "ada@example.com")] {
        assert_eq!(note(look(may(scopes)).await), expected, "{scopes}");
    }
}

#[tokio::test]
async fn under_always_a_form_counts_only_for_a_principal_that_a_token_names() {
    let simulator = simulator(&[]).await;
    let config = CallsConfig { confirm: Confirm::Always, ..CallsConfig::default() };
    let inside = Inside::before(&simulator.base_url(), config);
    let start = json!({"action": "start", "customer_id": "sim_cus_ada"});
    for lifecycle in [Lifecycle::Handshake, Lifecycle::Stateless] {
        let named = principal(&format!("{lifecycle:?}"), "verifications:write");
        let someone =
            Person::who(Can::Forms, &[Does::Agrees]).connect(inside.connection(Some(named)), lifecycle).await;
        someone.call(VERIFY, start.clone()).await.good();
        let unnamed: Option<Arc<Principal>> = None;
        let someone = Person::who(Can::Forms, &[]).connect(inside.connection(unnamed), lifecycle).await;
        let error = someone.call(VERIFY, start.clone()).await.error();
        assert_eq!(error["kind"], "confirmation_required", "the page decides, and there is none here");
    }
    assert_eq!(simulator.requests(Operation::InitiateCustomerVerification), 2);
}
