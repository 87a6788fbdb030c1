//! `docs/data.md` says what data goes where. Here every argument, every field of an answer, every secret and every name
//! has a value of its own, servers are asked for everything, and each place where a value may end up is searched for
//! it. The page must say exactly what was found: a value that is somewhere without a word of it fails, and so does a
//! word about a value that is not there.

mod client;
mod fields;
mod needle;
mod sinks;
mod town;
mod upstream;
mod vault;

use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::canaries::ISSUED;
use crate::support::issuer::TOKEN as ISSUERS_TOKENS;
use crate::support::keys::KEYS;
use crate::support::setup::{APP_ID, APP_SECRET, Setup, TOKEN};
use crate::support::tables::{page, table};
use crate::support::tokens::made;
use client::{Client, Proof};
use fields::Field;
use needle::Needle;
use sinks::Sinks;
use town::Town;

const AGENTS: &str = "customers:write,bank-accounts:write,verifications:write";
/// What clients call themselves.
const CLIENT: &str = "Qclient-name";
/// The same over plain HTTP.
const USER_AGENT: &str = "Quser-agent";
/// The trace that calls belong to.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// What people type on a page.
const CODE: &str = "canary-approval-code";
const AUDIENCE: &str = "https://mcp.example.com/mcp";

/// Holds a table of the page to what was found, cell by cell.
fn compare(heading: &str, columns: &[&str], found: &[Vec<&str>]) {
    let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let told = table(&page("data.md"), heading);
    let told: String = told.iter().map(|row| line(row.iter().map(String::as_str).collect())).collect();
    let found: String = std::iter::once(columns)
        .chain(found.iter().map(Vec::as_slice))
        .map(|row| line(row.to_vec()))
        .collect();
    assert!(told == found, "docs/data.md, {heading}: it says\n{told}\nand this was found:\n{found}");
}

fn measured<'a>(fields: &'a [Field], columns: &[&str], sinks: &Sinks) -> Vec<Vec<&'a str>> {
    let row = |field: &'a Field| {
        let found = columns.iter().skip(2).map(|column| sinks.word(column, &[field.needle()], field.masked));
        [field.of, field.name].into_iter().chain(found).collect()
    };
    fields.iter().map(row).collect()
}

/// A secret or a name, with the forms in which it may stand somewhere.
struct Named {
    name: &'static str,
    forms: Vec<String>,
}

/// What servers were seen to do with everything.
struct Seen {
    sinks: Sinks,
    names: Vec<Named>,
}

/// Callers are known one by one, the upstream by a fixed token; everything is asked for.
async fn by_name(seen: &mut Seen) {
    let town = Town::new().await;
    let (reader, line_of_reader) = made("q-agent-that-reads", &format!("{AGENTS},personal-data:read")).await;
    let (other, does_not) = made("q-agent-that-does-not", AGENTS).await;
    let (approver, line_of_approver) = made("q-approver", "approvals:write").await;
    let tokens = town.file("tokens", &[line_of_reader, does_not, line_of_approver].join("\n"));
    let setup = Setup::against(&town.bank.base_url())
        .variable("FINTECTURE_APP_ID", APP_ID)
        .variable("FINTECTURE_PRIVATE_KEY", &KEYS.pkcs8)
        .flag(&format!("--auth-tokens={tokens}"));
    let server = town.server(setup).await;
    let (proof, sinks) = (Proof::Token(&approver), &mut seen.sinks);
    let client = |token: &str, sink| Client { server: &server, token: token.to_owned(), sink };
    let (mut approvals, mut request_ids) = (Vec::new(), Vec::new());
    for (token, sink) in [(&reader, "agent"), (&other, "masked agent")] {
        let address = client(token, sink).does_everything(&proof, sinks).await;
        approvals.push(address.rsplit('/').next().unwrap().to_owned());
        request_ids.push(town.last_request_id().await);
    }
    town.tells(server, &other, sinks).await;
    let key = KEYS.pkcs8.lines().filter(|line| line.len() > 20).map(str::to_owned).collect();
    let of = |name, form: &str| Named { name, forms: vec![form.to_owned()] };
    seen.names.extend([
        of("FINTECTURE_CUSTOMER_TOKEN", TOKEN),
        of("FINTECTURE_APP_ID", APP_ID),
        Named { name: "FINTECTURE_PRIVATE_KEY", forms: key },
        Named { name: "token of --auth-tokens", forms: vec![reader, other, approver.clone()] },
        of("password in FINTECTURE_STORE_URL", town::STORE_PASSWORD),
        of("key of --store-key", vault::KEY),
        of("key of --audit-key", town::AUDIT_KEY),
        of("OTEL_EXPORTER_OTLP_HEADERS", town::COLLECTOR_KEY),
        of("name of a principal", "q-agent-that-does-not"),
        of("name of an approver", "q-approver"),
        of("name of a client", CLIENT),
        of("User-Agent over plain HTTP", USER_AGENT),
        of("address of a client", client::ADDRESS),
        Named { name: "id of an approval", forms: approvals },
        Named { name: "X-Request-ID", forms: request_ids },
        of("id of a trace", TRACE),
    ]);
}

