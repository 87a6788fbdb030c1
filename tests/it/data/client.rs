//! An agent that asks for everything, and the person who approves what it wants to write.

use serde_json::{Value, json};

use super::sinks::Sinks;
use super::town::about_the_client;
use super::{fields, upstream};
use crate::support::browser::Browser;
use crate::support::http_server::{HttpServer, http};
use crate::support::in_time;
use crate::support::wire::stateless_request;

/// Where clients call from, as the proxy before the server says.
pub(super) const ADDRESS: &str = "192.0.2.177";

/// Every action.
const ACTIONS: [&str; 10] = [
    "manage_customers list",
    "manage_customers create",
    "manage_customers get",
    "manage_bank_accounts list",
    "manage_bank_accounts create",
    "manage_bank_accounts get",
    "verify_identity start",
    "verify_identity get",
    "verify_identity list",
    "verify_identity dossier",
];

/// A client, who shows this token.
pub(super) struct Client<'a> {
    pub(super) server: &'a HttpServer,
    pub(super) token: String,
    /// The place where it is seen what it gets.
    pub(super) sink: &'static str,
}

/// How a person shows on a page who they are.
pub(super) enum Proof<'a> {
    Token(&'a str),
    Code(&'a str),
}

impl Client<'_> {
    /// What is answered to a request, headers and all.
    async fn asks(&self, method: &str, mut params: Value, can_ask: bool) -> (String, Value) {
        params["_meta"] = about_the_client(can_ask);
        let request = stateless_request(self.server, method, params).bearer_auth(&self.token);
        let answer = in_time(request.header("x-forwarded-for", ADDRESS).send()).await.unwrap();
        assert_eq!(answer.status(), 200, "{method}");
        let head = format!("{:?}", answer.headers());
        let text = in_time(answer.text()).await.unwrap();
        let mut messages = text.lines().map(|line| line.trim_start_matches("data: "));
        let message = messages.rfind(|line| line.starts_with('{')).expect(&text);
        let answer: Value = serde_json::from_str(message).unwrap();
        (format!("{head}\n{text}"), answer["result"].clone())
    }

    async fn calls(&self, tool: &str, arguments: &Value, can_ask: bool) -> (String, Value) {
        self.asks("tools/call", json!({"name": tool, "arguments": arguments}), can_ask).await
    }

    /// A write, from the question to its result. Returns the page's address.
    pub(super) async fn writes(&self, action: &str, proof: &Proof<'_>, sinks: &mut Sinks) -> String {
        let (tool, arguments) = fields::call(action);
        let (text, result) = self.calls(tool, &arguments, false).await;
        sinks.at(self.sink).shows(&text);
        let address =
            result["structuredContent"]["error"]["approval"]["url"].as_str().expect(&text).to_owned();
        let page = sinks.at("page");
        let mut person = Browser::new();
        match proof {
            Proof::Token(token) => {
                page.shows(&person.signs_in(&address, token).await.text);
                page.shows(&person.open(&self.server.url("/approvals")).await.text);
            }
            Proof::Code(code) => page.shows(&person.types(&address, code).await.text),
        }
        page.shows(&person.presses(&address, "approve").await.text);
        self.does(action, sinks).await;
        address
    }

    /// A call that succeeds, over MCP and over plain HTTP.
    pub(super) async fn does(&self, action: &str, sinks: &mut Sinks) {
        let (tool, arguments) = fields::call(action);
        let (text, result) = self.calls(tool, &arguments, false).await;
        assert_eq!(result["isError"], false, "{action}: {text}");
        sinks.at(self.sink).shows(&text);
        let plain = http().post(self.server.url(&format!("/v1/tools/{tool}"))).bearer_auth(&self.token);
        let plain =
            plain.header("user-agent", super::USER_AGENT).header("x-forwarded-for", ADDRESS).json(&arguments);
        let answer = in_time(plain.send()).await.unwrap();
        assert_eq!(answer.status(), 200, "{action}");
        sinks.at(self.sink).shows(&format!("{:?}", answer.headers()));
        sinks.at(self.sink).shows(&in_time(answer.text()).await.unwrap());
    }

    /// Everything that an agent can ask for. Returns the address of an approval.
    pub(super) async fn does_everything(&self, proof: &Proof<'_>, sinks: &mut Sinks) -> String {
        let mut address = String::new();
        for action in ACTIONS {
            if ["create", "start"].iter().any(|write| action.ends_with(write)) {
                // First by a client that can ask its person, then with the page for one that cannot.
                let (tool, arguments) = fields::call(action);
                let (text, result) = self.calls(tool, &arguments, true).await;
                assert_eq!(result["resultType"], "input_required", "{result}");
                sinks.at("form").shows(&text);
                address = self.writes(action, proof, sinks).await;
            } else {
                self.does(action, sinks).await;
            }
        }
        for list in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
            sinks.at(self.sink).shows(&self.asks(list, json!({}), false).await.0);
        }
        let customer = json!({"uri": "fintecture://customers/cus_q1get/dossier"});
        sinks.at(self.sink).shows(&self.asks("resources/read", customer, false).await.0);
        self.is_refused(sinks).await;
        address
    }

    /// A call that the upstream refuses.
    pub(super) async fn is_refused(&self, sinks: &mut Sinks) {
        let refused = json!({"action": "get", "customer_id": upstream::REFUSED});
        let (text, result) = self.calls("manage_customers", &refused, false).await;
        assert_eq!(result["isError"], true, "{text}");
        sinks.at(self.sink).shows(&text);
    }
}
