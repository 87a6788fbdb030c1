//! The acts: what the agent calls, and what must be so after each.

use rmcp::model::CallToolRequestParams;
use rmcp::service::{Peer, RoleClient};
use serde_json::{Map, Value, json};

use super::DemoError;
use super::screen::{BAD, CALL, GOOD, MIDDLING, Screen, members, paint, short};

const ACTS: usize = 8;
/// An IBAN that is one, and the same with a digit that is wrong.
const IBAN: &str = "FR7630006000011234567890189";
const MISTYPED: &str = "FR7630006000011234567890188";

/// Before the first line of a call, of a result, and before those that go on.
const SENT: &str = "  → ";
const CAME: &str = "  ← ";
const GOES_ON: &str = "    ";

/// Tells the story from the first act to the last.
///
/// # Errors
/// The first thing that is not as the story has it.
pub(super) async fn tell(server: &Peer<RoleClient>, screen: &Screen) -> Result<(), DemoError> {
    let story = Story { server, screen };
    story.prologue().await?;

    screen.act("A new customer")?;
    let customer = json!({"action": "create", "first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com"});
    let created = story.good("manage_customers", customer.clone()).await?;
    let id = text(&created, "/customer/id")?;

    screen.act("An agent that is not sure, and asks again: the same customer, not a second one")?;
    let again = story.good("manage_customers", customer).await?;
    let is_the_same = again.get("repeated") == Some(&json!(true)) && text(&again, "/customer/id")? == id;
    expect(is_the_same, "a second customer was made")?;

    screen.act("Her bank account, in her name, with a digit mistyped at first")?;
    let account =
        |iban| json!({"action": "create", "customer_id": id, "iban": iban, "holder_name": "Grace Hopper"});
    let refused = story.call("manage_bank_accounts", account(MISTYPED)).await?;
    expect(text(&refused, "/error/kind")? == "invalid_input", "an IBAN that is none was not refused")?;
    story.good("manage_bank_accounts", account(IBAN)).await?;

    screen.act("Is she who she says she is?")?;
    story.verify(&id, "Grace Hopper", "sim-instant", "verified").await?;
    screen.act("Would somebody else pass for her?")?;
    story.verify(&id, "Howard Aiken", "sim-instant", "unverified").await?;
    screen.act("A bank that takes its time")?;
    story.verify(&id, "Grace Hopper", "sim-slow", "verified").await?;
    screen.act("A bank that fails")?;
    story.verify(&id, "Grace Hopper", "sim-failed", "failed").await?;

    screen.act("The dossier, for the person who decides")?;
    story.dossier(&id).await?;
    let next = paint(CALL, "fintecture-mcp setup --help");
    screen.gap()?;
    Ok(screen.paragraph("", "", &format!("To let an agent of your own do this: {next}"))?)
}

struct Story<'a> {
    server: &'a Peer<RoleClient>,
    screen: &'a Screen,
}