/// One token for all callers, a code for people, and an application at the upstream.
async fn by_one_token(seen: &mut Seen) {
    let town = Town::new().await;
    let inbound = "canary-inbound-token-0b5e1d77";
    let setup = Setup::application(&town.bank.base_url())
        .variable("FINTECTURE_TOKEN_URL", &format!("{}/oauth/accesstoken", town.token_url.base_url()))
        .variable("FINTECTURE_MCP_TOKEN", inbound)
        .variable("FINTECTURE_APPROVAL_CODE", CODE);
    let server = town.server(setup).await;
    let one = Client { server: &server, token: inbound.to_owned(), sink: "masked agent" };
    one.writes("manage_bank_accounts create", &Proof::Code(CODE), &mut seen.sinks).await;
    one.is_refused(&mut seen.sinks).await;
    town.tells(server, inbound, &mut seen.sinks).await;
    let of = |name, form: &str| Named { name, forms: vec![form.to_owned()] };
    seen.names.extend([
        of("FINTECTURE_APP_SECRET", APP_SECRET),
        of("token from the token URL", ISSUED),
        of("FINTECTURE_MCP_TOKEN", inbound),
        of("FINTECTURE_APPROVAL_CODE", CODE),
    ]);
}

/// Callers and people come from an authorization server.
async fn by_an_issuer(seen: &mut Seen) {
    let town = Town::new().await;
    let (secret, person) = ("canary-client-secret", "qperson@canary-issuer.example");
    let draft = |scope: &str| {
        town.issuer.draft(AUDIENCE).claim("sub", json!(person)).claim("scope", json!(scope)).token()
    };
    let (agents, approvers) = (draft(&AGENTS.replace(',', " ")), draft("approvals:write"));
    let answer = json!({"access_token": approvers, "token_type": "Bearer", "expires_in": 60});
    town.issuer.answers(ISSUERS_TOKENS, &answer);
    let setup = Setup::against(&town.bank.base_url())
        .variable("FINTECTURE_OAUTH_CLIENT_SECRET", secret)
        .flag("--oauth-client-id=pages")
        .flag(&format!("--oauth-audience={AUDIENCE}"))
        .flag(&format!("--oauth-issuer={}", town.issuer.name()));
    let server = town.server(setup).await;
    let one = Client { server: &server, token: agents.clone(), sink: "masked agent" };
    one.does("manage_customers get", &mut seen.sinks).await;
    let mut browser = Browser::new();
    let at_issuer = browser.open(&server.url("/approvals/sign-in")).await.address;
    let (_, state) = at_issuer.query_pairs().find(|(name, _)| name == "state").unwrap();
    let back = server.url(&format!("/approvals/callback?code=canary-grant&state={state}&here=1"));
    browser.open(back.trim_end_matches("&here=1")).await;
    let list = browser.open(&back).await;
    assert!(list.text.contains("Waiting for approval"), "{}", list.text);
    seen.sinks.at("page").shows(&list.text);
    town.tells(server, &agents, &mut seen.sinks).await;
    seen.names.extend([
        Named { name: "FINTECTURE_OAUTH_CLIENT_SECRET", forms: vec![secret.to_owned()] },
        Named { name: "access token of the issuer", forms: vec![agents, approvers] },
        Named { name: "sub of a person", forms: vec![person.to_owned()] },
    ]);
}

async fn seen() -> Seen {
    let mut seen = Seen { sinks: Sinks::new(), names: Vec::new() };
    by_name(&mut seen).await;
    seen
}

#[tokio::test]
async fn the_page_says_where_arguments_and_answers_go() {
    let places =
        ["upstream", "agent", "masked agent", "form, page", "log, metrics, traces", "audit trail", "store"];
    let sinks = seen().await.sinks;
    for (heading, of, name, fields) in [
        ("## What an agent sends", "action", "argument", fields::arguments()),
        ("## What the upstream answers", "record", "field", fields::results()),
    ] {
        let columns = [&[of, name], places.as_slice()].concat();
        compare(heading, &columns, &measured(&fields, &columns, &sinks));
    }
}

#[tokio::test]
async fn the_page_says_where_secrets_and_names_go() {
    let columns = [
        "what",
        "upstream",
        "token URL",
        "issuer",
        "agent, masked agent",
        "form",
        "page",
        "log",
        "metrics",
        "traces",
        "audit trail",
        "store",
    ];
    let mut seen = seen().await;
    by_one_token(&mut seen).await;
    by_an_issuer(&mut seen).await;
    let row = |named: &Named| {
        let needles: Vec<Needle> = named.forms.iter().cloned().map(Needle::Text).collect();
        let found = columns.iter().skip(1).map(|column| seen.sinks.word(column, &needles, None));
        [named.name].into_iter().chain(found).collect()
    };
    compare("## Secrets and names", &columns, &seen.names.iter().map(row).collect::<Vec<_>>());
}

/// The arguments of every action are those that the server takes.
#[tokio::test]
async fn no_argument_is_left_out() {
    let agent = Setup::simulator().agent().await;
    let tools = agent.client.list_all_tools().await.unwrap();
    let mut taken = Vec::new();
    for tool in &tools {
        let properties = tool.input_schema["properties"].as_object().unwrap();
        for action in properties["action"]["enum"].as_array().unwrap() {
            // Nothing is right, so that each is told of: as a wrong value, or as none of this action's.
            let mut wrong: serde_json::Map<String, Value> =
                properties.keys().map(|name| (name.clone(), json!([]))).collect();
            wrong["action"] = action.clone();
            let error = agent.error(&tool.name, Value::Object(wrong)).await;
            for problem in error["problems"].as_array().unwrap() {
                if problem.get("example").is_some() {
                    let name = problem["field"].as_str().unwrap();
                    taken.push((format!("{} {}", tool.name, action.as_str().unwrap()), name.to_owned()));
                }
            }
        }
    }
    let mut known: Vec<(String, String)> =
        fields::arguments().iter().map(|field| (field.of.to_owned(), field.name.to_owned())).collect();
    known.sort();
    taken.sort();
    assert_eq!(known, taken);
}
