//! A person is asked before a write: by a form in the client, in either lifecycle and over each transport.

use fintecture_mcp::simulator::Operation;
use rmcp::model::{CallToolRequest, CallToolRequestParams, ClientRequest};
use rmcp::service::PeerRequestOptions;
use serde_json::{Value, json};

use crate::support::person::{Can, Does, Lifecycle, Person, Someone};
use crate::support::setup::Setup;
use crate::support::simulator::simulator;
use crate::support::wire::{Wire, stateless};

const BOTH: [Lifecycle; 2] = [Lifecycle::Handshake, Lifecycle::Stateless];

fn account() -> Value {
    json!({
        "action": "create", "customer_id": "sim_cus_ada", "iban": "FR7630006000011234567890189",
        "holder_name": "Ada \"Bad\" Lovelace", "currency": "EUR",
    })
}

/// Somebody on each transport and in each lifecycle, with a server of their own.
async fn each(
    can: Can,
    does: &[Does],
) -> Vec<(String, Someone, Option<crate::support::http_server::HttpServer>)> {
    let mut all = Vec::new();
    for lifecycle in BOTH {
        let setup = Setup::simulator();
        let someone = Person::who(can, does).on_stdio(&setup, lifecycle).await;
        all.push((format!("stdio, {lifecycle:?}"), someone, None));
        let server = setup.http().await;
        let someone = Person::who(can, does).over_http(&server, lifecycle).await;
        all.push((format!("http, {lifecycle:?}"), someone, Some(server)));
        let server = setup.http().await;
        let someone = Person::who(can, does).over_legacy_sse(&server, lifecycle).await;
        all.push((format!("legacy sse, {lifecycle:?}"), someone, Some(server)));
    }
    all
}

/// What stands in the customer's list of accounts afterwards is what was approved.
#[tokio::test]
async fn a_write_waits_for_a_yes_and_is_not_sent_without() {
    let does = [Does::Declines, Does::Dismisses, Does::SubmitsUnticked, Does::SubmitsNothing, Does::Agrees];
    for (place, someone, _server) in each(Can::Forms, &does).await {
        let before = accounts(&someone).await;
        for kind in ["declined", "cancelled", "declined", "declined"] {
            let error = someone.call("manage_bank_accounts", account()).await.error();
            assert_eq!((&error["kind"], &error["outcome"]), (&json!(kind), &json!("not_applied")), "{place}");
        }
        assert_eq!(accounts(&someone).await, before, "{place}: nothing was sent");
        let result = someone.call("manage_bank_accounts", account()).await.good();
        assert_eq!(result["bank_account"]["holder_name"], "Ada \"Bad\" Lovelace", "{place}");
        // The same again is a repeat, which needs no question.
        let again = someone.call("manage_bank_accounts", account()).await.good();
        assert_eq!(again["repeated"], true, "{place}");
        assert_eq!(accounts(&someone).await.len(), before.len() + 1, "{place}");
        let questions = someone.person.asked();
        assert_eq!(questions.len(), does.len(), "{place}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(questions[0]["message"].as_str().unwrap(), @r#"
            Attach a bank account to a customer?
            SIMULATOR: everything here is made up.
            Customer id: "sim_cus_ada"
            Account holder: "Ada "Bad" Lovelace"
            Customer on file: "Ada Byron"
            IBAN: "FR76 3000 6000 0112 3456 7890 189"
            Currency: "EUR"
            Nothing is sent unless you confirm.
            "#);
            insta::assert_json_snapshot!(questions[0]["requestedSchema"], @r#"
            {
              "type": "object",
              "properties": {
                "confirm": {
                  "type": "boolean",
                  "title": "Confirm",
                  "description": "Send exactly this to Fintecture",
                  "default": false
                }
              },
              "required": [
                "confirm"
              ]
            }
            "#);
        }
    }
}

async fn accounts(someone: &Someone) -> Vec<Value> {
    let list = json!({"action": "list", "customer_id": "sim_cus_ada"});
    let result = someone.call("manage_bank_accounts", list).await.good();
    result["bank_accounts"].as_array().unwrap().clone()
}

/// A client that says it can ask, and then cannot: what is not known is no yes.
#[tokio::test]
async fn a_client_that_fails_to_ask_gets_no_yes() {
    let someone = Person::who(Can::Forms, &[Does::Breaks])
        .on_stdio(&Setup::simulator().variable("BROWSER", ""), Lifecycle::Handshake)
        .await;
    let error = someone.call("manage_bank_accounts", account()).await.error();
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("confirmation_required"), &json!("not_applied")));
    assert!(accounts(&someone).await.iter().all(|account| account["holder_name"] != "Ada \"Bad\" Lovelace"));
}

/// The bare capability, from before there were two modes, means forms.
#[tokio::test]
async fn a_client_that_can_simply_ask_is_asked_by_form() {
    let does = [Does::Agrees];
    let someone = Person::who(Can::Ask, &does).on_stdio(&Setup::simulator(), Lifecycle::Handshake).await;
    someone.call("manage_bank_accounts", account()).await.good();
    assert_eq!(someone.person.asked().len(), 1);
}

