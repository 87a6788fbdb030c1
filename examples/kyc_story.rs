//! Plays a KYC story as an MCP client, and prints it: create a customer, attach a bank account, check the
//! identity; then another name, a bank that takes its time and one that fails; at the end the dossier. Before each write
//! the server asks the person behind the client, who says yes here.
//!
//! ```text
//! cargo run --example kyc_story                                   # starts its own server on the simulator
//! cargo run --example kyc_story -- http://127.0.0.1:8080/mcp      # uses a running one
//! ```

use std::process::ExitCode;

use anyhow::{Context, bail};
use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationCapability, FormElicitationCapability, Implementation,
    ReadResourceRequestParams, ResourceContents,
};
use rmcp::service::{Peer, RequestContext, RoleClient, ServiceExt};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientHandler, ErrorData};
use serde_json::{Value, json};

/// A client whose person is shown every question, and says yes to each.
struct Agreeing;

impl ClientHandler for Agreeing {
    fn get_info(&self) -> ClientConfig {
        let forms = ElicitationCapability::new().with_form(FormElicitationCapability::default());
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = Some(forms);
        ClientConfig::new(capabilities, Implementation::new("kyc-story", env!("CARGO_PKG_VERSION")))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, .. } = request else {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        };
        for line in message.lines() {
            say(&format!("    | {line}"));
        }
        say("    | the person says: yes");
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(json!({ "confirm": true })))
    }
}

fn main() -> ExitCode {
    // Started again by itself, this program is the server of its own story.
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return fintecture_mcp::app::main(std::env::args_os());
    }
    match tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run()))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("\nThe story stopped: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let Some(url) = std::env::args().nth(1) else {
        let mut server = tokio::process::Command::new(std::env::current_exe()?);
        server.args(["serve", "--environment", "simulator"]).env("RUST_LOG", "error");
        let client =
            Agreeing.serve(TokioChildProcess::new(server)?).await.context("no answer from the server")?;
        play(client.peer()).await?;
        client.cancel().await?;
        return Ok(());
    };
    let transport = StreamableHttpClientTransport::from_uri(url);
    let client = Agreeing.serve(transport).await.context("no answer from the server")?;
    play(client.peer()).await?;
    client.cancel().await?;
    Ok(())
}

async fn play(server: &Peer<RoleClient>) -> anyhow::Result<()> {
    let tools = server.list_all_tools().await?;
    say("The server offers:");
    for tool in &tools {
        say(&format!("  {:<22}{}", tool.name, tool.title.as_deref().unwrap_or_default()));
    }

    heading("A new customer");
    let created = call(
        server,
        "manage_customers",
        json!({"action": "create", "first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com"}),
    )
    .await?;
    let customer = text(&created, "/customer/id")?;

    heading("Her bank account, in her name");
    call(
        server,
        "manage_bank_accounts",
        json!({"action": "create", "customer_id": customer, "iban": "FR76 3000 6000 0112 3456 7890 189", "holder_name": "Grace Hopper"}),
    )
    .await?;

    heading("Is she who she says she is?");
    check(server, &customer, "Grace Hopper", "sim-instant").await?;
    heading("And would somebody else pass for her?");
    check(server, &customer, "Howard Aiken", "sim-instant").await?;
    heading("A bank that takes its time");
    check(server, &customer, "Grace Hopper", "sim-slow").await?;
    heading("A bank that fails");
    check(server, &customer, "Grace Hopper", "sim-failed").await?;

    heading("The dossier, for a compliance officer\n");
    let uri = format!("fintecture://customers/{customer}/dossier");
    let dossier = server.read_resource(ReadResourceRequestParams::new(uri)).await?;
    let Some(ResourceContents::TextResourceContents { text, .. }) = dossier.contents.first() else {
        bail!("a dossier without text")
    };
    say(text);
    Ok(())
}

/// Starts a verification and waits until it is decided.
async fn check(
    server: &Peer<RoleClient>,
    customer: &str,
    expected_name: &str,
    provider: &str,
) -> anyhow::Result<()> {
    let arguments = json!({"action": "start", "customer_id": customer, "provider_id": provider, "expected_name": expected_name, "wait_seconds": 30});
    let verification = call(server, "verify_identity", arguments).await?;
    if text(&verification, "/verification/status")? == "pending" {
        bail!("the verification is still pending")
    }
    Ok(())
}

/// Calls a tool and shows what went in and what came out.
async fn call(server: &Peer<RoleClient>, tool: &'static str, arguments: Value) -> anyhow::Result<Value> {
    let Value::Object(arguments) = arguments else { bail!("arguments are an object") };
    let shown: Vec<String> = arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
    say(&format!("→ {tool} {}", shown.join(" ")));
    let result = server.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await?;
    let body = result.structured_content.context("a result without structured content")?;
    if let Some(error) = body.get("error") {
        bail!("{error:#}");
    }
    for (name, value) in body.as_object().into_iter().flatten().filter(|(name, _)| *name != "action") {
        show(name, value);
    }
    Ok(body)
}

fn show(name: &str, value: &Value) {
    match value {
        Value::Array(records) => records.iter().for_each(|record| show(name, record)),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            say(&format!("  {name}: {}", fields.join(" ")));
        }
        plain => {
            say(&format!("  {name}: {}", plain.as_str().map_or_else(|| plain.to_string(), str::to_owned)));
        }
    }
}

fn text(body: &Value, pointer: &str) -> anyhow::Result<String> {
    body.pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("no {pointer} in the result"))
}

fn heading(title: &str) {
    say(&format!("\n{title}"));
}

#[expect(clippy::print_stdout, reason = "telling the story is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}
