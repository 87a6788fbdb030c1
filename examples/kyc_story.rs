//! Plays a KYC story as an MCP client, and prints it: create a customer, attach a bank account, check the
//! identity, read the result; then another name, and a bank that takes its time.
//!
//! ```text
//! cargo run --example kyc_story                                   # starts its own server on the simulator
//! cargo run --example kyc_story -- http://127.0.0.1:8080/mcp      # uses a running one
//! ```

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use rmcp::model::CallToolRequestParams;
use rmcp::service::{Peer, RoleClient, ServiceExt};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use serde_json::{Value, json};

/// How often a pending verification is read before the story gives up; the slow bank needs three seconds.
const MAX_READS: usize = 20;

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
        let client = ().serve(TokioChildProcess::new(server)?).await.context("no answer from the server")?;
        play(client.peer()).await?;
        client.cancel().await?;
        return Ok(());
    };
    let client =
        ().serve(StreamableHttpClientTransport::from_uri(url)).await.context("no answer from the server")?;
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

    heading("What is on record");
    let listed = call(server, "verify_identity", json!({"action": "list", "customer_id": customer})).await?;
    let count = listed.pointer("/verifications").and_then(Value::as_array).map_or(0, Vec::len);
    say(&format!(
        "\n{count} verifications. A match says that the bank knows the name: it proves no document, no sanctions check, no ownership."
    ));
    Ok(())
}

/// Starts a verification and reads it until it is decided.
async fn check(
    server: &Peer<RoleClient>,
    customer: &str,
    expected_name: &str,
    provider: &str,
) -> anyhow::Result<()> {
    let arguments = json!({"action": "start", "customer_id": customer, "provider_id": provider, "expected_name": expected_name});
    let mut verification = call(server, "verify_identity", arguments).await?;
    let id = text(&verification, "/verification/id")?;
    for _ in 0..MAX_READS {
        if text(&verification, "/verification/status")? != "pending" {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let arguments = json!({"action": "get", "customer_id": customer, "verification_id": id});
        verification = call(server, "verify_identity", arguments).await?;
    }
    bail!("the verification is still pending")
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