#[tokio::test]
async fn never_asks_nobody_and_always_refuses_where_nobody_can_be_asked() {
    for lifecycle in BOTH {
        let never = Setup::simulator().flag("--confirm-writes=never");
        let someone = Person::who(Can::Forms, &[]).on_stdio(&never, lifecycle).await;
        someone.call("manage_bank_accounts", account()).await.good();
    }
    // No client to ask, no browser to open, no code: the operator has to do something.
    let always = Setup::simulator().flag("--confirm-writes=always").variable("BROWSER", "");
    let error = always.agent().await.error("manage_bank_accounts", account()).await;
    insta::assert_json_snapshot!(error, @r#"
    {
      "kind": "confirmation_required",
      "message": "a person must approve this write, and this server has no way to ask one: nothing was sent",
      "hint": "Tell the operator to set FINTECTURE_APPROVAL_CODE, which a person then types on the approval page; where people sign in at an issuer, --oauth-client-id; on stdio a client that can ask its user (elicitation) does, too.",
      "retryable": false,
      "outcome": "not_applied"
    }
    "#);
}

/// Over HTTP without authentication a client's form is the agent's word.
#[tokio::test]
async fn under_always_a_form_counts_on_stdio_alone() {
    let always = Setup::simulator().flag("--confirm-writes=always").variable("BROWSER", "");
    for lifecycle in BOTH {
        let someone = Person::who(Can::Forms, &[Does::Agrees]).on_stdio(&always, lifecycle).await;
        someone.call("manage_bank_accounts", account()).await.good();
        let server = always.clone().flag("--environment=simulator").http().await;
        let someone = Person::who(Can::Forms, &[]).over_http(&server, lifecycle).await;
        let error = someone.call("manage_bank_accounts", account()).await.error();
        assert_eq!(error["kind"], "confirmation_required", "{lifecycle:?}");
        assert_eq!(error.get("approval"), None, "no code is set");
    }
}

/// A stateless client without forms or pages is not asked in the middle of a call, and not left hanging.
#[tokio::test]
async fn a_customer_of_another_place_is_not_asked_about() {
    let someone = Person::who(Can::Forms, &[]).on_stdio(&Setup::simulator(), Lifecycle::Handshake).await;
    let mut nobody = account();
    nobody["customer_id"] = json!("cus_nobody");
    let error = someone.call("manage_bank_accounts", nobody).await.error();
    assert_eq!((&error["kind"], &error["outcome"]), (&json!("not_found"), &json!("not_applied")));
}

/// A question on the wire of 2026-07-28, and the state that goes with it.
struct Question {
    state: String,
}

/// Calls over Streamable HTTP at 2026-07-28 as a client that has forms, perhaps with an answer.
async fn call(wire: &mut Wire, arguments: &Value, answer: Option<(&str, Value)>) -> Value {
    let mut params = stateless(json!({"name": "manage_bank_accounts", "arguments": arguments}));
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"elicitation": {"form": {}}});
    if let Some((state, response)) = answer {
        params["requestState"] = json!(state);
        params["inputResponses"] = json!({ "approval": response });
    }
    wire.request("tools/call", params).await["result"].clone()
}

async fn ask(wire: &mut Wire, arguments: &Value) -> Question {
    let result = call(wire, arguments, None).await;
    assert_eq!(result["resultType"], "input_required", "{result}");
    let question = &result["inputRequests"]["approval"];
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["mode"], "form");
    Question { state: result["requestState"].as_str().unwrap().to_owned() }
}

fn yes() -> Value {
    json!({"action": "accept", "content": {"confirm": true}})
}

fn kind(result: &Value) -> &str {
    result["structuredContent"]["error"]["kind"].as_str().unwrap_or("success")
}