impl Story<'_> {
    /// Who answers, in its own words, and what it offers.
    async fn prologue(&self) -> Result<(), DemoError> {
        let info = self.server.peer_info().ok_or_else(|| otherwise("the server does not say who it is"))?;
        let about = info.server_info.as_ref();
        let name = about.map_or("a server", |about| about.title.as_deref().unwrap_or(&about.name));
        self.screen.paragraph("", "", &format!("An MCP client meets {}, which says:", paint(CALL, name)))?;
        self.screen.paragraph(
            GOES_ON,
            GOES_ON,
            &beginning(info.instructions.as_deref().unwrap_or_default()),
        )?;
        let tools = self.server.list_all_tools().await?;
        let names: Vec<String> = tools.iter().map(|tool| paint(CALL, &tool.name)).collect();
        self.screen.paragraph("", "", &format!("It offers {}.", names.join(", ")))?;
        self.screen.begin(ACTS);
        Ok(())
    }

    /// Starts a verification, and waits until it is decided.
    async fn verify(&self, customer: &str, name: &str, bank: &str, status: &str) -> Result<(), DemoError> {
        let start = json!({"action": "start", "customer_id": customer, "provider_id": bank, "expected_name": name, "wait_seconds": 30});
        let verdict = self.good("verify_identity", start).await?;
        let decided = text(&verdict, "/verification/status")?;
        expect(decided == status, &format!("{name} is {decided} at {bank}, and should be {status}"))
    }

    async fn dossier(&self, customer: &str) -> Result<(), DemoError> {
        let arguments = json!({"action": "dossier", "customer_id": customer});
        let body = self.ask("verify_identity", arguments).await?;
        let dossier = body.get("dossier").ok_or_else(|| otherwise("there is no dossier"))?;
        let findings =
            ["contradictions", "gaps"].map(|member| (member, dossier.get(member).and_then(Value::as_array)));
        for (member, found) in findings {
            let found = found.ok_or_else(|| otherwise(&format!("the dossier has no {member}")))?;
            for finding in found {
                let label = paint(MIDDLING, &format!("{member}: "));
                let (message, code) = (text(finding, "/message")?, text(finding, "/code")?);
                self.screen.paragraph(CAME, GOES_ON, &format!("{label}{message} ({code})"))?;
            }
        }
        let (label, limits) = (paint(MIDDLING, "not_checked: "), text(dossier, "/not_checked")?);
        self.screen.paragraph(CAME, GOES_ON, &format!("{label}{}", beginning(&limits)))?;
        let uri = short(&format!("fintecture://customers/{customer}/dossier"));
        let beside = format!("With them come all records and where they are from. As a page to read: {uri}");
        Ok(self.screen.paragraph(GOES_ON, GOES_ON, &beside)?)
    }

    /// A call that must succeed.
    async fn good(&self, tool: &'static str, arguments: Value) -> Result<Value, DemoError> {
        let body = self.call(tool, arguments).await?;
        expect(body.get("error").is_none(), "a call failed that should not").map(|()| body)
    }

    /// Calls a tool; shows what went in and what came out.
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, DemoError> {
        let body = self.ask(tool, arguments).await?;
        for (name, value) in body.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                ("action" | "environment", _) => {}
                ("error", Value::Object(error)) => self.error(error)?,
                (_, Value::Object(record)) => {
                    let line = format!("{} {}", paint(GOOD, name), members(record));
                    self.screen.paragraph(CAME, GOES_ON, &line)?;
                }
                _ => {
                    let line = members(&Map::from_iter([(name.clone(), value.clone())]));
                    self.screen.paragraph(GOES_ON, GOES_ON, &line)?;
                }
            }
        }
        Ok(body)
    }

    /// Calls a tool; shows what went in.
    async fn ask(&self, tool: &'static str, arguments: Value) -> Result<Value, DemoError> {
        let Value::Object(arguments) = arguments else { return Err(otherwise("arguments are an object")) };
        let mut others = arguments.clone();
        let action = others.shift_remove("action").unwrap_or_default();
        let name = paint(CALL, &format!("{tool} {}", action.as_str().unwrap_or_default()));
        self.screen.paragraph(SENT, GOES_ON, &format!("{name} {}", members(&others)))?;
        self.screen.wait(tool);
        let request = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result = Box::pin(self.server.call_tool(request)).await?;
        let body = result.structured_content.ok_or_else(|| otherwise("a result has no content"))?;
        // The one thing that nobody may be wrong about.
        expect(text(&body, "/environment")? == "simulator", "an answer does not come from a simulator")?;
        Ok(body)
    }

    /// What went wrong, and what the agent is told to do about it.
    fn error(&self, error: &Map<String, Value>) -> Result<(), DemoError> {
        let member = |name| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let line = format!("{}: {}", paint(BAD, member("kind")), member("message"));
        self.screen.paragraph(CAME, GOES_ON, &line)?;
        for problem in error.get("problems").and_then(Value::as_array).into_iter().flatten() {
            let line = format!(
                "{} {}; an example is {}",
                text(problem, "/field")?,
                text(problem, "/message")?,
                text(problem, "/example")?
            );
            self.screen.paragraph(GOES_ON, GOES_ON, &line)?;
        }
        Ok(self.screen.paragraph(GOES_ON, GOES_ON, member("hint"))?)
    }
}

/// The first two sentences of a longer text.
fn beginning(text: &str) -> String {
    let sentences: Vec<&str> = text.split_inclusive(". ").take(2).collect();
    format!("{}…", sentences.concat())
}

fn text(body: &Value, pointer: &str) -> Result<String, DemoError> {
    let found = body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| otherwise(&format!("there is no {pointer} in {body}")))
}

fn expect(is_so: bool, else_say: &str) -> Result<(), DemoError> {
    if is_so { Ok(()) } else { Err(otherwise(else_say)) }
}

fn otherwise(what: &str) -> DemoError {
    DemoError::Otherwise(what.to_owned())
}