#[tokio::test]
async fn an_answer_counts_once_for_the_write_it_was_asked_for() {
    let simulator = simulator(&[]).await;
    let server = std::sync::Arc::new(Setup::against(&simulator.base_url()).http().await);
    let mut wire = Wire::http(std::sync::Arc::clone(&server));
    let writes = || simulator.requests(Operation::CreateCustomerBankAccount);

    // For another write: another IBAN, another holder.
    let question = ask(&mut wire, &account()).await;
    for (field, value) in [("iban", "DE89370400440532013000"), ("holder_name", "Charles")] {
        let mut other = account();
        other[field] = json!(value);
        let result = call(&mut wire, &other, Some((&question.state, yes()))).await;
        assert_eq!(kind(&result), "confirmation_required", "{field}");
    }
    // Forged: any character changed, cut short, made up.
    let mut forged = question.state.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'B' } else { 'A' });
    for state in [forged.as_str(), &question.state[1..], "", "e30", "rs1.e30.AA"] {
        let result = call(&mut wire, &account(), Some((state, yes()))).await;
        assert_eq!(kind(&result), "confirmation_required", "{state:?}");
    }
    // From another server, with another key.
    let stranger = std::sync::Arc::new(Setup::simulator().http().await);
    let mut strange = Wire::http(stranger);
    let foreign = ask(&mut strange, &account()).await;
    let result = call(&mut wire, &account(), Some((&foreign.state, yes()))).await;
    assert_eq!(kind(&result), "confirmation_required");
    // A "no" is an answer, too: it cannot be followed by a yes.
    let no = json!({"action": "decline"});
    assert_eq!(kind(&call(&mut wire, &account(), Some((&question.state, no))).await), "declined");
    let result = call(&mut wire, &account(), Some((&question.state, yes()))).await;
    assert_eq!(kind(&result), "confirmation_required");
    assert_eq!(writes(), 0);
    // Things that are no yes.
    for response in [
        json!({"action": "accept"}),
        json!({"action": "accept", "content": {"confirm": "true"}}),
        json!({"action": "accept", "content": {"confirm": 1}}),
        json!({"action": "accept", "content": {"approval": true}}),
    ] {
        let question = ask(&mut wire, &account()).await;
        let result = call(&mut wire, &account(), Some((&question.state, response.clone()))).await;
        assert_eq!(kind(&result), "declined", "{response}");
    }
    assert_eq!(writes(), 0);
    // And the yes itself, once.
    let question = ask(&mut wire, &account()).await;
    let result = call(&mut wire, &account(), Some((&question.state, yes()))).await;
    assert_eq!(kind(&result), "success");
    let result = call(&mut wire, &account(), Some((&question.state, yes()))).await;
    assert_eq!(
        result["structuredContent"]["repeated"], true,
        "a repeat is not sent, whatever it brings along"
    );
    assert_eq!(writes(), 1);
}

/// Legacy SSE has sessions at every revision: an answer from another one is not taken.
#[tokio::test]
async fn an_answer_from_another_session_does_not_count() {
    let server = Setup::simulator().http().await;
    let mut one = Wire::legacy_sse(&server).await;
    let mut other = Wire::legacy_sse(&server).await;
    let question = ask(&mut one, &account()).await;
    let result = call(&mut other, &account(), Some((&question.state, yes()))).await;
    assert_eq!(kind(&result), "confirmation_required");
    let result = call(&mut one, &account(), Some((&question.state, yes()))).await;
    assert_eq!(kind(&result), "success");
}

/// A client that can do both is asked right where its person is.
#[tokio::test]
async fn a_form_goes_before_a_page() {
    let someone =
        Person::who(Can::Both, &[Does::Agrees]).on_stdio(&Setup::simulator(), Lifecycle::Handshake).await;
    someone.call("manage_bank_accounts", account()).await.good();
    assert_eq!(someone.person.asked()[0]["mode"], "form");
}

/// The agent's host gives the call up while its person still thinks: the question is taken back, nothing is sent.
#[tokio::test]
async fn a_call_that_is_cancelled_while_the_person_thinks_sends_nothing() {
    let simulator = simulator(&[]).await;
    let setup = Setup::against(&simulator.base_url());
    let mut someone =
        Person::who(Can::Forms, &[Does::Sleeps, Does::Agrees]).on_stdio(&setup, Lifecycle::Handshake).await;
    let Value::Object(arguments) = account() else { unreachable!() };
    let params = CallToolRequestParams::new("manage_bank_accounts").with_arguments(arguments);
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
    let call = someone.client.send_cancellable_request(request, PeerRequestOptions::no_options());
    let call = call.await.unwrap();
    someone.person.is_asked().await;
    call.cancel(None).await.unwrap();
    someone.person.is_left_alone().await;
    let line = someone.process.as_mut().unwrap().logged("tool call").await;
    assert!(line.contains("outcome=\"cancelled\""), "{line}");
    assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 0);
    // And it can be called again.
    someone.call("manage_bank_accounts", account()).await.good();
    assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 1);
}

/// Two calls of the same write, one question: whoever gives up does not take the other's answer away.
#[tokio::test]
async fn the_same_write_twice_at_once_is_one_question() {
    let simulator = simulator(&[]).await;
    let server = Setup::against(&simulator.base_url()).http().await;
    let one = Person::who(Can::Forms, &[Does::Agrees]).over_http(&server, Lifecycle::Handshake).await;
    let other = Person::who(Can::Forms, &[Does::Agrees]).over_http(&server, Lifecycle::Handshake).await;
    let (first, second) = tokio::join!(
        one.call("manage_bank_accounts", account()),
        other.call("manage_bank_accounts", account())
    );
    let (first, second) = (first.good(), second.good());
    assert_eq!(first["bank_account"], second["bank_account"]);
    assert_eq!(simulator.requests(Operation::CreateCustomerBankAccount), 1);
    assert_eq!(one.person.asked().len() + other.person.asked().len(), 1);
}
